import Foundation

/// A storage as a pickle refers to it: `('storage', class, key, location, count)`, and in older files a view into it.
struct PyTorchStorageReference: Equatable {
  let key: String
  let dtype: ArrayDType?
  /// Elements of the whole storage.
  let count: Int
  /// The part that is meant, in elements: all of it, but for views of old files.
  let view: Range<Int>

  /// Bytes of the whole storage; nil when out of range.
  var byteCount: Int? { (dtype ?? .uint8).byteCount(of: [count]) }

  /// Reads the parts of a persistent reference; nil when they are not those of a storage.
  init?(_ parts: [PickleValue], in document: PickleDocument) {
    guard parts.count >= 5, parts[0] == .text("storage"), case .global(.storage(let dtype)) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
    else { return nil }
    self.key = key
    self.dtype = dtype
    self.count = count
    guard parts.count > 5, parts[5] != .none else {
      view = 0..<count
      return
    }
    guard let window = document.items(parts[5], .tuple), window.count == 3, case .integer(let offset) = window[1],
      case .integer(let length) = window[2], offset >= 0, offset <= count, length >= 0, length <= count - offset
    else { return nil }
    view = offset..<offset + length
  }
}

/// Turns the calls that rebuild tensors, as a pickle spells them, into arrays.
struct PyTorchTensorReader {
  let document: PickleDocument
  /// The bytes of each storage by its key.
  let storages: [String: Data]
  let path: String
  /// Bytes that may still be copied. Views can be far larger than their storage (stride 0), so a small forged file could
  /// ask for any amount of memory.
  private var allowance: Int

  init(document: PickleDocument, storages: [String: Data], path: String, fileSize: Int) {
    self.document = document
    self.storages = storages
    self.path = path
    allowance = 4 * fileSize + (256 << 20)
  }

  /// The array that a value stands for; nil when the value is no tensor.
  /// - Throws: `SerialisationError` when the tensor is of an unsupported kind or does not fit its storage.
  mutating func array(_ value: PickleValue, named name: String) throws(SerialisationError) -> StoredArray? {
    guard let object = document.object(value), case .call(let function) = object.kind else { return nil }
    switch function {
    case .rebuildTensor, .rebuildTensorV2: return try tensor(object.items, named: name)
    case .rebuildParameter:
      guard let data = object.items.first, let inner = document.object(data),
        [.call(.rebuildTensor), .call(.rebuildTensorV2)].contains(inner.kind)
      else { throw .damaged(path, "has a parameter \"\(name)\" that wraps no tensor") }
      return try tensor(inner.items, named: name)
    default: return nil
    }
  }

  private mutating func tensor(_ parts: [PickleValue], named name: String) throws(SerialisationError) -> StoredArray {
    guard parts.count >= 4, let reference = document.items(parts[0], .persistent),
      let storage = PyTorchStorageReference(reference, in: document), let bytes = storages[storage.key],
      case .integer(let offset) = parts[1], let shape = integers(parts[2]), let strides = integers(parts[3])
    else { throw .damaged(path, "describes tensor \"\(name)\" incompletely") }
    guard let dtype = storage.dtype else {
      throw .unsupported(path, "stores tensor \"\(name)\" without an element type")
    }
    if parts.count > 6, let flags = document.items(parts[6], .dictionary), !flags.isEmpty {
      throw .unsupported(path, "stores tensor \"\(name)\" as a negated or conjugated view")
    }
    let view = StridedView(shape: shape, strides: strides, offset: offset, width: dtype.width)
    guard view.fits(storage.view.count), let count = dtype.byteCount(of: shape) else {
      throw .damaged(
        path,
        "has tensor \"\(name)\" of shape \(shape), strides \(strides) and offset \(offset) reach beyond "
          + "its storage of \(storage.view.count) elements")
    }
    let start = bytes.startIndex + storage.view.lowerBound * dtype.width
    let window = bytes[start..<start + storage.view.count * dtype.width]
    if view.isContiguous {
      let first = window.startIndex + offset * dtype.width
      return StoredArray(name: name, dtype: dtype, shape: shape, data: window[first..<first + count])
    }
    guard count <= allowance else {
      throw .unsupported(path, "has tensor \"\(name)\" expanded to \(count) bytes, far more than the file")
    }
    allowance -= count
    return StoredArray(name: name, dtype: dtype, shape: shape, data: view.gathered(from: window))
  }

  /// A tuple of integers, plain or as a `torch.Size`.
  private func integers(_ value: PickleValue) -> [Int]? {
    var items = document.items(value, .tuple)
    if let size = document.items(value, .call(.size)), let inner = size.first {
      items = document.items(inner, .tuple)
    }
    guard let items else { return nil }
    var result: [Int] = []
    for case .integer(let extent) in items { result.append(extent) }
    return result.count == items.count ? result : nil
  }
}
