"""Writes the golden files of the baselines that reconstruct, `Tests/NormaTests/Golden/Reconstruction/<case>.safetensors`.

    python Scripts/golden/reconstruction.py

The networks are built of PyTorch's own layers, after the papers:

| case | what | input |
|---|---|---|
| `memae` | MemAE (Gong et al. 2019, arXiv 1904.02639, section 3 and 4.1): loss mse + 0.01 * entropy | [3, 1, 16, 16] |
| `vae` | the dense network of autoencoder.py with distributions; loss: negative lower bound per pixel, beta 2 | [3, 1, 32, 32] |
| `unet` | the U-Net of Kascenas et al. 2022; loss mse | [2, 1, 16, 16] |

Keys (computed in float64, stored as float32 unless said):

    network.<name>      weights and running statistics, none at its initial value
    images              the input, in [-1, 1]
    output              what the network makes of it in training
    loss                []  float64
    gradient.<name>     of the loss, for every weight
    memae: weights      [B * h * w, N] after shrinkage     entropy  [] float64, torch.distributions
    vae: noise          [B, C] standard normal
         divergence     [B] float64, torch.distributions   density  [B, 1, H, W] log density, torch.distributions
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from autoencoder import Autoencoder
from autoencoder import ours as autoencoder_key
from safetensors.torch import save
from torch import Tensor, nn
from torch.distributions import Categorical, Normal, kl_divergence

TARGET = Path(__file__).resolve().parents[2] / "Tests" / "NormaTests" / "Golden" / "Reconstruction"


class MemAE(nn.Module):
    """Strided convolutions, each with batch norm and ReLU, a memory read by cosine, transposed convolutions."""

    def __init__(self, channels=(4, 8, 12), items=10, kernel=3):
        super().__init__()
        settings = dict(kernel_size=kernel, stride=2, padding=kernel // 2)

        def block(layer: nn.Module, width: int) -> nn.Sequential:
            return nn.Sequential(layer, nn.BatchNorm2d(width), nn.ReLU())

        ways = list(zip((1, *channels), channels))
        self.encoder = nn.ModuleList(block(nn.Conv2d(a, b, bias=False, **settings), b) for a, b in ways)
        self.items = nn.Parameter(torch.rand(items, channels[-1]) - 0.3)
        back = (channels[-1], *reversed(channels))[: len(channels)]
        self.decoder = nn.ModuleList(
            block(nn.ConvTranspose2d(a, b, bias=False, output_padding=1, **settings), b) for a, b in zip(back, back[1:])
        )
        self.output = nn.ConvTranspose2d(back[-1], 1, output_padding=1, **settings)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = images
        for layer in self.encoder:
            features = layer(features)
        batch, width, height, breadth = features.shape
        queries = features.flatten(2).transpose(1, 2).reshape(-1, width)
        similarity = F.cosine_similarity(queries[:, None], self.items[None], dim=-1)
        soft = torch.exp(similarity) / torch.exp(similarity).sum(1, keepdim=True)
        kept = torch.where(soft > 1 / len(self.items), soft, torch.zeros_like(soft))
        weights = kept / kept.sum(1, keepdim=True)
        features = (weights @ self.items).reshape(batch, height, breadth, width).permute(0, 3, 1, 2)
        for layer in self.decoder:
            features = layer(features)
        return self.output(features), weights


def memae_key(name: str) -> str:
    return "memory.items" if name == "items" else autoencoder_key(name)


class StandardisedConv2d(nn.Conv2d):
    """Every kernel minus its mean, divided by its sample deviation."""

    def forward(self, images: Tensor) -> Tensor:
        rows = self.weight.flatten(1)
        rows = (rows - rows.mean(1, keepdim=True)) / (rows.std(1, keepdim=True) + 1e-5)
        return F.conv2d(images, rows.view_as(self.weight), self.bias)


class UNet(nn.Module):
    """Levels of two convolutions with reflection padding, SiLU and group norm; groups by hand: 2 of 4, 4 of 8 and 16."""

    def __init__(self):
        super().__init__()

        def block(inputs: int, outputs: int) -> nn.Sequential:
            layers = []
            for width in (inputs, outputs):
                layers += [nn.ReflectionPad2d(1), StandardisedConv2d(width, outputs, 3), nn.SiLU()]
                layers += [nn.GroupNorm({4: 4, 8: 4, 16: 4}[outputs] if outputs > 4 else 2, outputs)]
            return nn.Sequential(*layers)

        self.down = nn.ModuleList([block(1, 4), block(4, 8), block(8, 16)])
        self.expand = nn.ModuleList([nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)])
        self.up = nn.ModuleList([block(16, 8), block(8, 4)])
        self.output = nn.Conv2d(4, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        first = self.down[0](images)
        second = self.down[1](F.avg_pool2d(first, 2))
        third = self.down[2](F.avg_pool2d(second, 2))
        second = self.up[0](torch.cat([self.expand[0](third), second], 1))
        return self.output(self.up[1](torch.cat([self.expand[1](second), first], 1)))


def unet_key(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "expand":
        return f"up.{parts[1]}.expand.{parts[2]}"
    if parts[0] == "output":
        return name
    layer = {"1": "convolution.0", "3": "norm.0", "5": "convolution.1", "7": "norm.1"}[parts[2]]
    return ".".join([parts[0], parts[1]] + (["block"] if parts[0] == "up" else []) + [layer, parts[3]])


def stirred(network: nn.Module) -> nn.Module:
    """In float64, with no vector at its initial value."""
    network.double().train()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.ndim == 1 and "num_batches" not in name:
                value.add_(torch.empty_like(value).uniform_(0.1, 0.5))
    return network


def pictures(count: int, side: int) -> Tensor:
    coarse = torch.rand(count, 1, side // 4, side // 4, dtype=torch.float64) * 2 - 1
    return F.interpolate(coarse, size=(side, side), mode="bilinear")


def write(case: str, network: nn.Module, key, images: Tensor, weights: dict, loss: Tensor, others: dict) -> None:
    loss.backward()
    contents = dict(weights, images=images.float(), loss=loss) | others
    for name, parameter in network.named_parameters():
        assert parameter.grad.norm() > 1e-7, f"{case}: no gradient at {name}"
        contents[f"gradient.{key(name)}"] = parameter.grad.float()
    TARGET.mkdir(exist_ok=True)
    contents = {name: value.detach().contiguous() for name, value in contents.items()}
    (TARGET / f"{case}.safetensors").write_bytes(save(contents))
    print(case)


def state(network: nn.Module, key) -> dict[str, Tensor]:
    """Weights and running statistics before training, under our keys."""
    entries = network.state_dict().items()
    return {f"network.{key(name)}": value.float().clone() for name, value in entries if "num_batches" not in name}


def main() -> None:
    torch.manual_seed(2)
    network, images = stirred(MemAE()), pictures(3, 16)
    before = state(network, memae_key)
    output, weights = network(images)
    entropy = Categorical(probs=weights).entropy().mean()
    loss = F.mse_loss(output, images) + 0.01 * entropy
    others = dict(output=output.float(), weights=weights.float(), entropy=entropy)
    write("memae", network, memae_key, images, before, loss, others)

    code = 5
    network = Autoencoder((32, 32), channels=(4, 8), kernel=3, code=2 * code, norm=True)
    network.spread = nn.Linear(code, torch.Size(network.squeezed).numel())
    network.output = nn.Conv2d(4, 2, 1)
    network, images = stirred(network), pictures(3, 32)
    before = state(network, autoencoder_key)
    features = images
    for layer in network.encoder:
        features = layer(features)
    numbers = network.code(network.squeeze(features).flatten(1))
    posterior = Normal(numbers[:, :code], torch.exp(numbers[:, code:] / 2))
    noise = torch.randn(3, code, dtype=torch.float64)
    codes = posterior.mean + posterior.stddev * noise
    features = network.expand(network.spread(codes).view(-1, *network.squeezed))
    for layer in network.decoder:
        features = layer(features)
    mean, raw = network.output(features).split(1, dim=1)
    likelihood = Normal(mean, torch.sqrt(0.05**2 + F.softplus(raw)))
    divergence = kl_divergence(posterior, Normal(torch.zeros(3, code), torch.ones(3, code))).sum(1)
    density = likelihood.log_prob(images)
    loss = (-density.sum((1, 2, 3)) + 2 * divergence).mean() / (32 * 32)
    others = dict(output=mean.float(), noise=noise.float(), divergence=divergence, density=density.float())
    write("vae", network, autoencoder_key, images, before, loss, others)

    network, images = stirred(UNet()), pictures(2, 16)
    before = state(network, unet_key)
    output = network(images)
    write("unet", network, unet_key, images, before, F.mse_loss(output, images), dict(output=output.float()))


if __name__ == "__main__":
    main()
