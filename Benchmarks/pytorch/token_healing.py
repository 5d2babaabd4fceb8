"""Detection by iterative latent token masking: likelihoods, healing, dropout decodings and density maps.

Each step stands here as the authors run it (`..._officially`: one sequence, one decoding, one pixel at a time) and as
the same values without wasted work. Words and letters are those of `token_masking.py`.
"""

from __future__ import annotations

import math
from typing import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from sklearn.neighbors import KernelDensity
from torch import Tensor

from token_masking import Autoencoder, Transformer


@torch.inference_mode()
def likelihoods(transformer: Transformer, tokens: Tensor, context: Tensor | None = None) -> Tensor:
    """The probability of each token `[B, L]` given those before it."""
    return transformer(tokens, context=context).softmax(-1).gather(-1, tokens[..., None]).squeeze(-1)


def drawn(logits: Tensor, codes: int, uniforms: Tensor | None = None) -> Tensor:
    """A code `[B]` from each row of logits `[B, K + 1]`, the begin token excluded.

    Given uniform numbers `[B]`, the first code whose cumulative probability exceeds them.
    """
    probabilities = logits[:, :codes].softmax(-1)
    if uniforms is None:
        return torch.multinomial(probabilities, 1).squeeze(1)
    return (probabilities.cumsum(-1) <= uniforms[:, None]).sum(-1).clamp(max=codes - 1)


@torch.inference_mode()
def heal_officially(
    transformer: Transformer,
    tokens: Tensor,
    flags: Tensor,
    samples: int,
    uniforms: Tensor | None = None,
    context: Tensor | None = None,
) -> Tensor:
    """Healed sequences `[S, L]` of one image's tokens `[L]`: for each sample and flagged token a pass over the prefix.

    `uniforms` is `[S, L]`, `context` `[1, L]`.
    """
    codes, healed = transformer.configuration.codes, []
    for sample in range(samples):
        sequence = tokens.clone()
        for position in flags.nonzero().flatten().tolist():
            inputs = transformer.begin(sequence[None, :position], codes)
            logits = transformer.run(inputs, context=context)[:, -1]
            number = None if uniforms is None else uniforms[sample, position : position + 1]
            sequence[position] = drawn(logits, codes, number).item()
        healed.append(sequence)
    return torch.stack(healed)


@torch.inference_mode()
def heal(
    transformer: Transformer,
    tokens: Tensor,
    flags: Tensor,
    samples: int,
    uniforms: Tensor | None = None,
    context: Tensor | None = None,
) -> Tensor:
    """The same by all samples at once, with cached keys and values: a pass for each run of tokens between two flags."""
    healed, codes = tokens.repeat(samples, 1), transformer.configuration.codes
    flagged = flags.nonzero().flatten().tolist()
    if not flagged:
        return healed
    logits, cache = transformer.extend(transformer.begin(tokens[None, : flagged[0]], codes), context=context)
    cache = [tuple(part.expand(samples, -1, -1, -1) for part in layer) for layer in cache]
    logits = logits[:, -1].expand(samples, -1)
    context = None if context is None else context.expand(samples, -1)
    for position, following in zip(flagged, [*flagged[1:], None]):
        healed[:, position] = drawn(logits, codes, None if uniforms is None else uniforms[:, position])
        if following is not None:
            logits, cache = transformer.extend(healed[:, position:following], cache, context)
            logits = logits[:, -1]
    return healed


@torch.inference_mode()
def decode_officially(autoencoder: Autoencoder, sequences: Tensor, inverse: Tensor, grid, decodings: int) -> Tensor:
    """Reconstructions `[S * D, C, H, W]` of sequences `[S, L]`, one decoder pass each, the stack grown by one each."""
    autoencoder.decoder.train()
    stack = None
    for sequence in sequences:
        for _ in range(decodings):
            quantised = autoencoder.quantiser.look_up(sequence[inverse].view(1, *grid))
            image = autoencoder.decoder(quantised)
            stack = image if stack is None else torch.cat([stack, image])
    autoencoder.decoder.eval()
    return stack


@torch.inference_mode()
def decode(autoencoder: Autoencoder, sequences: Tensor, inverse: Tensor, grid, decodings: int) -> Tensor:
    """The same with the part before the dropout once a sequence; needs dropout before the last layer only."""
    quantised = autoencoder.quantiser.look_up(sequences[:, inverse].view(-1, *grid))
    features = autoencoder.decoder.trunk(quantised).repeat_interleave(decodings, dim=0)
    dropout = F.dropout2d if len(grid) == 2 else F.dropout3d
    return autoencoder.decoder.levels[-1].up(dropout(features, autoencoder.configuration.decoder_dropout))


def evaluation_mask(flags: np.ndarray, cell: int) -> np.ndarray:
    """Where to look, at pixel resolution: flagged cells of the grid, widened by a Gaussian of 3/4 of a cell.

    Nothing where nothing is flagged.
    """
    widened = flags.astype(np.float32)
    for axis in range(flags.ndim):
        widened = widened.repeat(cell, axis)
    widened = gaussian_filter(widened, 0.75 * cell, mode="constant")
    return widened > 0.05 * 0.075 * widened.max()


def bandwidths(samples: Tensor, floor: float = 0.025, added: bool = True) -> Tensor:
    """The rule of thumb of `[n, ...]`, 1.06 σ n^(-1/5) with the population's σ; plus the floor, or at least the floor."""
    rule = 1.06 * samples.std(0, correction=0) * len(samples) ** -0.2
    return rule + floor if added else rule.clamp(min=floor)


def densities_officially(
    values: Tensor, samples: Tensor, widths: Tensor, pixels: Iterable[int] | None = None
) -> Tensor:
    """Log-densities `[V]` of `values` `[V]` among `samples` `[n, V]`, a scikit-learn estimate each; of all or some."""
    pixels = range(len(values)) if pixels is None else pixels
    result = [
        KernelDensity(bandwidth=widths[pixel].item(), kernel="gaussian")
        .fit(samples[:, pixel : pixel + 1].numpy())
        .score_samples(values[pixel].reshape(1, 1).numpy())[0]
        for pixel in pixels
    ]
    return torch.tensor(result, dtype=torch.float64)


def densities(values: Tensor, samples: Tensor, widths: Tensor, chunk: int = 1 << 18) -> Tensor:
    """The same as one expression, `chunk` pixels at once."""
    parts = zip(values.split(chunk), samples.split(chunk, dim=1), widths.split(chunk))
    constant = math.log(len(samples) * math.sqrt(2 * math.pi))
    return torch.cat(
        [
            torch.logsumexp(-0.5 * ((value - sample) / width).square(), dim=0) - width.log() - constant
            for value, sample, width in parts
        ]
    )


def suspicion(log_densities: Tensor, widths: Tensor) -> Tensor:
    """-log(p h √(2π) + 1e-12): the density relative to the kernel's peak, 0 where nothing is unusual."""
    return -torch.log(torch.exp(log_densities) * widths * math.sqrt(2 * math.pi) + 1e-12)
