/// Why a prepared data set cannot be made or used, in one sentence.
public enum PreparedDataError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The file is of another kind, damaged, or of another version of Norma.
  case notPrepared(path: String, reason: String)
  /// The file was prepared for other settings than the configuration's; `differences` are keys with both values.
  case otherSettings(path: String, differences: [String])
  /// The file cannot be written.
  case notWritable(path: String, reason: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .notPrepared(let path, let reason):
      "\(path) is no prepared data set: \(reason); make it with norma data prepare"
    case .otherSettings(let path, let differences):
      "\(path) was prepared with other settings (\(differences.joined(separator: "; "))); prepare the data set for these, or "
        + "give the settings that it was prepared with"
    case .notWritable(let path, let reason): "\(path) cannot be written: \(reason); choose another --output"
    }
  }
}
