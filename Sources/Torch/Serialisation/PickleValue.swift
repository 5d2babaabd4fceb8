import Foundation

/// What a pickle builds. Compound values live in the document's `objects` and are referred to by index: pickles may share
/// them, nest them without limit and make them contain themselves, and none of this can recurse here.
enum PickleValue: Sendable, Equatable {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than 64 bits, little-endian two's complement.
  case longInteger(Data)
  case real(Double)
  case text(String)
  case bytes(Data)
  case global(PickleGlobal)
  case object(Int)
}

/// A compound value of a pickle.
struct PickleObject: Sendable {
  enum Kind: Sendable, Equatable {
    case tuple
    /// A list or a set.
    case list
    /// Items alternate: key, value, key, value.
    case dictionary
    /// A function that the pickle wants called; items are the arguments. Nothing is called: the reader of tensors
    /// understands the few that it allows.
    case call(PickleGlobal)
    /// A reference to data outside the pickle; items are its parts.
    case persistent
  }

  var kind: Kind
  var items: [PickleValue]
}

/// A pickle that has been read.
struct PickleDocument: Sendable {
  let root: PickleValue
  let objects: [PickleObject]

  /// The object that a value refers to; nil for simple values.
  func object(_ value: PickleValue) -> PickleObject? {
    guard case .object(let index) = value else { return nil }
    return objects[index]
  }

  /// The items of a value of that kind, else nil.
  func items(_ value: PickleValue, _ kind: PickleObject.Kind) -> [PickleValue]? {
    guard let object = object(value), object.kind == kind else { return nil }
    return object.items
  }

  /// The value under a text key of a dictionary, nil when either is missing.
  func value(_ key: String, in dictionary: PickleValue) -> PickleValue? {
    guard let items = items(dictionary, .dictionary) else { return nil }
    return stride(from: 0, to: items.count, by: 2).first { items[$0] == .text(key) }.map { items[$0 + 1] }
  }
}

/// The only Python names that a pickle may use. Any other ends the reading: it could stand for any code.
enum PickleGlobal: Sendable, Equatable {
  case orderedDictionary
  /// `torch._utils._rebuild_tensor(storage, offset, size, stride)`
  case rebuildTensor
  /// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`
  case rebuildTensorV2
  /// `torch._utils._rebuild_parameter(data, requires_grad, hooks)`
  case rebuildParameter
  /// A storage class; nil where it has no element type.
  case storage(ArrayDType?)
  case size
  case layout
  /// An element type as a value of its own, for example `torch.float32`.
  case elementType

  /// Nil for every name that is not allowed.
  init?(module: String, name: String) {
    switch "\(module).\(name)" {
    case "collections.OrderedDict": self = .orderedDictionary
    case "torch._utils._rebuild_tensor": self = .rebuildTensor
    case "torch._utils._rebuild_tensor_v2": self = .rebuildTensorV2
    case "torch._utils._rebuild_parameter": self = .rebuildParameter
    case "torch.Size": self = .size
    case "torch.serialization._get_layout": self = .layout
    case "torch.DoubleStorage": self = .storage(.float64)
    case "torch.FloatStorage": self = .storage(.float32)
    case "torch.HalfStorage": self = .storage(.float16)
    case "torch.BFloat16Storage": self = .storage(.bfloat16)
    case "torch.LongStorage": self = .storage(.int64)
    case "torch.IntStorage": self = .storage(.int32)
    case "torch.ShortStorage": self = .storage(.int16)
    case "torch.CharStorage": self = .storage(.int8)
    case "torch.ByteStorage": self = .storage(.uint8)
    case "torch.BoolStorage": self = .storage(.bool)
    case "torch.storage.UntypedStorage", "torch.storage.TypedStorage": self = .storage(nil)
    case "torch.float64", "torch.float32", "torch.float16", "torch.bfloat16", "torch.int64", "torch.int32",
      "torch.int16",
      "torch.int8", "torch.uint8", "torch.bool":
      self = .elementType
    default: return nil
    }
  }
}
