"""Writes what NormaTests expects of the feature baselines: `Tests/NormaTests/Golden/Features`.

    python Scripts/golden/features.py          (torch, safetensors, scikit-learn)

The residual networks are built of PyTorch's own layers under torchvision's names (torchvision/models/resnet.py: blocks,
strides, order), so that files of its state dictionaries load. No weights are stored: value `i` of the `n`-th tensor follows
from `sin(12.9898 i + 78.233 n)` here and in the tests.

    backbones.safetensors     <case>.images, and <case>.layer1 … layer4: feature maps in evaluation, computed in float64
    resnet18.pth              state dictionary of one channel's width, classifier and counters included, as torch.save writes it
    golden.json               names and shapes by case; Ledoit-Wolf shrinkage; Johnson-Lindenstrauss dimensions

| case | network | width | input | stem |
|---|---|---|---|---|
| `resnet18` | ResNet-18 | 4 | [2, 1, 64, 64] | pooled |
| `unpooled` | ResNet-18 | 4 | [2, 1, 32, 32] | no pooling |
| `wide_resnet50_2` | Wide ResNet-50-2 | 4 | greys in -1 … 1 as three channels by ImageNet's mean and deviation | pooled |
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.random_projection import johnson_lindenstrauss_min_dim
from torch import Tensor, nn

TARGET = Path(__file__).resolve().parents[2] / "Tests" / "NormaTests" / "Golden" / "Features"


class Basic(nn.Module):
    expansion = 1

    def __init__(self, inputs: int, planes: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = shortcut(inputs, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class WideBottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int):
        super().__init__()
        inner = planes * 2
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.downsample = shortcut(inputs, planes * 4, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    def __init__(self, block, counts, width: int, channels: int = 3, pooled: bool = True, classes: int = 10):
        super().__init__()
        self.pooled = pooled
        self.conv1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for level, count in enumerate(counts):
            planes = width * 2**level
            blocks = []
            for index in range(count):
                blocks.append(block(inputs, planes, 2 if level > 0 and index == 0 else 1))
                inputs = planes * block.expansion
            setattr(self, f"layer{level + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def features(self, x: Tensor) -> list[Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))
        if self.pooled:
            x = F.max_pool2d(x, 3, 2, 1)
        maps = []
        for level in range(4):
            x = getattr(self, f"layer{level + 1}")(x)
            maps.append(x)
        return maps


def pattern(shape, n: int) -> Tensor:
    count = int(np.prod(shape))
    return torch.sin(12.9898 * torch.arange(count, dtype=torch.float64) + 78.233 * n).reshape(shape)


def fill(network: nn.Module) -> list[tuple[str, list[int]]]:
    """Gives every tensor its values; names and shapes in torchvision's order, without counters and classifier."""
    names = []
    for name, value in network.state_dict().items():
        if "num_batches" in name or name.startswith("fc."):
            continue
        n = len(names)
        wave = pattern(value.shape, n)
        if value.ndim == 4:
            wave = wave * (2 / (value.shape[0] * value.shape[2] * value.shape[3])) ** 0.5
        elif name.endswith("running_var"):
            wave = 1 + 0.3 * wave
        elif name.endswith("weight"):
            wave = 1 + 0.2 * wave
        else:
            wave = 0.1 * wave
        value.copy_(wave)
        names.append((name, list(value.shape)))
    return names


CASES = {
    "resnet18": (dict(block=Basic, counts=[2, 2, 2, 2], width=4, channels=1), 64),
    "unpooled": (dict(block=Basic, counts=[2, 2, 2, 2], width=4, channels=1, pooled=False), 32),
    "wide_resnet50_2": (dict(block=WideBottleneck, counts=[3, 4, 6, 3], width=4), 64),
}


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    arrays, names = {}, {}
    for case, (settings, side) in CASES.items():
        network = ResNet(**settings).double().eval()
        names[case] = fill(network)
        greys = pattern((2, 1, side, side), 1000)
        images = greys
        if case == "wide_resnet50_2":
            mean = torch.tensor([0.485, 0.456, 0.406]).double().view(1, 3, 1, 1)
            deviation = torch.tensor([0.229, 0.224, 0.225]).double().view(1, 3, 1, 1)
            images = ((greys + 1) / 2 - mean) / deviation
        arrays[f"{case}.images"] = greys.float()
        for level, value in enumerate(network.features(images)):
            arrays[f"{case}.layer{level + 1}"] = value.float().contiguous()
    (TARGET / "backbones.safetensors").write_bytes(save(arrays))

    small = ResNet(Basic, [2, 2, 2, 2], width=1)
    fill(small)
    torch.save(small.state_dict(), TARGET / "resnet18.pth")

    samples = [pattern((30, 6), 1).numpy() * np.arange(1, 7), pattern((8, 12), 2).numpy()]
    golden = {
        "names": names,
        "shrinkage": [
            {"rows": len(x), "values": x.ravel().tolist(), "expected": float(ledoit_wolf_shrinkage(x))} for x in samples
        ],
        "widths": [
            {"count": n, "error": e, "expected": int(johnson_lindenstrauss_min_dim(n, eps=e))}
            for n, e in [(1000, 0.9), (320000, 0.9), (50, 0.5)]
        ],
    }
    (TARGET / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
