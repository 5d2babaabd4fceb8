/// What a look at every file of a data set finds. Images are read in parallel and let go one by one; numbers about each stay.
public struct DataInspection: Sendable {
  /// The data set.
  public let set: ImageDataSet
  /// One per item, in order: what its file holds, or why it cannot be read.
  public let facts: [Result<FileFacts, ImageError>]
  /// The contents of the files.
  public let contents: ContentIndex

  /// Reads every file.
  /// - Parameters:
  ///   - workers: how many files are read at a time; nil means one per processor.
  ///   - progress: called with the number of images done.
  /// - Throws: `CancellationError` when the task is cancelled.
  public init(
    of set: ImageDataSet, workers: Int? = nil, progress: (Int) -> Void = { _ in }
  ) async throws(CancellationError) {
    let looked = try await concurrentMap(set.items, workers: workers, progress: progress) { item in
      let facts: Result<FileFacts, ImageError>
      do throws(ImageError) { facts = .success(try FileFacts(of: item)) } catch { facts = .failure(error) }
      return (facts: facts, entry: ContentIndex.Entry(of: item))
    }
    self.set = set
    facts = looked.map(\.facts)
    contents = ContentIndex(entries: looked.map(\.entry))
  }

  // MARK: Groups

  /// The images of one split and label.
  public struct Group: Equatable, Sendable {
    /// The split.
    public let split: DataItem.Split
    /// The label; nil where it is not known.
    public let label: DataItem.Label?
    /// How many images there are, unreadable ones included.
    public let images: Int
    /// How many of them cannot be read.
    public let unreadable: Int
    /// How many patients are known by name.
    public let patients: Int
    /// How many images have a mask.
    public let masks: Int
    /// How many images have a paired one.
    public let paired: Int
    /// The mean of the images' mean values, in the files' units; nil where none can be read.
    public let mean: Double?
    /// The mean share of an image's samples in each part of its range, from black to white; zeros where none can be read.
    public let histogram: [Double]
  }

  /// The groups that have images: by split, then normal, abnormal, unknown.
  public var groups: [Group] {
    var groups: [Group] = []
    for split in DataItem.Split.allCases {
      for label in DataItem.Label.allCases.map(Optional.some) + [nil] {
        let indices = set.items.indices.filter { set.items[$0].split == split && set.items[$0].label == label }
        guard !indices.isEmpty else { continue }
        let items = indices.map { set.items[$0] }
        let read = indices.compactMap { try? facts[$0].get() }
        var histogram = [Double](repeating: 0, count: FileFacts.bins)
        for facts in read {
          for (bin, count) in facts.histogram.enumerated() {
            histogram[bin] += Double(count) / Double(facts.grid.count) / Double(read.count)
          }
        }
        groups.append(
          Group(
            split: split, label: label, images: items.count, unreadable: items.count - read.count,
            patients: Set(items.compactMap(\.patient)).count, masks: items.count(where: \.isMarked),
            paired: items.count { $0.pairedPath != nil },
            mean: read.isEmpty ? nil : read.reduce(0) { $0 + $1.mean } / Double(read.count), histogram: histogram))
      }
    }
    return groups
  }

  // MARK: Kinds of files

  /// A property of files and how many have it.
  public struct Count: Equatable, Sendable {
    /// For example `224×224`.
    public let value: String
    /// Files that have it.
    public let files: Int

    /// Counts files.
    public init(value: String, files: Int) { (self.value, self.files) = (value, files) }
  }

  /// Sides, along x first.
  public var sizes: [Count] { counts { $0.grid.size } }
  /// Formats.
  public var formats: [Count] { counts(\.format) }
  /// Bits per sample.
  public var bitDepths: [Count] { counts { $0.bitsPerSample.map { "\($0) bit" } ?? "unknown" } }
  /// Grey, colour, or grey that is stored as colour.
  public var channels: [Count] {
    counts { $0.isGreyInColour ? "grey stored as colour" : $0.channels == 1 ? "grey" : "colour" }
  }
  /// Millimetres between samples, along x first.
  public var spacings: [Count] {
    counts { facts in
      facts.spacing.map { $0.map(Self.length).joined(separator: "×") + " mm" } ?? "not told"
    }
  }
  /// Ways in which DICOM files are written.
  public var transferSyntaxes: [Count] { counts { $0.transferSyntax?.description } }

  /// Values and how often they come up, the most frequent first.
  private func counts(_ value: (FileFacts) -> String?) -> [Count] {
    var counts: [String: Int] = [:]
    for case .success(let facts) in facts { if let value = value(facts) { counts[value, default: 0] += 1 } }
    return counts.map { Count(value: $0.key, files: $0.value) }.sorted {
      ($1.files, $0.value) < ($0.files, $1.value)
    }
  }

  /// Up to three decimals.
  private static func length(_ value: Double) -> String {
    let thousandths = (value * 1000).rounded()
    guard abs(thousandths) < 1e15 else { return "\(value)" }
    let text = String(Int(abs(thousandths)) % 1000 + 1000).dropFirst()
    let decimals = String(text.reversed().drop { $0 == "0" }.reversed())
    return "\(Int(abs(thousandths)) / 1000)" + (decimals.isEmpty ? "" : ".\(decimals)")
  }

  // MARK: Mistakes

  /// The files that cannot be read, in order.
  public var failures: [DecodingReport.Failure] {
    DecodingReport(items: set.items, results: facts.map { result in result.map { _ in () } }).failures
  }

  /// Images with the same value everywhere.
  public var constantImages: [DataItem] {
    zip(set.items, facts).compactMap { item, facts in
      (try? facts.get()).flatMap { $0.extremes.lowerBound == $0.extremes.upperBound ? item : nil }
    }
  }

  /// Masks and paired images that cannot be read or lie on another grid than their image, a sentence each.
  public var companionMistakes: [String] { facts.compactMap { try? $0.get().companionMistake } }

  /// What is worth knowing of images that can be used, a sentence each.
  public var remarks: [String] { facts.flatMap { (try? $0.get().remarks) ?? [] } }

  /// Groups of images with the same content.
  public var duplicates: [[DataItem]] { contents.duplicates }

  /// Patients whose images lie in several splits, and which, in the order of their first images.
  public var patientsInSeveralSplits: [(patient: String, splits: [DataItem.Split])] {
    var splits: [String: Set<DataItem.Split>] = [:]
    var order: [String] = []
    for item in set.items {
      guard let patient = item.patient else { continue }
      if splits[patient] == nil { order.append(patient) }
      splits[patient, default: []].insert(item.split)
    }
    return order.compactMap { patient in
      guard let found = splits[patient], found.count > 1 else { return nil }
      return (patient, DataItem.Split.allCases.filter(found.contains))
    }
  }
}
