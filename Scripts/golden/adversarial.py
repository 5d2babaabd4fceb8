"""Writes the golden files of the adversarial baselines, `Tests/NormaTests/Golden/Adversarial/<case>.safetensors`.

    python Scripts/golden/adversarial.py

The networks are written with PyTorch's functions: DCGAN (Radford et al. 2016) and the residual networks of WGAN-GP (Gulrajani
et al. 2017), as GANomaly and f-AnoGAN use them.

| case | network | image side |
|---|---|---|
| `convolutional-critic`, `residual-critic` | critics with layer norm | 16 |
| `convolutional-generator`, `residual-generator` | generators with batch norm | 16 |

Keys (computed in float64, stored as float32):

    network.<name>               weights and running statistics, none at its initial value
    images, generated, shares    critics: the penalty's points lie between images and generated ones
    numbers, features            critics: of `images`
    penalty, gradient.<name>     critics: mean of (|gradient| - 1)^2, and its gradient for every weight that has one
    latents                      generators: the input
    training, evaluation         generators: images by the batch's and by running statistics
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

TARGET = Path(__file__).resolve().parents[2] / "Tests" / "NormaTests" / "Golden" / "Adversarial"
SIDE, WIDTH, LATENTS, BATCH = 16, 3, 5, 4


class Weights(dict):
    """Weights under our keys, drawn when they are first asked for."""

    def kernel(self, key: str, *shape: int) -> Tensor:
        scale = 1.5 / torch.Size(shape[1:]).numel() ** 0.5
        return self.setdefault(key, torch.randn(*shape, dtype=torch.float64) * scale)

    def vector(self, key: str, count: int, low: float, high: float) -> Tensor:
        return self.setdefault(key, torch.rand(count, dtype=torch.float64) * (high - low) + low)

    def layer_norm(self, key: str, x: Tensor) -> Tensor:
        count = x.shape[1]
        weight, bias = self.vector(f"{key}.weight", count, 0.5, 1.5), self.vector(f"{key}.bias", count, -0.5, 0.5)
        mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt() * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)

    def batch_norm(self, key: str, x: Tensor, training: bool) -> Tensor:
        count = x.shape[1]
        weight, bias = self.vector(f"{key}.weight", count, 0.5, 1.5), self.vector(f"{key}.bias", count, -0.5, 0.5)
        mean = self.vector(f"{key}.runningMean", count, -0.5, 0.5)
        variance = self.vector(f"{key}.runningVariance", count, 0.5, 1.5)
        return F.batch_norm(x, mean.clone(), variance.clone(), weight, bias, training, 0.1, 1e-5)


def convolutional_critic(w: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    x = F.leaky_relu(F.conv2d(x, w.kernel("convolutions.0.weight", WIDTH, 1, 4, 4), stride=2, padding=1), 0.2)
    x = F.conv2d(x, w.kernel("convolutions.1.weight", 2 * WIDTH, WIDTH, 4, 4), stride=2, padding=1)
    x = F.leaky_relu(w.layer_norm("norms.1", x), 0.2)
    numbers = F.conv2d(x, w.kernel("output.weight", 1, 2 * WIDTH, 4, 4), w.vector("output.bias", 1, 0.1, 0.5))
    return numbers.flatten(1), x


def convolutional_generator(w: Weights, z: Tensor, training: bool) -> Tensor:
    x = F.conv_transpose2d(z.view(BATCH, -1, 1, 1), w.kernel("convolutions.0.weight", LATENTS, 2 * WIDTH, 4, 4))
    x = F.relu(w.batch_norm("norms.0", x, training))
    x = F.conv_transpose2d(x, w.kernel("convolutions.1.weight", 2 * WIDTH, WIDTH, 4, 4), stride=2, padding=1)
    x = F.relu(w.batch_norm("norms.1", x, training))
    x = F.conv_transpose2d(x, w.kernel("convolutions.2.weight", WIDTH, 1, 4, 4), stride=2, padding=1)
    return torch.tanh(x)


def convolved(w: Weights, key: str, x: Tensor, count: int, side: int, bias: bool = True) -> Tensor:
    kernel = w.kernel(f"{key}.weight", count, x.shape[1], side, side)
    return F.conv2d(x, kernel, w.vector(f"{key}.bias", count, -0.5, 0.5) if bias else None, padding=side // 2)


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def halved(x: Tensor) -> Tensor:
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def residual_critic(w: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    x = convolved(w, "input", x, WIDTH, 3)
    for index, count in enumerate((2 * WIDTH, 4 * WIDTH)):
        key = f"blocks.{index}"
        short = convolved(w, f"{key}.shortcut", halved(x), count, 1)
        x = F.relu(w.layer_norm(f"{key}.norm1", x))
        x = convolved(w, f"{key}.convolution1", x, x.shape[1], 3, bias=False)
        x = F.relu(w.layer_norm(f"{key}.norm2", x))
        x = short + halved(convolved(w, f"{key}.convolution2", x, count, 3))
    flat = x.flatten(1)
    numbers = F.linear(flat, w.kernel("output.weight", 1, flat.shape[1]), w.vector("output.bias", 1, 0.1, 0.5))
    return numbers, x


def residual_generator(w: Weights, z: Tensor, training: bool) -> Tensor:
    inner = 4 * WIDTH
    x = F.linear(z, w.kernel("input.weight", 16 * inner, LATENTS), w.vector("input.bias", 16 * inner, -0.5, 0.5))
    x = x.view(BATCH, inner, 4, 4)
    for index, count in enumerate((2 * WIDTH, WIDTH)):
        key = f"blocks.{index}"
        short = convolved(w, f"{key}.shortcut", doubled(x), count, 1)
        x = F.relu(w.batch_norm(f"{key}.norm1", x, training))
        x = convolved(w, f"{key}.convolution1", doubled(x), count, 3, bias=False)
        x = F.relu(w.batch_norm(f"{key}.norm2", x, training))
        x = short + convolved(w, f"{key}.convolution2", x, count, 3)
    x = F.relu(w.batch_norm("norm", x, training))
    return torch.tanh(convolved(w, "output", x, 1, 3))


def write(case: str, contents: dict[str, Tensor]) -> None:
    contents = {key: value.detach().float().contiguous() for key, value in contents.items()}
    (TARGET / f"{case}.safetensors").write_bytes(save(contents))
    print(case)


def write_critic(case: str, network) -> None:
    torch.manual_seed(1)
    images, generated = torch.rand(2, BATCH, 1, SIDE, SIDE, dtype=torch.float64) * 2 - 1
    shares = torch.rand(BATCH, 1, 1, 1, dtype=torch.float64)
    weights = Weights()
    numbers, features = network(weights, images)
    for weight in weights.values():
        weight.requires_grad_()
    between = (images + shares * (generated - images)).requires_grad_()
    (slopes,) = torch.autograd.grad(network(weights, between)[0].sum(), between, create_graph=True)
    penalty = ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()
    gradients = torch.autograd.grad(penalty, list(weights.values()), allow_unused=True)
    contents = {f"network.{key}": value for key, value in weights.items()}
    contents |= {f"gradient.{key}": value for key, value in zip(weights, gradients) if value is not None}
    contents |= dict(images=images, generated=generated, shares=shares, numbers=numbers, features=features)
    write(case, contents | {"penalty": penalty})


def write_generator(case: str, network) -> None:
    torch.manual_seed(2)
    latents = torch.randn(BATCH, LATENTS, dtype=torch.float64)
    weights = Weights()
    contents = {"latents": latents, "training": network(weights, latents, True)}
    contents["evaluation"] = network(weights, latents, False)
    write(case, contents | {f"network.{key}": value for key, value in weights.items()})


def main() -> None:
    torch.set_num_threads(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    write_critic("convolutional-critic", convolutional_critic)
    write_critic("residual-critic", residual_critic)
    write_generator("convolutional-generator", convolutional_generator)
    write_generator("residual-generator", residual_generator)


if __name__ == "__main__":
    main()
