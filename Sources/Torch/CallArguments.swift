import CTorch

/// Lends a list of integers to a C call.
func withInts<Result>(_ values: [Int], _ body: (ct_ints) throws(TorchError) -> Result) throws(TorchError) -> Result {
  let wide = values.map(Int64.init)
  return try wide.withUnsafeBufferPointer { buffer throws(TorchError) in
    try body(ct_ints(values: buffer.baseAddress, count: buffer.count))
  }
}

/// Lends a list of tensors to a C call and keeps them alive through it.
func withTensors<Result>(
  _ tensors: [Tensor], _ body: (ct_tensors) throws(TorchError) -> Result
) throws(TorchError) -> Result {
  let handles: [ct_tensor?] = tensors.map(\.raw)
  defer { withExtendedLifetime(tensors) {} }
  return try handles.withUnsafeBufferPointer { buffer throws(TorchError) in
    try body(ct_tensors(values: buffer.baseAddress, count: buffer.count))
  }
}
