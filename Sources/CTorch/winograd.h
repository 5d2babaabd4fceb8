// 3×3 convolutions by Winograd's minimal filtering, where they are large enough to gain by it (winograd_kernel.h).
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace norma {

// Whether an image [N, C, H, W] and a kernel [out, C, 3, 3] of stride 1 and padding 1 are worth it, on this processor.
bool suits_winograd(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias);

// The maps [N, out, H, W], channels last in memory. Recorded; gradients of gradients are libtorch's.
at::Tensor winograd_convolution(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias);

// ReLU(convolution + other maps of the same shape); not recorded.
at::Tensor winograd_rectified(const at::Tensor &input, const at::Tensor &kernel, const std::optional<at::Tensor> &bias,
                              const std::optional<at::Tensor> &added);

}  // namespace norma
