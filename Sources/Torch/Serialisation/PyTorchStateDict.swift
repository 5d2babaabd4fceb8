public import Foundation

/// The tensors of a PyTorch file (`.pth`, `.pt`), read without running the code that its pickle may hold.
///
/// Both formats of `torch.save` are read: the zip file and the one from before PyTorch 1.6. Views (transposed, sliced,
/// expanded tensors, shared storages) become contiguous arrays.
///
/// Nested dictionaries, lists and tuples are joined by dots: `{"generator": {"conv.weight": t}}` holds
/// `generator.conv.weight`, `[{"weight": t}]` holds `0.weight`. Parameters count as tensors. Anything else is not read, but
/// listed in `ignored`; a list or tuple of plain values is one entry there.
public struct PyTorchStateDict: Sendable {
  /// Which part of a checkpoint to read.
  public enum Root: Sendable, Equatable {
    /// The first of the dictionaries `state_dict`, `model_state_dict` and `model` that the file has, else everything.
    case automatic
    /// Everything, under its full dotted name.
    case everything
    /// The dictionary under this key.
    case key(String)
  }

  /// The file's path as it was given.
  public let path: String
  /// The tensors in the order of the file, at least one.
  public let arrays: [StoredArray]
  /// Dotted names of the entries that are no tensors, such as an epoch, in the order of the file.
  public let ignored: [String]

  /// Reads a file written by `torch.save`.
  /// - Parameter root: the dictionary to read; names start below it.
  /// - Throws: `SerialisationError` when the file is missing or damaged, when its pickle asks for any name but those that
  ///   rebuild tensors (it is refused, nothing is run), or when it holds no tensors.
  public init(contentsOf url: URL, root: Root = .automatic) throws(SerialisationError) {
    try self.init(ByteReader(mapping: url), root: root)
  }

  /// Reads a file whose bytes are at hand.
  init(_ file: ByteReader, root: Root = .automatic) throws(SerialisationError) {
    path = file.path
    let container = try PyTorchContainer(file.data, path: path)
    let start = try Self.find(root, in: container.document, path: path)
    var walk = PyTorchDictionaryWalk(
      tensors: PyTorchTensorReader(
        document: container.document, storages: container.storages, path: path, fileSize: file.data.count))
    try walk.visit(start)
    guard !walk.arrays.isEmpty else { throw .unsupported(path, "holds no tensors") }
    arrays = walk.arrays
    ignored = walk.ignored
  }

  private static func find(
    _ root: Root, in document: PickleDocument, path: String
  ) throws(SerialisationError) -> PickleValue {
    guard let kind = document.object(document.root)?.kind, [.dictionary, .list, .tuple].contains(kind) else {
      throw .unsupported(path, "holds a single value instead of a dictionary of tensors")
    }
    func dictionary(_ key: String) -> PickleValue? {
      document.value(key, in: document.root).flatMap { document.items($0, .dictionary) == nil ? nil : $0 }
    }
    switch root {
    case .everything: return document.root
    case .automatic:
      return ["state_dict", "model_state_dict", "model"].lazy.compactMap(dictionary).first ?? document.root
    case .key(let key):
      guard let value = dictionary(key) else {
        throw SerialisationError(
          path: path, reason: "has no dictionary \"\(key)\"", remedy: "name one of its dictionaries or read everything")
      }
      return value
    }
  }
}

/// Visits nested dictionaries and lists and collects the tensors.
struct PyTorchDictionaryWalk {
  private(set) var arrays: [StoredArray] = []
  private(set) var ignored: [String] = []
  private var tensors: PyTorchTensorReader
  private var names: Set<String> = []
  /// Steps and letters of names that are left. A forged pickle may hold one dictionary many times over, or inside itself.
  private var allowance = 64 << 20
  private static let deepest = 64

  init(tensors: PyTorchTensorReader) {
    self.tensors = tensors
  }

  /// Collects what lies at and below a value.
  mutating func visit(_ value: PickleValue, named name: String = "", depth: Int = 0) throws(SerialisationError) {
    let document = tensors.document
    if let array = try tensors.array(value, named: name) {
      guard names.insert(name).inserted else {
        throw .unsupported(tensors.path, "has two tensors that are both called \"\(name)\" when joined by dots")
      }
      arrays.append(array)
    } else if let items = document.items(value, .dictionary) {
      for index in stride(from: 0, to: items.count, by: 2) {
        try descend(items[index + 1], label(items[index]), name, depth)
      }
    } else if let items = document.items(value, .list) ?? document.items(value, .tuple), try holdsObjects(items) {
      for (index, item) in items.enumerated() {
        try descend(item, String(index), name, depth)
      }
    } else {
      ignored.append(name)
    }
  }

  private mutating func descend(
    _ value: PickleValue, _ label: String, _ parent: String, _ depth: Int
  ) throws(SerialisationError) {
    let name = parent.isEmpty ? label : "\(parent).\(label)"
    try spend(1 + name.utf8.count)
    guard depth < Self.deepest else {
      throw .unsupported(tensors.path, "nests its dictionaries more than \(Self.deepest) deep or inside themselves")
    }
    try visit(value, named: name, depth: depth + 1)
  }

  private mutating func holdsObjects(_ items: [PickleValue]) throws(SerialisationError) -> Bool {
    try spend(items.count)
    return items.contains {
      guard case .object = $0 else { return false }
      return true
    }
  }

  private mutating func spend(_ steps: Int) throws(SerialisationError) {
    allowance -= steps
    guard allowance >= 0 else { throw .unsupported(tensors.path, "holds more entries than any set of weights") }
  }

  /// A dictionary key as part of a name.
  private func label(_ key: PickleValue) -> String {
    switch key {
    case .text(let text): text
    case .integer(let number): String(number)
    case .bool(let flag): String(flag)
    case .real(let number): String(number)
    default: "?"
    }
  }
}
