"""Writes the golden files of the plain autoencoder, `Tests/NormaTests/Golden/Autoencoder/<case>.safetensors`.

    python Scripts/golden/autoencoder.py

The network is built of PyTorch's own layers, after Baur et al. 2021 (github.com/StefanDenn3r,
Unsupervised_Anomaly_Detection_Brain_MRI, models/customlayers.py and models/autoencoder.py; their dropout left out).

| case | input | norm | loss |
|---|---|---|---|
| `images` | [3, 1, 32, 32] | batch | squared |
| `volumes` | [3, 1, 8, 16, 12] | none | absolute |

Keys (computed in float64, stored as float32 unless said):

    network.<name>      weights and running statistics, none at its initial value
    images              the input, in [-1, 1]
    evaluation          its reconstruction by running statistics
    training            its reconstruction by the batch's statistics
    loss                []  float64, of `training`
    gradient.<name>     of the loss, for every weight
    after.<name>        running statistics after `training`
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

TARGET = Path(__file__).resolve().parents[2] / "Tests" / "NormaTests" / "Golden" / "Autoencoder"

CASES = {
    "images": dict(extents=(32, 32), channels=(4, 8, 16), kernel=5, code=6, norm=True, loss=F.mse_loss),
    "volumes": dict(extents=(8, 16, 12), channels=(4, 16), kernel=3, code=5, norm=False, loss=F.l1_loss),
}


class Autoencoder(nn.Module):
    """Strided convolutions, 1x1 convolution to an eighth of the channels, dense code, and the way back."""

    def __init__(self, extents, channels, kernel, code, norm):
        super().__init__()
        flat = len(extents) == 2
        convolution = nn.Conv2d if flat else nn.Conv3d
        transposed = nn.ConvTranspose2d if flat else nn.ConvTranspose3d
        batch_norm = nn.BatchNorm2d if flat else nn.BatchNorm3d

        def block(layer: nn.Module, width: int, slope: float) -> nn.Sequential:
            return nn.Sequential(layer, batch_norm(width) if norm else nn.Identity(), nn.LeakyReLU(slope))

        settings = dict(kernel_size=kernel, stride=2, padding=kernel // 2, bias=not norm)
        inner = channels[-1]
        ways = list(zip((1, *channels), channels))
        self.encoder = nn.ModuleList(block(convolution(a, b, **settings), b, 0.3) for a, b in ways)
        self.squeeze = convolution(inner, inner // 8, 1)
        self.squeezed = (inner // 8, *(extent >> len(channels) for extent in extents))
        numbers = torch.Size(self.squeezed).numel()
        self.code = nn.Linear(numbers, code)
        self.spread = nn.Linear(code, numbers)
        self.expand = block(convolution(inner // 8, inner, 1, bias=not norm), inner, 0)
        back = list(zip((inner, *reversed(channels)), reversed(channels)))
        self.decoder = nn.ModuleList(
            block(transposed(a, b, output_padding=1, **settings), b, 0.3) for a, b in back
        )
        self.output = convolution(channels[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = images
        for layer in self.encoder:
            features = layer(features)
        codes = self.code(self.squeeze(features).flatten(1))
        features = self.expand(self.spread(codes).view(-1, *self.squeezed))
        for layer in self.decoder:
            features = layer(features)
        return self.output(features)


def ours(name: str) -> str:
    """Our key of one of PyTorch's."""
    parts = name.split(".")
    if parts[0] in ("encoder", "decoder", "expand"):
        parts[-2] = {"0": "convolution", "1": "norm"}[parts[-2]]
    last = {"running_mean": "runningMean", "running_var": "runningVariance"}
    return ".".join(parts[:-1] + [last.get(parts[-1], parts[-1])])


def state(network: nn.Module) -> dict[str, Tensor]:
    """Weights and running statistics under our keys."""
    return {ours(name): value.clone() for name, value in network.state_dict().items() if "num_batches" not in name}


def write_case(case: str, loss, extents, **settings) -> None:
    torch.manual_seed(1)
    network = Autoencoder(extents, **settings).double()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.ndim == 1 and "num_batches" not in name:
                value.add_(torch.empty_like(value).uniform_(0.1, 0.5))
    images = torch.rand(3, 1, *(extent // 4 for extent in extents), dtype=torch.float64) * 2 - 1
    images = F.interpolate(images, size=extents, mode="bilinear" if len(extents) == 2 else "trilinear")
    contents = {f"network.{name}": value.float() for name, value in state(network).items()}
    with torch.no_grad():
        contents["evaluation"] = network.eval()(images).float()
    reconstruction = network.train()(images)
    value = loss(reconstruction, images)
    value.backward()
    contents |= {"images": images.float(), "training": reconstruction.float(), "loss": value}
    for name, parameter in network.named_parameters():
        assert parameter.grad.norm() > 1e-6, f"{case}: no gradient at {name}"
        contents[f"gradient.{ours(name)}"] = parameter.grad.float()
    contents |= {f"after.{name}": value.float() for name, value in state(network).items() if "running" in name}
    contents = {key: value.detach().contiguous() for key, value in contents.items()}
    (TARGET / f"{case}.safetensors").write_bytes(save(contents))
    print(case)


def main() -> None:
    torch.set_num_threads(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    for case, settings in CASES.items():
        write_case(case, **settings)


if __name__ == "__main__":
    main()
