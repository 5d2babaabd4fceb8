"""Writes the golden files of MemMC-MAE, `Tests/NormaTests/Golden/MemMCMAE/<case>.safetensors`.

    python Scripts/golden/memmc_mae.py

`mae`, without memory and mesh, comes from PyTorch's own layers (`StockAutoencoder` below) and shares with the reference
`Benchmarks/pytorch/memmc_mae.py` only the weights. The other cases come from that reference, which must give what the
stock layers give before anything is written.

| case | memory slots | encoder levels read by the decoder |
|---|---|---|
| `mae` | none | none |
| `memory-mesh` | 6 | all 3, gated |
| `last` | 5 | the last of 2, without a gate |
| `subset` | 3 | the first and the last of 3, gated |

Keys (B = 2 images, S their side, n patches of side p; computed in float64, stored as float32 unless said):

    network.<name>      the weights: Xavier, no bias or scale at its initial value
    image               [B, 1, S, S]   in [-1, 1]
    noise               [B, n]         the patches of least noise are visible
    prediction          [B, n, p * p]  of every patch
    loss                []             float64, over the hidden patches
    gradient.<name>     of the loss, for some of the weights

and `__metadata__` has one entry, `configuration`: the fields of the reference's `Configuration` as JSON.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests" / "NormaTests" / "Golden" / "MemMCMAE"


def reference():
    """The module `Benchmarks/pytorch/memmc_mae.py`."""
    path = ROOT / "Benchmarks" / "pytorch" / "memmc_mae.py"
    spec = importlib.util.spec_from_file_location("memmc_mae_reference", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


memmc_mae = reference()

SMALL = memmc_mae.Configuration(
    image_size=32,
    patch=8,
    encoder_depth=2,
    encoder_width=16,
    encoder_heads=2,
    decoder_depth=1,
    decoder_width=12,
    decoder_heads=3,
)
CASES = {
    "mae": dataclasses.replace(SMALL, decoder_depth=2, slots=0, mesh="none"),
    "memory-mesh": dataclasses.replace(SMALL, encoder_depth=3, decoder_depth=2, slots=6),
    "last": dataclasses.replace(SMALL, slots=5, mesh="last"),
    "subset": dataclasses.replace(SMALL, encoder_depth=3, slots=3, levels=(0,), mask_ratio=0.5),
}
GRADIENTS = [
    "patchEmbedding.weight",
    "encoder.0.attention.inputProjection.bias",
    "encoder.0.attention.memoryKeys",
    "encoder.1.attention.memoryValues",
    "encoder.1.feedForward.0.weight",
    "levelNorms.0.weight",
    "levelProjections.0.weight",
    "levelProjections.2.bias",
    "maskToken",
    "decoder.0.selfAttention.inputProjection.weight",
    "decoder.0.crossAttention.query.weight",
    "decoder.0.crossAttention.keysValues.bias",
    "decoder.0.crossAttention.gates.weight",
    "decoder.1.crossAttention.gates.bias",
    "decoder.0.norm3.bias",
    "prediction.weight",
]
"""Weights whose gradients are written where a case has them."""
BATCH = 2
LEAST_GRADIENT = 1e-5
"""Least norm of any weight's gradient: every weight shows in the loss."""


class StockAutoencoder(nn.Module):
    """A masked autoencoder (He et al. 2022) of PyTorch's own layers: strided convolution, pre-norm encoder layers."""

    def __init__(self, configuration):
        super().__init__()
        self.configuration = configuration
        width, inner = configuration.encoder_width, configuration.decoder_width

        def layers(width: int, heads: int, depth: int) -> nn.ModuleList:
            settings = dict(dropout=0.0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True)
            return nn.ModuleList(
                nn.TransformerEncoderLayer(width, heads, 4 * width, **settings) for _ in range(depth)
            )

        self.embedding = nn.Conv2d(1, width, configuration.patch, configuration.patch)
        self.encoder = layers(width, configuration.encoder_heads, configuration.encoder_depth)
        self.encoder_norm = nn.LayerNorm(width, eps=1e-6)
        self.to_decoder = nn.Linear(width, inner)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, inner))
        self.decoder = layers(inner, configuration.decoder_heads, configuration.decoder_depth)
        self.decoder_norm = nn.LayerNorm(inner, eps=1e-6)
        self.head = nn.Linear(inner, configuration.patch_values)

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The prediction `[B, n, p * p]` and the loss."""
        side, patch, visible = self.configuration.side, self.configuration.patch, self.configuration.visible
        tokens = self.embedding(image).flatten(2).transpose(1, 2)
        tokens = tokens + torch.from_numpy(stock_positions(side, tokens.shape[-1]))
        kept = torch.stack([row[order[:visible]] for row, order in zip(tokens, noise.argsort(dim=1))])
        for layer in self.encoder:
            kept = layer(kept)
        kept = self.to_decoder(self.encoder_norm(kept))
        hidden = torch.ones_like(noise)
        filled = self.mask_token.repeat(len(image), side * side, 1)
        for index, order in enumerate(noise.argsort(dim=1)):
            filled = filled.index_put((torch.tensor(index), order[:visible]), kept[index])
            hidden[index, order[:visible]] = 0
        tokens = filled + torch.from_numpy(stock_positions(side, filled.shape[-1]))
        for layer in self.decoder:
            tokens = layer(tokens)
        prediction = self.head(self.decoder_norm(tokens))
        target = F.unfold(image, patch, stride=patch).transpose(1, 2)
        return prediction, F.mse_loss(prediction[hidden > 0], target[hidden > 0])

    def names(self) -> dict[str, str]:
        """Our names by the stock layers' names."""
        names = {
            "embedding.bias": "patchEmbedding.bias",
            "encoder_norm": "levelNorms.0",
            "to_decoder": "levelProjections.0",
            "mask_token": "maskToken",
            "decoder_norm": "decoderNorm",
            "head": "prediction",
        }
        for part, attention, second in (("encoder", "attention", "norm2"), ("decoder", "selfAttention", "norm3")):
            for index in range(len(getattr(self, part))):
                stock = f"{part}.{index}."
                names |= {
                    stock + "self_attn.in_proj_weight": stock + f"{attention}.inputProjection.weight",
                    stock + "self_attn.in_proj_bias": stock + f"{attention}.inputProjection.bias",
                    stock + "self_attn.out_proj": stock + f"{attention}.outputProjection",
                    stock + "linear1": stock + "feedForward.0",
                    stock + "linear2": stock + "feedForward.1",
                    stock + "norm1": stock + "norm1",
                    stock + "norm2": stock + second,
                }
        whole = {}
        for name, parameter in self.named_parameters():
            stem, _, kind = name.rpartition(".")
            whole[name] = names[name] if name in names else f"{names.get(stem, stem)}.{kind}"
        return whole | {"embedding.weight": "patchEmbedding.weight"}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Takes up weights under our names."""
        shapes = {name: parameter.shape for name, parameter in self.named_parameters()}
        self.load_state_dict({name: weights[ours].view(shapes[name]) for name, ours in self.names().items()})


def stock_positions(side: int, width: int) -> np.ndarray:
    """Position codes `[side * side, width]`, entry by entry: columns in the first half, rows in the second."""
    codes = np.empty((side * side, width))
    for place in range(side * side):
        for half, coordinate in enumerate((place % side, place // side)):
            for index in range(width // 4):
                angle = coordinate / 10000 ** (index / (width / 4))
                codes[place, half * width // 2 + index] = np.sin(angle)
                codes[place, half * width // 2 + width // 4 + index] = np.cos(angle)
    return codes


def smooth_images(count: int, side: int) -> Tensor:
    """Blurred noise filling [-1, 1]: `[count, 1, side, side]`."""
    noise = torch.rand(count, 1, side // 4, side // 4)
    images = F.interpolate(noise, size=(side, side), mode="bicubic", align_corners=False)
    return (images + 0.1 * torch.rand(count, 1, side, side)).clamp(0, 1) * 2 - 1


@torch.no_grad()
def network(configuration) -> nn.Module:
    """A float64 network whose every weight shows in the output."""
    made = memmc_mae.Network(configuration)
    for name, parameter in made.named_parameters():
        if parameter.ndim == 1 or name.endswith(("maskToken", "gates.bias")):
            parameter.add_(torch.empty_like(parameter).uniform_(-0.4, 0.4))
        elif "memory" in name:
            parameter.mul_(2)
    made.double()
    made.encoderPositions = memmc_mae.positions(configuration.side, configuration.encoder_width)
    made.decoderPositions = memmc_mae.positions(configuration.side, configuration.decoder_width)
    return made


def stock_values(configuration, weights: dict[str, Tensor], image: Tensor, noise: Tensor) -> dict[str, Tensor]:
    """Prediction, loss and gradients of all weights by the stock layers."""
    stock = StockAutoencoder(configuration).double()
    stock.load(weights)
    prediction, loss = stock(image, noise)
    loss.backward()
    values = {"prediction": prediction, "loss": loss}
    for name, parameter in stock.named_parameters():
        ours = stock.names()[name]
        values[f"gradient.{ours}"] = parameter.grad.view_as(weights[ours])
    return values


def reference_values(made: nn.Module, image: Tensor, noise: Tensor) -> dict[str, Tensor]:
    """Prediction, loss and gradients of all weights by the reference."""
    prediction, masking = made(image, noise)
    loss = memmc_mae.loss(prediction, image, masking.hidden, made.configuration.patch)
    loss.backward()
    gradients = {f"gradient.{name}": parameter.grad for name, parameter in made.named_parameters()}
    return {"prediction": prediction, "loss": loss} | gradients


def check(values: dict[str, Tensor], stock: dict[str, Tensor]) -> None:
    """Stops where reference and stock layers disagree."""
    assert values.keys() == stock.keys()
    for key, value in values.items():
        torch.testing.assert_close(value, stock[key], rtol=1e-9, atol=1e-11, msg=lambda text: f"{key}: {text}")


def write_case(case: str, configuration) -> None:
    torch.manual_seed(1)
    made = network(configuration)
    weights = {name: value.clone() for name, value in made.state_dict().items()}
    image = smooth_images(BATCH, configuration.image_size).double()
    noise = torch.rand(BATCH, configuration.patches).double()
    values = reference_values(made, image, noise)
    if case == "mae":
        stock = stock_values(configuration, weights, image, noise)
        check(values, stock)
        values = stock
    faint = [key for key, value in values.items() if key.startswith("gradient.") and value.norm() < LEAST_GRADIENT]
    assert not faint, f"{case}: no gradient at {', '.join(faint)}"
    contents = {f"network.{name}": value.float() for name, value in weights.items()}
    contents |= {"image": image.float(), "noise": noise.float(), "prediction": values["prediction"].float()}
    contents["loss"] = values["loss"]
    contents |= {key: values[key].float() for name in GRADIENTS if (key := f"gradient.{name}") in values}
    metadata = {"configuration": json.dumps(dataclasses.asdict(configuration))}
    contents = {key: value.detach().contiguous() for key, value in contents.items()}
    (TARGET / f"{case}.safetensors").write_bytes(save(contents, metadata))


def main() -> None:
    torch.set_num_threads(1)
    TARGET.mkdir(parents=True, exist_ok=True)
    for case, configuration in CASES.items():
        write_case(case, configuration)
        print(case)


if __name__ == "__main__":
    main()
