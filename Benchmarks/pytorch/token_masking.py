"""Iterative latent token masking in eager PyTorch: the reference that Norma is compared with, in values and in speed.

Written from the formulas of Patel et al., ICCVW 2023, "Self-Supervised Anomaly Detection from Anomalous Training Data
via Iterative Latent Token Masking", and of what it builds on: VQ-VAE (van den Oord et al. 2017), FAVOR+ (Choromanski et
al. 2021). This file holds the networks and their losses; `token_healing.py` holds detection.

Axes are N, C, (D,) H, W. B is the batch, K the codes, E a code's width, L the tokens of an image, S healed sequences, D
dropout decodings of each. Tokens are in sequence order. Slot j of the transformer holds token j - 1 (slot 0 the begin
token K) and predicts token j. A keep mask is 1 where a token is trusted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
CHANNEL_DROPOUTS = {2: nn.Dropout2d, 3: nn.Dropout3d}


@dataclass(frozen=True)
class AutoencoderConfiguration:
    """The authors' layout."""

    dimensions: int = 2
    channels: int = 1
    levels: int = 3
    """Times that sides are halved."""
    width: int = 256
    """Channels of the last level; half of them before."""
    units: int = 3
    """Residual units of a level."""
    codes: int = 256
    code_width: int = 128
    encoder_dropout: float = 0.0
    decoder_dropout: float = 0.05
    """Share of channels dropped before the last layer."""
    dropout_in_units: bool = False
    commitment: float = 0.25
    decay: float = 0.99

    @property
    def widths(self) -> list[int]:
        """Channels of the encoder levels, outermost first."""
        return [self.width // 2] * (self.levels - 1) + [self.width]


class ResidualUnit(nn.Module):
    """ReLU(x + conv1(dropout(ReLU(conv3(x)))))."""

    def __init__(self, dimensions: int, width: int, dropout: float):
        super().__init__()
        self.conv1 = CONVOLUTIONS[dimensions](width, width, 3, padding=1)
        self.dropout = CHANNEL_DROPOUTS[dimensions](dropout)
        self.conv2 = CONVOLUTIONS[dimensions](width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.conv2(self.dropout(F.relu(self.conv1(features)))))


def residual_units(configuration: AutoencoderConfiguration, width: int, dropout: float) -> nn.Sequential:
    dropout = dropout if configuration.dropout_in_units else 0
    return nn.Sequential(
        *(ResidualUnit(configuration.dimensions, width, dropout) for _ in range(configuration.units))
    )


class EncoderLevel(nn.Module):
    def __init__(self, configuration: AutoencoderConfiguration, inputs: int, outputs: int):
        super().__init__()
        self.down = CONVOLUTIONS[configuration.dimensions](inputs, outputs, 4, stride=2, padding=1)
        self.units = residual_units(configuration, outputs, configuration.encoder_dropout)

    def forward(self, features: Tensor) -> Tensor:
        return self.units(F.relu(self.down(features)))


class Encoder(nn.Module):
    """`[B, C, H, W]` to `[B, E, h, w]`, in three dimensions likewise."""

    def __init__(self, configuration: AutoencoderConfiguration):
        super().__init__()
        inputs = [configuration.channels, *configuration.widths[:-1]]
        self.levels = nn.ModuleList(
            EncoderLevel(configuration, before, after) for before, after in zip(inputs, configuration.widths)
        )
        self.dropout = CHANNEL_DROPOUTS[configuration.dimensions](configuration.encoder_dropout)
        self.end = CONVOLUTIONS[configuration.dimensions](configuration.width, configuration.code_width, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        for level in self.levels:
            images = level(images)
        return self.end(self.dropout(images))


class DecoderLevel(nn.Module):
    def __init__(self, configuration: AutoencoderConfiguration, inputs: int, outputs: int):
        super().__init__()
        self.units = residual_units(configuration, inputs, configuration.decoder_dropout)
        self.up = TRANSPOSED[configuration.dimensions](inputs, outputs, 4, stride=2, padding=1)


class Decoder(nn.Module):
    """`[B, E, h, w]` to `[B, C, H, W]`, in three dimensions likewise."""

    def __init__(self, configuration: AutoencoderConfiguration):
        super().__init__()
        widths = configuration.widths[::-1]
        outputs = [*widths[1:], configuration.channels]
        self.start = CONVOLUTIONS[configuration.dimensions](configuration.code_width, configuration.width, 3, padding=1)
        self.levels = nn.ModuleList(DecoderLevel(configuration, *pair) for pair in zip(widths, outputs))
        self.dropout = CHANNEL_DROPOUTS[configuration.dimensions](configuration.decoder_dropout)

    def trunk(self, quantised: Tensor) -> Tensor:
        """What the last layer, and the dropout before it, see."""
        features = self.start(quantised)
        for level in self.levels[:-1]:
            features = F.relu(level.up(level.units(features)))
        return self.levels[-1].units(features)

    def forward(self, quantised: Tensor) -> Tensor:
        return self.levels[-1].up(self.dropout(self.trunk(quantised)))


class Quantiser(nn.Module):
    """Nearest codes, learned by moving averages."""

    def __init__(self, configuration: AutoencoderConfiguration):
        super().__init__()
        self.commitment = configuration.commitment
        self.decay = configuration.decay
        codes = torch.randn(configuration.codes, configuration.code_width)
        self.register_buffer("codes", codes)
        self.register_buffer("counts", torch.zeros(len(codes)))
        self.register_buffer("sums", codes.clone())

    def indices(self, vectors: Tensor) -> Tensor:
        """The nearest code of each vector `[n, E]`."""
        products = vectors @ self.codes.T
        distances = vectors.square().sum(1, keepdim=True) - 2 * products + self.codes.square().sum(1)
        return distances.argmin(dim=1)

    def look_up(self, indices: Tensor) -> Tensor:
        """`[B, h, w]` to `[B, E, h, w]`."""
        return self.codes[indices].movedim(-1, 1)

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes in place of latents (gradient passed straight through), their indices, the commitment loss."""
        vectors = latents.detach().movedim(1, -1)
        flat = vectors.reshape(-1, vectors.shape[-1])
        indices = self.indices(flat)
        grid = indices.view(vectors.shape[:-1])
        quantised = self.look_up(grid)
        if self.training:
            self.update(flat, indices)
        loss = self.commitment * F.mse_loss(latents, quantised)
        return latents + (quantised - latents).detach(), grid, loss

    @torch.no_grad()
    def update(self, vectors: Tensor, indices: Tensor, epsilon: float = 1e-5) -> None:
        """One step of the averages and, with Laplace smoothing, of the codes."""
        counts = torch.bincount(indices, minlength=len(self.codes)).to(self.counts)
        sums = torch.zeros_like(self.sums).index_add_(0, indices, vectors)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        total = self.counts.sum()
        smoothed = (self.counts + epsilon) / (total + len(self.codes) * epsilon) * total
        self.codes = self.sums / smoothed[:, None]


class Autoencoder(nn.Module):
    """The VQ-VAE."""

    def __init__(self, configuration: AutoencoderConfiguration):
        super().__init__()
        self.configuration = configuration
        self.encoder = Encoder(configuration)
        self.quantiser = Quantiser(configuration)
        self.decoder = Decoder(configuration)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstructions and the commitment loss."""
        quantised, _, commitment = self.quantiser(self.encoder(images))
        return self.decoder(quantised), commitment

    def encode(self, images: Tensor) -> Tensor:
        """Indices of codes `[B, h, w]`; call it in evaluation mode."""
        return self.quantiser(self.encoder(images))[1]


def amplitudes(images: Tensor) -> Tensor:
    """Of the orthonormal Fourier transform over channels and space; the constant keeps the gradient finite."""
    spectrum = torch.fft.fftn(images, dim=tuple(range(1, images.ndim)), norm="ortho")
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()


def spectral_loss(reconstruction: Tensor, images: Tensor) -> Tensor:
    """Mean squared difference of amplitudes."""
    return F.mse_loss(amplitudes(reconstruction), amplitudes(images))


@dataclass(frozen=True)
class TransformerConfiguration:
    """Exact attention and, at the masked places, a token of their own, unless said otherwise."""

    grid: tuple[int, ...] = (16, 16)
    codes: int = 256
    width: int = 256
    layers: int = 10
    heads: int = 8
    head_width: int = 64
    masks_input: bool = True
    """Whether masked tokens are replaced by token K + 1; else their codes still reach their own slots."""
    spatial_positions: bool = False
    """Whether slots also carry where the token that they hold lies in the grid."""
    context_codes: int = 0
    """Codes of the context read by cross-attention; 0: no context."""
    features: int = 0
    """Random features of linear attention; 0: exact attention."""

    @property
    def tokens(self) -> int:
        return math.prod(self.grid)


def random_projection(features: int, width: int) -> Tensor:
    """Rows for FAVOR+, `[features, width]`: orthogonal within blocks of `width`, normed as normal vectors are."""
    blocks = [torch.linalg.qr(torch.randn(width, width)).Q.T for _ in range(-(-features // width))]
    return torch.cat(blocks)[:features] * torch.randn(features, width).norm(dim=1, keepdim=True)


def random_features(vectors: Tensor, projection: Tensor, stabiliser: Tensor | float = 0.0, offset: float = 0) -> Tensor:
    """Positive features `[..., n, m]` of `[..., n, d]`: m^-1/2 (exp(W u - |u|²/2 - c) + offset), u = x / d^1/4."""
    scaled = vectors / vectors.shape[-1] ** 0.25
    exponents = scaled @ projection.T - scaled.square().sum(-1, keepdim=True) / 2
    return (torch.exp(exponents - stabiliser) + offset) / math.sqrt(len(projection))


def linear_attention(
    queries: Tensor, keys: Tensor, values: Tensor, projection: Tensor, keep: Tensor | None = None, causal: bool = True
) -> Tensor:
    """FAVOR+ `[..., n, d]` without an offset and with a constant stabiliser: a prefix gives a prefix.

    Keys outside `keep` `[..., n]` are left out of both sums.
    """
    queries, keys = random_features(queries, projection), random_features(keys, projection)
    if keep is not None:
        keys = keys * keep[..., None]
    if not causal:
        sums = keys.transpose(-2, -1) @ values
        return queries @ sums / (queries @ keys.sum(-2)[..., None])
    sums = (keys[..., :, None] * values[..., None, :]).cumsum(-3)
    read = (queries[..., None, :] @ sums).squeeze(-2)
    return read / (queries * keys.cumsum(-2)).sum(-1, keepdim=True)


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """`[B, n, heads * d]` to `[B, heads, n, d]`."""
    return tokens.unflatten(-1, (heads, -1)).transpose(1, 2)


Cache = list[tuple[Tensor, Tensor]]
"""Keys and values `[B, heads, n, d]` of each layer."""


class Attention(nn.Module):
    def __init__(self, configuration: TransformerConfiguration):
        super().__init__()
        inner = configuration.heads * configuration.head_width
        self.heads = configuration.heads
        self.queries = nn.Linear(configuration.width, inner, bias=False)
        self.keys = nn.Linear(configuration.width, inner, bias=False)
        self.values = nn.Linear(configuration.width, inner, bias=False)
        self.output = nn.Linear(inner, configuration.width, bias=False)
        self.projection = None
        if configuration.features > 0:
            self.register_buffer("projection", random_projection(configuration.features, configuration.head_width))

    def heads_of(self, *tokens: Tensor) -> list[Tensor]:
        return [split_heads(part, self.heads) for part in tokens]

    def merged(self, attended: Tensor) -> Tensor:
        return self.output(attended.transpose(1, 2).flatten(2))

    def forward(self, tokens: Tensor, keep: Tensor | None = None) -> Tensor:
        """Causal self-attention of `[B, n, width]`; slots outside `keep` `[B, n]` are no keys."""
        queries, keys, values = self.heads_of(self.queries(tokens), self.keys(tokens), self.values(tokens))
        if self.projection is not None:
            keep = keep if keep is None else keep[:, None].to(tokens.dtype)
            return self.merged(linear_attention(queries, keys, values, self.projection, keep))
        if keep is None:
            return self.merged(F.scaled_dot_product_attention(queries, keys, values, is_causal=True))
        causal = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool, device=tokens.device).tril()
        allowed = causal & (keep > 0)[:, None, None, :]
        return self.merged(F.scaled_dot_product_attention(queries, keys, values, attn_mask=allowed))

    def read(self, tokens: Tensor, context: Tensor) -> Tensor:
        """Cross-attention of `[B, n, width]` onto the whole context `[B, L, width]`."""
        queries, keys, values = self.heads_of(self.queries(tokens), self.keys(context), self.values(context))
        if self.projection is not None:
            return self.merged(linear_attention(queries, keys, values, self.projection, causal=False))
        return self.merged(F.scaled_dot_product_attention(queries, keys, values))

    def extend(self, tokens: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Causal exact self-attention of the tokens that follow the cached ones, and what to cache then."""
        queries, keys, values = self.heads_of(self.queries(tokens), self.keys(tokens), self.values(tokens))
        if past is None:
            attended = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        else:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
            count, total = queries.shape[2], keys.shape[2]
            square = torch.ones(count, total, dtype=torch.bool, device=tokens.device)
            allowed = square.tril(total - count) if count > 1 else None
            attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=allowed)
        return self.merged(attended), (keys, values)


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.contract(F.gelu(self.expand(tokens)))


class Block(nn.Module):
    """Self-attention and feed-forward; with a context, cross-attention and a second feed-forward after them."""

    def __init__(self, configuration: TransformerConfiguration):
        super().__init__()
        width = configuration.width
        self.norm1, self.attention = nn.LayerNorm(width), Attention(configuration)
        self.norm2, self.feed_forward = nn.LayerNorm(width), FeedForward(width)
        self.reads = configuration.context_codes > 0
        if self.reads:
            self.norm3, self.cross_attention = nn.LayerNorm(width), Attention(configuration)
            self.norm4, self.cross_feed_forward = nn.LayerNorm(width), FeedForward(width)

    def forward(self, tokens: Tensor, keep: Tensor | None, context: Tensor | None) -> Tensor:
        return self.rest(tokens + self.attention(self.norm1(tokens), keep), context)

    def extend(self, tokens: Tensor, past, context: Tensor | None):
        attended, cached = self.attention.extend(self.norm1(tokens), past)
        return self.rest(tokens + attended, context), cached

    def rest(self, tokens: Tensor, context: Tensor | None) -> Tensor:
        tokens = tokens + self.feed_forward(self.norm2(tokens))
        if self.reads:
            tokens = tokens + self.cross_attention.read(self.norm3(tokens), context)
            tokens = tokens + self.cross_feed_forward(self.norm4(tokens))
        return tokens


class Transformer(nn.Module):
    """Logits of each token given those before it, and the context."""

    def __init__(self, configuration: TransformerConfiguration, order: Tensor | None = None):
        """`order` `[L]` lists the cells of the grid (row-major) in sequence order; row-major itself by default."""
        super().__init__()
        self.configuration = configuration
        width, tokens = configuration.width, configuration.tokens
        self.token_embedding = nn.Embedding(configuration.codes + 1 + configuration.masks_input, width)
        self.positions = nn.Embedding(tokens + 1, width)
        self.axes = nn.ModuleList()
        if configuration.spatial_positions:
            self.axes.extend(nn.Embedding(extent, width) for extent in configuration.grid)
        if configuration.context_codes > 0:
            self.context_embedding = nn.Embedding(configuration.context_codes + 1, width)
        self.blocks = nn.ModuleList(Block(configuration) for _ in range(configuration.layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, configuration.codes + 1)
        order = torch.arange(tokens) if order is None else order
        coordinates = torch.stack(torch.unravel_index(order, configuration.grid), dim=1)
        self.register_buffer("coordinates", coordinates, persistent=False)

    def places(self, first: int, count: int) -> Tensor:
        """What slots `first ..< first + count` add to the embedding of what they hold: `[count, width]`."""
        places = self.positions.weight[first : first + count]
        if len(self.axes) > 0:
            spatial = sum(table(self.coordinates[:, axis]) for axis, table in enumerate(self.axes))
            places = places + F.pad(spatial, (0, 0, 1, 0))[first : first + count]
        return places

    def begin(self, tokens: Tensor, code: int) -> Tensor:
        """`tokens` `[B, n]` behind the begin token."""
        return F.pad(tokens, (1, 0), value=code)

    def embedded_context(self, context: Tensor | None) -> Tensor | None:
        """The context's tokens `[B, L]` behind their begin token, cropped to L, with the places of their slots."""
        if self.configuration.context_codes == 0:
            return None
        inputs = self.begin(context[:, :-1], self.configuration.context_codes)
        return self.context_embedding(inputs) + self.places(0, inputs.shape[1])

    def run(self, inputs: Tensor, keep: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        """Logits `[B, n, K + 1]` of the first n slots, which hold `inputs` and are keys where `keep` `[B, n]` is 1."""
        context = self.embedded_context(context)
        tokens = self.token_embedding(inputs) + self.places(0, inputs.shape[1])
        for block in self.blocks:
            tokens = block(tokens, keep, context)
        return self.head(self.norm(tokens))

    def forward(self, tokens: Tensor, keep: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        """Logits `[B, L, K + 1]` of all `tokens` `[B, L]`; those outside `keep` `[B, L]` tell the others nothing."""
        inputs = self.begin(tokens[:, :-1], self.configuration.codes)
        if keep is not None:
            keep = F.pad(keep[:, :-1], (1, 0), value=1)
            if self.configuration.masks_input:
                inputs = torch.where(keep > 0, inputs, self.configuration.codes + 1)
        return self.run(inputs, keep, context)

    def extend(
        self, inputs: Tensor, cache: Cache | None = None, context: Tensor | None = None
    ) -> tuple[Tensor, Cache]:
        """Logits of the slots that follow the cached ones and hold `inputs` `[B, n]`, and the longer cache."""
        first = 0 if cache is None else cache[0][0].shape[2]
        context = self.embedded_context(context)
        tokens = self.token_embedding(inputs) + self.places(first, inputs.shape[1])
        longer = []
        for index, block in enumerate(self.blocks):
            tokens, cached = block.extend(tokens, None if cache is None else cache[index], context)
            longer.append(cached)
        return self.head(self.norm(tokens)), longer


def masked_cross_entropy(logits: Tensor, tokens: Tensor, keep: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the kept tokens of the whole batch; 0 without gradient where none is kept."""
    losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none").view(tokens.shape)
    if keep is None:
        return losses.mean()
    weight = keep.sum()
    return (losses * keep).sum() / torch.where(weight > 0, weight, 1)
