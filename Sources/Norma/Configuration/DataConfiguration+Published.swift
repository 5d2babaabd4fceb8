public import MedicalImaging

extension DataConfiguration {
  /// The published data set that `set` names.
  /// - Throws: `ConfigurationError.unknownName`.
  @discardableResult
  func publishedSet() throws(ConfigurationError) -> PublishedDataSet {
    try PublishedDataSet(named: set)
  }
}

extension PublishedDataSet {
  /// Finds a published data set by its name, in any case.
  /// - Throws: `ConfigurationError.unknownName`.
  public init(named name: String) throws(ConfigurationError) {
    guard let found = PublishedDataSet(rawValue: name.lowercased()) else {
      throw .unknownName(kind: "data set", name: name, known: PublishedDataSet.allCases.map(\.rawValue))
    }
    self = found
  }
}
