"""MemMC-MAE in eager PyTorch: the reference that Norma is compared with, in values and in speed.

Written from the abstract of arXiv 2203.11725 and from the papers it builds on: masked autoencoders (He et al. 2022) and
the Meshed-Memory Transformer (Cornia et al. 2020). The `state_dict` of `Network` has Norma's keys and shapes.

B is the batch, C the channels, n the patches of an image, v the visible ones, D and D' the widths of encoder and
decoder, m the memory slots, U the encoder levels that the decoder reads. Patches are row-major; the pixels of a patch
are ordered by row, column and channel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Configuration:
    """The paper's preset; what the sources leave open as in Norma."""

    image_size: int = 256
    patch: int = 16
    channels: int = 1
    encoder_depth: int = 12
    encoder_width: int = 768
    encoder_heads: int = 12
    decoder_depth: int = 8
    decoder_width: int = 512
    decoder_heads: int = 16
    slots: int = 40
    """Memory keys and values of an encoder level; 0 is the plain block."""
    mesh: str = "all"
    """`all`: gated cross-attention onto encoder levels; `last`: onto the last one, without a gate; `none`."""
    levels: tuple[int, ...] | None = None
    """Encoder levels of the mesh, counted from 0; `None` for all. The last level always belongs to them."""
    mask_ratio: float = 0.75

    @property
    def side(self) -> int:
        """Patches along a side."""
        return self.image_size // self.patch

    @property
    def patches(self) -> int:
        return self.side**2

    @property
    def visible(self) -> int:
        return int((1 - self.mask_ratio) * self.patches + 0.5)

    @property
    def patch_values(self) -> int:
        return self.channels * self.patch**2

    @property
    def used_levels(self) -> list[int]:
        """Encoder levels that the decoder reads, in ascending order, the last one always among them."""
        last = self.encoder_depth - 1
        if self.mesh != "all":
            return [last]
        return sorted({*(range(last) if self.levels is None else self.levels), last})


class Masking(NamedTuple):
    """Which patches are visible."""

    order: Tensor
    """`[B, n]`: positions, the visible ones first."""
    restore: Tensor
    """`[B, n]`: the inverse of `order`."""
    hidden: Tensor
    """`[B, n]`: 1 where a patch is hidden, else 0."""


def mask(noise: Tensor, visible: int) -> Masking:
    """Hides all but the `visible` patches of least noise `[B, n]`."""
    order = noise.argsort(dim=1)
    restore = order.argsort(dim=1)
    return Masking(order, restore, (restore >= visible).to(noise.dtype))


def patchify(images: Tensor, patch: int) -> Tensor:
    """`[B, C, S, S]` to `[B, n, patch * patch * C]`."""
    batch, channels, height, width = images.shape
    blocks = images.view(batch, channels, height // patch, patch, width // patch, patch)
    return blocks.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def unpatchify(patches: Tensor, patch: int, channels: int = 1) -> Tensor:
    """The inverse of `patchify`."""
    side = math.isqrt(patches.shape[1])
    blocks = patches.reshape(len(patches), side, side, patch, patch, channels)
    return blocks.permute(0, 5, 1, 3, 2, 4).reshape(len(patches), channels, side * patch, side * patch)


def positions(side: int, width: int) -> Tensor:
    """Fixed sine-cosine codes `[side * side, width]`, float64: the first half tells the column, the second the row."""
    rates = 10000 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angles = torch.arange(side, dtype=torch.float64)[:, None] * rates
    codes = torch.cat([angles.sin(), angles.cos()], dim=1)
    columns, rows = codes.expand(side, -1, -1), codes[:, None].expand(-1, side, -1)
    return torch.cat([columns, rows], dim=2).reshape(side * side, width)


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """`[..., t, D]` to `[..., heads, t, D / heads]`."""
    return tokens.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(tokens: Tensor) -> Tensor:
    """The inverse of `split_heads`."""
    return tokens.transpose(-3, -2).flatten(-2)


class Attention(nn.Module):
    """Self-attention whose keys and values are joined by `slots` learned ones (Cornia et al., eq. 3 and 4)."""

    def __init__(self, width: int, heads: int, slots: int = 0):
        super().__init__()
        self.heads = heads
        self.slots = slots
        self.inputProjection = nn.Linear(width, 3 * width)
        if slots > 0:
            self.memoryKeys = nn.Parameter(torch.randn(slots, width) * (heads / width))
            self.memoryValues = nn.Parameter(torch.randn(slots, width) / slots)
        self.outputProjection = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        queries, keys, values = self.inputProjection(tokens).chunk(3, dim=-1)
        if self.slots > 0:
            scale = math.sqrt(tokens.shape[-1] // self.heads)
            memory_keys = (scale * self.memoryKeys).expand(len(tokens), -1, -1)
            memory_values = (math.sqrt(self.slots) * self.memoryValues).expand(len(tokens), -1, -1)
            keys = torch.cat([keys, memory_keys], dim=1)
            values = torch.cat([values, memory_values], dim=1)
        queries, keys, values = (split_heads(part, self.heads) for part in (queries, keys, values))
        return self.outputProjection(merge_heads(F.scaled_dot_product_attention(queries, keys, values)))


class Gates(nn.Module):
    """A gate for each encoder level, from the tokens and what they read there (Cornia et al., eq. 6)."""

    def __init__(self, levels: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(levels, 2 * width, width))
        self.bias = nn.Parameter(torch.zeros(levels, 1, width))
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, tokens: Tensor, read: Tensor, level: int) -> Tensor:
        return torch.sigmoid(torch.cat([tokens, read], dim=-1) @ self.weight[level] + self.bias[level])


class CrossAttention(nn.Module):
    """Reads every encoder level with shared projections and adds up what their gates let through (eq. 5)."""

    def __init__(self, width: int, heads: int, levels: int, gated: bool):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.keysValues = nn.Linear(width, 2 * width)
        self.outputProjection = nn.Linear(width, width)
        self.gates = Gates(levels, width) if gated else None

    def forward(self, tokens: Tensor, levels: list[Tensor]) -> Tensor:
        if self.gates is None:
            return self.read(tokens, levels[-1])
        total = 0
        for index, level in enumerate(levels):
            read = self.read(tokens, level)
            total = total + self.gates(tokens, read, index) * read
        return total / math.sqrt(len(levels))

    def read(self, tokens: Tensor, level: Tensor) -> Tensor:
        """Plain cross-attention of tokens `[B, n, D']` onto one level `[B, v, D']`."""
        keys, values = self.keysValues(level).chunk(2, dim=-1)
        queries, keys, values = (split_heads(part, self.heads) for part in (self.query(tokens), keys, values))
        return self.outputProjection(merge_heads(F.scaled_dot_product_attention(queries, keys, values)))


class LeanCrossAttention(CrossAttention):
    """The same function with the levels as one batch, and each projection computed once."""

    def forward(self, tokens: Tensor, levels: list[Tensor]) -> Tensor:
        if self.gates is None:
            return self.read(tokens, levels[-1])
        count, width = len(levels), tokens.shape[-1]
        keys_values = split_heads(self.keysValues(torch.stack(levels)), self.heads * 2)
        keys, values = keys_values.flatten(0, 1).chunk(2, dim=1)
        queries = split_heads(self.query(tokens), self.heads).repeat(count, 1, 1, 1)
        attended = merge_heads(F.scaled_dot_product_attention(queries, keys, values))
        read = self.outputProjection(attended).view(count, -1, width)
        own = (tokens.view(-1, width) @ self.gates.weight[:, :width].transpose(0, 1).reshape(width, -1)).view(
            -1, count, width
        )
        gates = torch.baddbmm(own.transpose(0, 1) + self.gates.bias, read, self.gates.weight[:, width:]).sigmoid()
        return torch.linalg.vecdot(gates, read, dim=0).view_as(tokens) / math.sqrt(count)


def feed_forward(width: int) -> nn.ModuleList:
    return nn.ModuleList([nn.Linear(width, 4 * width), nn.Linear(4 * width, width)])


def norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-6)


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int, slots: int):
        super().__init__()
        self.norm1 = norm(width)
        self.attention = Attention(width, heads, slots)
        self.norm2 = norm(width)
        self.feedForward = feed_forward(width)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.feedForward[1](F.gelu(self.feedForward[0](self.norm2(tokens))))


class DecoderBlock(nn.Module):
    def __init__(self, configuration: Configuration, lean: bool):
        super().__init__()
        width, heads = configuration.decoder_width, configuration.decoder_heads
        self.norm1 = norm(width)
        self.selfAttention = Attention(width, heads)
        self.crossAttention = None
        if configuration.mesh != "none":
            kind = LeanCrossAttention if lean else CrossAttention
            self.norm2 = norm(width)
            self.crossAttention = kind(width, heads, len(configuration.used_levels), configuration.mesh == "all")
        self.norm3 = norm(width)
        self.feedForward = feed_forward(width)

    def forward(self, tokens: Tensor, levels: list[Tensor]) -> Tensor:
        tokens = tokens + self.selfAttention(self.norm1(tokens))
        if self.crossAttention is not None:
            tokens = tokens + self.crossAttention(self.norm2(tokens), levels)
        return tokens + self.feedForward[1](F.gelu(self.feedForward[0](self.norm3(tokens))))


class Network(nn.Module):
    """Masked autoencoder with memories in the encoder and gates from every encoder level into the decoder.

    `lean` computes the same with the levels of the cross-attention as one batch.
    """

    def __init__(self, configuration: Configuration, lean: bool = False):
        super().__init__()
        self.configuration = configuration
        width, inner = configuration.encoder_width, configuration.decoder_width
        self.patchEmbedding = nn.Linear(configuration.patch_values, width)
        self.encoder = nn.ModuleList(
            EncoderBlock(width, configuration.encoder_heads, configuration.slots)
            for _ in range(configuration.encoder_depth)
        )
        self.levelNorms = nn.ModuleList(norm(width) for _ in configuration.used_levels)
        self.levelProjections = nn.ModuleList(nn.Linear(width, inner) for _ in configuration.used_levels)
        self.maskToken = nn.Parameter(torch.randn(1, 1, inner) * 0.02)
        self.decoder = nn.ModuleList(DecoderBlock(configuration, lean) for _ in range(configuration.decoder_depth))
        self.decoderNorm = norm(inner)
        self.prediction = nn.Linear(inner, configuration.patch_values)
        self.register_buffer("encoderPositions", positions(configuration.side, width).float(), persistent=False)
        self.register_buffer("decoderPositions", positions(configuration.side, inner).float(), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def encode(self, patches: Tensor, order: Tensor) -> list[Tensor]:
        """Each used level of the patches `[B, n, C * p * p]` listed in `order` `[B, v]`, projected: `[B, v, D']`."""
        index = order[:, :, None]
        patches = patches.gather(1, index.expand(-1, -1, patches.shape[-1]))
        tokens = self.patchEmbedding(patches) + self.encoderPositions[order]
        outputs = []
        for block in self.encoder:
            tokens = block(tokens)
            outputs.append(tokens)
        used = [outputs[level] for level in self.configuration.used_levels]
        return [
            project(norm(tokens)) for norm, project, tokens in zip(self.levelNorms, self.levelProjections, used)
        ]

    def decode(self, levels: list[Tensor], restore: Tensor) -> Tensor:
        """The prediction for every patch, `[B, n, C * p * p]`."""
        visible = levels[-1]
        batch, count, width = visible.shape
        tokens = torch.cat([visible, self.maskToken.expand(batch, restore.shape[1] - count, -1)], dim=1)
        tokens = tokens.gather(1, restore[:, :, None].expand(-1, -1, width)) + self.decoderPositions
        for block in self.decoder:
            tokens = block(tokens, levels)
        return self.prediction(self.decoderNorm(tokens))

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Masking]:
        """Predicts the patches of `[B, C, S, S]`, hiding those that `noise` `[B, n]` says."""
        masking = mask(noise, self.configuration.visible)
        order = masking.order[:, : self.configuration.visible]
        levels = self.encode(patchify(images, self.configuration.patch), order)
        return self.decode(levels, masking.restore), masking


def loss(prediction: Tensor, images: Tensor, hidden: Tensor, patch: int) -> Tensor:
    """Mean squared error of the hidden patches."""
    errors = (prediction - patchify(images, patch)).square().mean(dim=-1)
    return (errors * hidden).sum() / hidden.sum()


def hidden_reconstruction(prediction: Tensor, images: Tensor, hidden: Tensor, patch: int) -> Tensor:
    """`images` with the hidden patches predicted: `[B, C, S, S]`."""
    patches = torch.where(hidden[:, :, None] > 0, prediction, patchify(images, patch))
    return unpatchify(patches, patch, images.shape[1])


SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def blur(images: Tensor, window: Tensor) -> Tensor:
    """Separable filter without padding."""
    channels = images.shape[1]
    kernel = window.expand(channels, 1, 1, -1)
    images = F.conv2d(images, kernel, groups=channels)
    return F.conv2d(images, kernel.transpose(2, 3), groups=channels)


def ms_ssim(first: Tensor, second: Tensor, scales: int | None = None, value_range: float = 2) -> Tensor:
    """Multi-scale structural similarity (Wang et al. 2003) of each pair, `[B]`; `scales` 5 unless images are small."""
    if scales is None:
        scales = min(5, int(math.log2(first.shape[-1] / 11)) + 1)
    window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2)).to(first)
    window = window / window.sum()
    weights = torch.tensor(SCALE_WEIGHTS[:scales]).to(first)
    weights = weights / weights.sum()
    c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
    result = 1
    for scale in range(scales):
        mean1, mean2 = blur(first, window), blur(second, window)
        variance1 = blur(first * first, window) - mean1 * mean1
        variance2 = blur(second * second, window) - mean2 * mean2
        covariance = blur(first * second, window) - mean1 * mean2
        similarity = (2 * covariance + c2) / (variance1 + variance2 + c2)
        if scale == scales - 1:
            similarity = similarity * (2 * mean1 * mean2 + c1) / (mean1 * mean1 + mean2 * mean2 + c1)
        else:
            first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
        result = result * similarity.mean(dim=(1, 2, 3)).relu() ** weights[scale]
    return result


@torch.inference_mode()
def score(network: Network, images: Tensor, noises: Tensor) -> Tensor:
    """1 - MS-SSIM `[B]` of images and their hidden reconstructions, one pass for each mask of `noises` `[K, B, n]`."""
    patch, total = network.configuration.patch, 0
    for noise in noises:
        prediction, masking = network(images, noise)
        total = total + ms_ssim(images, hidden_reconstruction(prediction, images, masking.hidden, patch))
    return 1 - total / len(noises)


@torch.inference_mode()
def lean_score(network: Network, images: Tensor, noises: Tensor) -> Tensor:
    """The same with all masks as one batch."""
    repeated = images.repeat(len(noises), 1, 1, 1)
    prediction, masking = network(repeated, noises.flatten(0, 1))
    reconstruction = hidden_reconstruction(prediction, repeated, masking.hidden, network.configuration.patch)
    return 1 - ms_ssim(repeated, reconstruction).view(len(noises), -1).mean(dim=0)
