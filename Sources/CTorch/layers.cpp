// What networks are made of.
#include <cmath>

#include "handles.h"

using namespace norma;

ct_status ct_instance_norm(ct_tensor a, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                           ct_tensor *out) {
  return made(out, [&] {
    return at::instance_norm(a->value, optional(weight_or_null), optional(bias_or_null), {}, {},
                             /*use_input_stats=*/true, /*momentum=*/0.1, epsilon, /*cudnn_enabled=*/true);
  });
}

ct_status ct_layer_norm(ct_tensor a, ct_ints shape, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                        ct_tensor *out) {
  return made(out, [&] {
    return at::layer_norm(a->value, ints(shape), optional(weight_or_null), optional(bias_or_null), epsilon);
  });
}

ct_status ct_group_norm(ct_tensor a, int64_t groups, ct_tensor weight_or_null, ct_tensor bias_or_null, double epsilon,
                        ct_tensor *out) {
  return made(out, [&] {
    return at::group_norm(a->value, groups, optional(weight_or_null), optional(bias_or_null), epsilon);
  });
}

ct_status ct_embedding(ct_tensor weight, ct_tensor indices, ct_tensor *out) {
  return made(out, [&] { return at::embedding(weight->value, indices->value); });
}

ct_status ct_max_pool(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out) {
  return made(out, [&] {
    return kernel.count == 3 ? at::max_pool3d(a->value, ints(kernel), ints(stride), ints(padding))
                             : at::max_pool2d(a->value, ints(kernel), ints(stride), ints(padding));
  });
}

ct_status ct_average_pool(ct_tensor a, ct_ints kernel, ct_ints stride, ct_ints padding, ct_tensor *out) {
  return made(out, [&] {
    return kernel.count == 3 ? at::avg_pool3d(a->value, ints(kernel), ints(stride), ints(padding))
                             : at::avg_pool2d(a->value, ints(kernel), ints(stride), ints(padding));
  });
}

ct_status ct_adaptive_average_pool(ct_tensor a, ct_ints size, ct_tensor *out) {
  return made(out, [&] {
    return size.count == 3 ? at::adaptive_avg_pool3d(a->value, ints(size))
                           : at::adaptive_avg_pool2d(a->value, ints(size));
  });
}

ct_status ct_interpolate(ct_tensor a, ct_ints size, const char *mode, bool antialias, ct_tensor *out) {
  return made(out, [&]() -> at::Tensor {
    std::string name(mode);
    bool volume = size.count == 3;
    TORCH_CHECK(a->value.dim() == static_cast<int64_t>(size.count) + 2, "a tensor of ", a->value.dim(),
                " axes cannot be resized to ", size.count, " extents");
    TORCH_CHECK(!antialias || (!volume && name != "nearest"), "antialiasing is for bilinear and bicubic in 2-D");
    if (name == "nearest")
      return volume ? at::upsample_nearest3d(a->value, ints(size)) : at::upsample_nearest2d(a->value, ints(size));
    if (name == "linear" && volume) return at::upsample_trilinear3d(a->value, ints(size), false);
    if (name == "linear")
      return antialias ? at::_upsample_bilinear2d_aa(a->value, ints(size), false)
                       : at::upsample_bilinear2d(a->value, ints(size), false);
    TORCH_CHECK(name == "cubic" && !volume, "interpolation ", name, " does not exist in ", size.count, "-D");
    return antialias ? at::_upsample_bicubic2d_aa(a->value, ints(size), false)
                     : at::upsample_bicubic2d(a->value, ints(size), false);
  });
}

ct_status ct_affine_grid(ct_tensor theta, ct_ints size, ct_tensor *out) {
  return made(out, [&] { return at::affine_grid_generator(theta->value, ints(size), /*align_corners=*/false); });
}

ct_status ct_grid_sample(ct_tensor a, ct_tensor grid, const char *mode, const char *padding, ct_tensor *out) {
  return made(out, [&] {
    std::string interpolation(mode), outside(padding);
    int64_t how = interpolation == "linear" ? 0 : interpolation == "nearest" ? 1 : 2;
    int64_t edge = outside == "zeros" ? 0 : outside == "border" ? 1 : 2;
    return at::grid_sampler(a->value, grid->value, how, edge, /*align_corners=*/false);
  });
}
