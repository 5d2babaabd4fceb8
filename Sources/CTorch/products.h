// oneDNN's matrix product, which libtorch brings along for its compiler.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string_view>

namespace norma {

// Whether this libtorch has it.
bool has_onednn_product();

// a · bᵀ + bias, then a function of each element; a is [..., k], dense row by row, b is [n, k]. Not recorded.
at::Tensor onednn_product(const at::Tensor &a, const at::Tensor &b, const std::optional<at::Tensor> &bias = std::nullopt,
                          std::string_view function = "none");

}  // namespace norma
