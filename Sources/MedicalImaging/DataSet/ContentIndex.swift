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
  }

  /// One entry per item, in the items' order.
  public let entries: [Entry]

  /// Reads every file once, and of a folder of slices all that lie in it. A file that cannot be read stays in the index
  /// without a hash.
  /// - Parameter workers: how many files are read at a time; nil means one per processor.
  /// - Throws: `CancellationError` when the task is cancelled.
  public init(of items: [DataItem], workers: Int? = nil) async throws(CancellationError) {
    entries = try await concurrentMap(items, workers: workers) { item in
      var (size, hash) = (0, ContentHash())
      do {
        for path in try FileContents.paths(item.path) {
          let content = try FileContents.content(of: path)
          content.withUnsafeBytes { hash.add($0) }
          size += content.count
        }
      } catch { return Entry(item: item, size: 0, hash: nil) }
      return Entry(item: item, size: size, hash: hash)
    }
  }

  /// 16 hexadecimal digits that change with any name, size or content, and not with the order, the splits or the place
  /// where the data lies: FNV-1a over the lines `name`, zero byte, `size`, zero byte, `hash` or `unreadable`, line feed,
  /// sorted.
  public var fingerprint: String {
    var hash = ContentHash()
    let lines = entries.map { "\($0.item.name)\0\($0.size)\0\($0.hash?.description ?? "unreadable")\n" }
    for line in lines.sorted() { hash.add(line.utf8) }
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
