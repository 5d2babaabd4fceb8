"""Writes `Tests/TorchTests/Golden/operators.safetensors`: inputs and PyTorch's outputs, operator by operator.

    python Scripts/golden/operators.py

Keys are `<operator>.<role>`. Everything is float32, indices int64, except the operators named `<operator>_float64`
(those of FLOAT64), the optimisers and the schedules, which are float64. Where nothing else is said, the roles are
`input` and `expected`, and arguments not mentioned have PyTorch's defaults.

    conv2d, conv3d                  + weight, bias; stride 2, padding 1
    conv_transpose2d, ..3d          + weight, bias; stride 2, padding 1, output padding 1
    batch_norm                      + weight, bias, running_mean, running_var (before); expected (training),
                                    running_mean_after, running_var_after; expected_evaluation (from the ones before)
    group_norm                      + weight, bias; 2 groups
    layer_norm                      + weight, bias; over the last axis
    bilinear_up, bilinear_down      to 7 x 9, to 3 x 4; align_corners false, as below
    bilinear_antialias_up, .._down  the same, antialiased
    bicubic_antialias_down          to 3 x 4, antialiased
    nearest                         to 7 x 9
    trilinear                       to 5 x 7 x 6
    grid_sample                     + grid; bilinear, zeros outside
    affine_grid                     theta, expected; for [2, 3, 4, 5]
    unfold                          kernel 3, padding 1
    scaled_dot_product_attention    query, key, value, expected, expected_causal
    multihead_attention             query, key, value, in_proj_weight, in_proj_bias, out_proj_weight, out_proj_bias,
                                    expected, expected_weights (mean over heads); 4 heads, axes [length, batch, width]
    adaptive_avg_pool2d             to 3 x 2
    avg_pool2d, max_pool2d          kernel 3, stride 2, padding 1 (average: padding counted)
    gelu, gelu_tanh                 by the error function; by the tanh approximation
    leaky_relu                      slope 0.2
    softmax, cumsum                 along axis 1
    topk                            input, expected_values, expected_indices; 3 largest along the last axis
    gather                          + index; along axis 1
    scatter                         + index, source; along axis 1
    einsum                          features, items, expected; "bgc,gmc->bgm"
    embedding                       input (indices), weight, expected
    bce_with_logits, mse, l1, smooth_l1, cross_entropy
                                    + target; mean; cross entropy over axis 1 with class indices
    adam, adamw                     initial [6], gradients [5, 6], expected [5, 6] (after each step); rate 0.01,
                                    betas 0.5 and 0.999, eps 1e-7, weight decay 0.1 (coupled in adam)
    multi_step, cosine, linear_warm_up
                                    expected [10]: rates of epochs 0 to 9 from rate 0.1; milestones 3 and 6, gamma 0.2;
                                    T_max 4, floor 0.01; from a tenth to the whole in 5 epochs
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

TARGET = Path(__file__).resolve().parents[2] / "Tests" / "TorchTests" / "Golden" / "operators.safetensors"
FLOAT64 = ("conv2d", "batch_norm", "layer_norm", "softmax", "scaled_dot_product_attention")

Values = dict[str, Tensor]
"""Role to tensor."""


def convolution(operator, input_shape: tuple[int, ...], weight_shape: tuple[int, ...], outputs: int, **arguments):
    input, weight, bias = torch.randn(input_shape), torch.randn(weight_shape), torch.randn(outputs)
    expected = operator(input, weight, bias, stride=2, padding=1, **arguments)
    return {"input": input, "weight": weight, "bias": bias, "expected": expected}


def conv2d() -> Values:
    return convolution(F.conv2d, (2, 3, 7, 6), (4, 3, 3, 3), 4)


def conv3d() -> Values:
    return convolution(F.conv3d, (2, 2, 5, 6, 4), (3, 2, 3, 3, 3), 3)


def conv_transpose2d() -> Values:
    return convolution(F.conv_transpose2d, (2, 3, 4, 3), (3, 4, 3, 3), 4, output_padding=1)


def conv_transpose3d() -> Values:
    return convolution(F.conv_transpose3d, (2, 2, 3, 2, 4), (2, 3, 3, 3, 3), 3, output_padding=1)


def batch_norm() -> Values:
    input, weight, bias = torch.randn(4, 3, 5, 6) * 2 + 1, torch.randn(3), torch.randn(3)
    mean, variance = torch.randn(3), torch.rand(3) + 0.5
    mean_after, variance_after = mean.clone(), variance.clone()
    return {
        "input": input,
        "weight": weight,
        "bias": bias,
        "running_mean": mean,
        "running_var": variance,
        "expected_evaluation": F.batch_norm(input, mean, variance, weight, bias),
        "expected": F.batch_norm(input, mean_after, variance_after, weight, bias, training=True),
        "running_mean_after": mean_after,
        "running_var_after": variance_after,
    }


def group_norm() -> Values:
    input, weight, bias = torch.randn(2, 6, 4, 3), torch.randn(6), torch.randn(6)
    return {"input": input, "weight": weight, "bias": bias, "expected": F.group_norm(input, 2, weight, bias)}


def layer_norm() -> Values:
    input, weight, bias = torch.randn(2, 5, 8), torch.randn(8), torch.randn(8)
    return {"input": input, "weight": weight, "bias": bias, "expected": F.layer_norm(input, (8,), weight, bias)}


def elementwise(operator, shape: tuple[int, ...] = (3, 8)) -> Values:
    """An operator of one random tensor."""
    input = torch.randn(shape) * 2
    return {"input": input, "expected": operator(input)}


def resized(size: tuple[int, ...], mode: str, antialias: bool = False) -> Values:
    shape = (2, 2, 5, 6) if len(size) == 2 else (1, 2, 3, 5, 4)
    align_corners = None if mode == "nearest" else False
    return elementwise(
        lambda input: F.interpolate(input, size, mode=mode, align_corners=align_corners, antialias=antialias), shape
    )


def grid_sample() -> Values:
    input, grid = torch.randn(2, 3, 5, 6), torch.rand(2, 4, 3, 2) * 2.6 - 1.3
    return {"input": input, "grid": grid, "expected": F.grid_sample(input, grid, align_corners=False)}


def affine_grid() -> Values:
    theta = torch.randn(2, 2, 3)
    return {"theta": theta, "expected": F.affine_grid(theta, [2, 3, 4, 5], align_corners=False)}


def scaled_dot_product_attention() -> Values:
    query, key, value = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 6)
    return {
        "query": query,
        "key": key,
        "value": value,
        "expected": F.scaled_dot_product_attention(query, key, value),
        "expected_causal": F.scaled_dot_product_attention(query, key, value, is_causal=True),
    }


def multihead_attention() -> Values:
    attention = nn.MultiheadAttention(8, num_heads=4)
    for parameter in attention.parameters():
        nn.init.normal_(parameter)
    query, key, value = torch.randn(3, 2, 8), torch.randn(5, 2, 8), torch.randn(5, 2, 8)
    expected, weights = attention(query, key, value)
    return {
        "query": query,
        "key": key,
        "value": value,
        "in_proj_weight": attention.in_proj_weight,
        "in_proj_bias": attention.in_proj_bias,
        "out_proj_weight": attention.out_proj.weight,
        "out_proj_bias": attention.out_proj.bias,
        "expected": expected,
        "expected_weights": weights,
    }


def topk() -> Values:
    input = torch.randn(4, 9)
    values, indices = input.topk(3)
    return {"input": input, "expected_values": values, "expected_indices": indices}


def gather() -> Values:
    input, index = torch.randn(3, 5), torch.randint(5, (3, 4))
    return {"input": input, "index": index, "expected": input.gather(1, index)}


def scatter() -> Values:
    input, source = torch.randn(3, 6), torch.randn(3, 4)
    index = torch.stack([torch.randperm(6)[:4] for _ in range(3)])
    return {"input": input, "index": index, "source": source, "expected": input.scatter(1, index, source)}


def einsum() -> Values:
    features, items = torch.randn(2, 4, 5), torch.randn(4, 6, 5)
    return {"features": features, "items": items, "expected": torch.einsum("bgc,gmc->bgm", features, items)}


def embedding() -> Values:
    input, weight = torch.randint(7, (2, 4)), torch.randn(7, 3)
    return {"input": input, "weight": weight, "expected": F.embedding(input, weight)}


def loss(operator, target: Tensor) -> Values:
    """A mean loss of a random tensor with the shape of `target`, or with 5 classes for indices."""
    input = torch.randn_like(target) * 2 if target.is_floating_point() else torch.randn(len(target), 5, target.shape[1])
    return {"input": input, "target": target, "expected": operator(input, target)}


def trajectory(optimiser_type) -> Values:
    """Five steps of an optimiser along given gradients."""
    parameter = nn.Parameter(torch.randn(6, dtype=torch.float64))
    initial, gradients = parameter.detach().clone(), torch.randn(5, 6, dtype=torch.float64)
    optimiser = optimiser_type([parameter], lr=0.01, betas=(0.5, 0.999), eps=1e-7, weight_decay=0.1)
    steps = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimiser.step()
        steps.append(parameter.detach().clone())
    return {"initial": initial, "gradients": gradients, "expected": torch.stack(steps)}


def schedule(scheduler_type, **arguments) -> Values:
    """The learning rates of ten epochs."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = scheduler_type(optimiser, **arguments)
    rates = []
    for _ in range(10):
        rates += scheduler.get_last_lr()
        optimiser.step()
        scheduler.step()
    return {"expected": torch.tensor(rates, dtype=torch.float64)}


OPERATORS = {
    "conv2d": conv2d,
    "conv3d": conv3d,
    "conv_transpose2d": conv_transpose2d,
    "conv_transpose3d": conv_transpose3d,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "bilinear_up": lambda: resized((7, 9), "bilinear"),
    "bilinear_down": lambda: resized((3, 4), "bilinear"),
    "bilinear_antialias_up": lambda: resized((7, 9), "bilinear", antialias=True),
    "bilinear_antialias_down": lambda: resized((3, 4), "bilinear", antialias=True),
    "bicubic_antialias_down": lambda: resized((3, 4), "bicubic", antialias=True),
    "nearest": lambda: resized((7, 9), "nearest"),
    "trilinear": lambda: resized((5, 7, 6), "trilinear"),
    "grid_sample": grid_sample,
    "affine_grid": affine_grid,
    "unfold": lambda: elementwise(lambda input: F.unfold(input, 3, padding=1), (2, 3, 4, 5)),
    "scaled_dot_product_attention": scaled_dot_product_attention,
    "multihead_attention": multihead_attention,
    "adaptive_avg_pool2d": lambda: elementwise(lambda input: F.adaptive_avg_pool2d(input, (3, 2)), (2, 3, 7, 5)),
    "avg_pool2d": lambda: elementwise(lambda input: F.avg_pool2d(input, 3, 2, 1), (2, 3, 7, 6)),
    "max_pool2d": lambda: elementwise(lambda input: F.max_pool2d(input, 3, 2, 1), (2, 3, 7, 6)),
    "gelu": lambda: elementwise(F.gelu),
    "gelu_tanh": lambda: elementwise(lambda input: F.gelu(input, approximate="tanh")),
    "leaky_relu": lambda: elementwise(lambda input: F.leaky_relu(input, 0.2)),
    "softmax": lambda: elementwise(lambda input: input.softmax(1), (3, 8, 2)),
    "cumsum": lambda: elementwise(lambda input: input.cumsum(1), (3, 8, 2)),
    "topk": topk,
    "gather": gather,
    "scatter": scatter,
    "einsum": einsum,
    "embedding": embedding,
    "bce_with_logits": lambda: loss(F.binary_cross_entropy_with_logits, torch.rand(4, 3)),
    "mse": lambda: loss(F.mse_loss, torch.randn(4, 3)),
    "l1": lambda: loss(F.l1_loss, torch.randn(4, 3)),
    "smooth_l1": lambda: loss(F.smooth_l1_loss, torch.randn(4, 3)),
    "cross_entropy": lambda: loss(F.cross_entropy, torch.randint(5, (4, 3))),
    "adam": lambda: trajectory(torch.optim.Adam),
    "adamw": lambda: trajectory(torch.optim.AdamW),
    "multi_step": lambda: schedule(torch.optim.lr_scheduler.MultiStepLR, milestones=[3, 6], gamma=0.2),
    "cosine": lambda: schedule(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=4, eta_min=0.01),
    "linear_warm_up": lambda: schedule(torch.optim.lr_scheduler.LinearLR, start_factor=0.1, total_iters=5),
}


def values(name: str, prefix: str, dtype: torch.dtype) -> Values:
    """The keyed tensors of one operator, from a seed of its own."""
    torch.manual_seed(list(OPERATORS).index(name))
    torch.set_default_dtype(dtype)
    return {f"{prefix}.{role}": value.detach().contiguous() for role, value in OPERATORS[name]().items()}


def main() -> None:
    torch.set_num_threads(1)
    tensors: Values = {}
    for name in OPERATORS:
        tensors |= values(name, name, torch.float32)
    for name in FLOAT64:
        tensors |= values(name, f"{name}_float64", torch.float64)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(save(tensors))


if __name__ == "__main__":
    main()
