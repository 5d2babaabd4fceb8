import Foundation

/// The two file formats of `torch.save`, taken apart into a pickle and the bytes of the storages it refers to.
struct PyTorchContainer {
  let document: PickleDocument
  let storages: [String: Data]

  /// The number that opens files from before PyTorch 1.6, 0x1950A86A20F9469CFC6C.
  private static let legacyMagic = PickleValue.longInteger(
    Data([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]))

  /// Recognises the format by the first bytes.
  init(_ data: Data, path: String) throws(SerialisationError) {
    if data.starts(with: [0x50, 0x4B]) {
      try self.init(archive: ZipArchive(data, path: path), path: path)
    } else if data.first == 0x80 {
      try self.init(legacy: ByteReader(data, path: path))
    } else {
      throw SerialisationError(
        path: path, reason: "is no file written by torch.save",
        remedy: "check that it is a .pth or .pt file and that it was copied whole")
    }
  }

  /// The format since PyTorch 1.6: a zip file with `NAME/data.pkl` and one record `NAME/data/KEY` per storage.
  private init(archive: ZipArchive, path: String) throws(SerialisationError) {
    guard let record = archive.names.first(where: { $0.hasSuffix("/data.pkl") }),
      let pickle = try archive.contents(of: record)
    else { throw .unsupported(path, "is a zip file, but not one written by torch.save") }
    let folder = record.dropLast("data.pkl".count)
    guard try archive.contents(of: "\(folder)constants.pkl") == nil else {
      throw .unsupported(path, "is a TorchScript archive, which holds code")
    }
    if let order = try archive.contents(of: "\(folder)byteorder"), order.text != "little" {
      throw .unsupported(path, "was saved on a big-endian computer")
    }
    var reader = ByteReader(pickle, path: path)
    document = try PickleMachine.read(&reader)
    var storages: [String: Data] = [:]
    for (key, storage) in try Self.references(in: document, path: path) {
      guard let bytes = try archive.contents(of: "\(folder)data/\(key)") else {
        throw .damaged(path, "lacks the record data/\(key) of a storage")
      }
      guard bytes.count == storage.byteCount else {
        throw .damaged(path, "has \(bytes.count) bytes in data/\(key), which do not fit \(storage.count) elements")
      }
      storages[key] = bytes
    }
    self.storages = storages
  }

  /// The format before PyTorch 1.6: five pickles (magic number, version, system, data, keys of the storages), then each
  /// storage's number of elements and bytes.
  private init(legacy reader: ByteReader) throws(SerialisationError) {
    var reader = reader
    let path = reader.path
    guard try PickleMachine.read(&reader).root == Self.legacyMagic,
      try PickleMachine.read(&reader).root == .integer(1001)
    else { throw .unsupported(path, "is a pickle, but not one written by torch.save") }
    let system = try PickleMachine.read(&reader)
    guard system.value("little_endian", in: system.root) == .bool(true) else {
      throw .unsupported(path, "was saved on a big-endian computer")
    }
    document = try PickleMachine.read(&reader)
    let keys = try PickleMachine.read(&reader)
    let references = try Self.references(in: document, path: path)
    var storages: [String: Data] = [:]
    for value in keys.items(keys.root, .list) ?? [] {
      guard case .text(let key) = value, let storage = references[key], let byteCount = storage.byteCount,
        storages[key] == nil, try reader.integer(Int64.self) == storage.count
      else { throw .damaged(path, "lists a storage that its tensors do not describe") }
      storages[key] = try reader.bytes(byteCount)
    }
    self.storages = storages
  }

  /// Every storage that the pickle refers to, by key.
  private static func references(
    in document: PickleDocument, path: String
  ) throws(SerialisationError) -> [String: PyTorchStorageReference] {
    var references: [String: PyTorchStorageReference] = [:]
    for object in document.objects where object.kind == .persistent {
      guard let storage = PyTorchStorageReference(object.items, in: document) else {
        throw .unsupported(path, "refers to outside data that is no storage of tensors")
      }
      if let known = references[storage.key], known.dtype != storage.dtype || known.count != storage.count {
        throw .unsupported(path, "uses storage \(storage.key) with two element types or sizes")
      }
      references[storage.key] = storage
    }
    return references
  }
}
