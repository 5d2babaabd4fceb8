import Foundation

/// What the files of a data set contain, byte for byte: finds files that are stored twice, and names the whole by one
/// short fingerprint.
public struct ContentIndex: Equatable, Sendable {
  /// An item and its content's hash.
  public struct Entry: Equatable, Sendable {
    /// The item.
    public let item: DataItem
    /// The size of its files, or of its part of one, in bytes; 0 where it cannot be read.
    public let size: Int
    /// The hash of these bytes; nil where it cannot be read.
    public let hash: ContentHash?
    /// The hash of size and bytes of the mask; nil where there is none.
    public let maskHash: ContentHash?
    /// The hash of size and bytes of the paired image; nil where there is none.
    public let pairedHash: ContentHash?

    /// An entry of what is known already.
    public init(
      item: DataItem, size: Int, hash: ContentHash?, maskHash: ContentHash? = nil, pairedHash: ContentHash? = nil
    ) {
      (self.item, self.size, self.hash) = (item, size, hash)
      (self.maskHash, self.pairedHash) = (maskHash, pairedHash)
    }

    /// Reads an item's files; one that cannot be read has no hash.
    public init(of item: DataItem) {
      let content = Self.content(of: item.path)
      func companion(_ path: String?) -> ContentHash? {
        guard let path else { return nil }
        let content = Self.content(of: path)
        var hash = ContentHash()
        hash.add("\(content.size)\0\(content.hash?.description ?? "unreadable")".utf8)
        return hash
      }
      self.init(
        item: item, size: content.size, hash: content.hash, maskHash: companion(item.maskPath),
        pairedHash: companion(item.pairedPath))
    }

    private static func content(of path: String) -> (size: Int, hash: ContentHash?) {
      var (size, hash) = (0, ContentHash())
      do {
        for file in try FileContents.paths(path) {
          let content = try FileContents.content(of: file)
          content.withUnsafeBytes { hash.add($0) }
          size += content.count
        }
      } catch { return (0, nil) }
      return (size, hash)
    }

    /// The lines of the fingerprint that speak of this entry.
    fileprivate var lines: [String] {
      let companions = [("mask", maskHash), ("paired", pairedHash)].compactMap { name, hash in
        hash.map { "\(item.name)\0\(name)\0\($0)\n" }
      }
      return ["\(item.name)\0\(size)\0\(hash?.description ?? "unreadable")\n"] + companions
    }
  }

  /// One entry per item, in the items' order.
  public let entries: [Entry]

  /// Reads every file once, and of a folder of slices all that lie in it. A file that cannot be read stays in the index
  /// without a hash.
  /// - Parameter workers: how many files are read at a time; nil means one per processor.
  /// - Throws: `CancellationError` when the task is cancelled.
  public init(of items: [DataItem], workers: Int? = nil) async throws(CancellationError) {
    entries = try await concurrentMap(items, workers: workers) { Entry(of: $0) }
  }

  /// An index of entries that were made before.
  public init(entries: [Entry]) { self.entries = entries }

  /// 16 hexadecimal digits that change with any name, size or content, and not with the order, the splits or the place
  /// where the data lies: FNV-1a over the lines `name`, zero byte, `size`, zero byte, `hash` or `unreadable`, line feed,
  /// sorted. A mask adds the line `name`, `mask` and its own hash, a paired image `name`, `paired` and its hash, zero bytes
  /// between.
  public var fingerprint: String {
    var hash = ContentHash()
    for line in entries.flatMap(\.lines).sorted() { hash.add(line.utf8) }
    return hash.description
  }

  /// Groups of two or more items with the same content, each group and the list of groups in the items' order.
  public var duplicates: [[DataItem]] {
    struct Content: Hashable {
      let size: Int
      let hash: ContentHash
    }
    var groups: [[DataItem]] = []
    var groupOfContent: [Content: Int] = [:]
    for entry in entries {
      guard let hash = entry.hash else { continue }
      let content = Content(size: entry.size, hash: hash)
      if let group = groupOfContent[content] {
        groups[group].append(entry.item)
      } else {
        groupOfContent[content] = groups.count
        groups.append([entry.item])
      }
    }
    return groups.filter { $0.count > 1 }
  }

  /// One sentence for each content that lies in more than one split, or under more than one label.
  public var warnings: [String] {
    duplicates.compactMap { group in
      let names = group.map(\.name).joined(separator: ", ")
      if Set(group.map(\.split)).count > 1 { return "The same image is in several splits: \(names)." }
      if Set(group.map(\.label)).count > 1 { return "The same image has several labels: \(names)." }
      return nil
    }
  }
}
