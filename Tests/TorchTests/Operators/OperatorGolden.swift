import Foundation
import Testing

@testable import Torch

/// The inputs and PyTorch's results that Scripts/golden/operators.py wrote, as `<operator>.<role>`.
struct OperatorGolden {
  private let file: SafetensorsFile

  init() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/operators.safetensors")
    file = try SafetensorsFile(contentsOf: url)
  }

  /// The operators that the file knows.
  var operators: Set<String> { Set(file.entries.map { String($0.name.prefix { $0 != "." }) }) }

  /// The tensors of one operator by role.
  subscript(name: String) -> Roles { Roles(golden: self, name: name) }

  struct Roles {
    let golden: OperatorGolden
    let name: String

    subscript(role: String) -> Tensor {
      get throws { try golden.file.array(named: "\(name).\(role)").tensor() }
    }
  }
}

/// One result of PyTorch's and how to compute it here.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  let name: String
  let role: String
  let compute: @Sendable (OperatorGolden.Roles) throws -> Tensor

  init(
    _ name: String, _ role: String = "expected", _ compute: @escaping @Sendable (OperatorGolden.Roles) throws -> Tensor
  ) {
    self.name = name
    self.role = role
    self.compute = compute
  }

  var testDescription: String { "\(name).\(role)" }

  /// The same in float64.
  var inFloat64: OperatorCase { OperatorCase("\(name)_float64", role, compute) }
}
