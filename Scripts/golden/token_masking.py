"""Writes the golden files of iterative latent token masking, `Tests/NormaTests/Golden/TokenMasking/`.

    python Scripts/golden/token_masking.py

Needs torch, numpy, scipy, scikit-learn and safetensors. All comes from the reference
`Benchmarks/pytorch/token_masking.py` and `token_healing.py`, after `check` held it against the published sizes and
against what must be true of any right implementation. Masked logits must be those that plain matrix products give once
the masked slots are cut out; healed tokens are those of a pass over the whole prefix for every one of them.

Letters are those of the reference. Networks are computed in float64 from weights that float32 holds exactly, and
stored as float32 unless said. `grid` is `h, w` or `d, h, w`. Every weight of a network is there and has a gradient.

`vqvae-2d.safetensors`, `vqvae-3d.safetensors`, metadata `configuration` (the reference's, as JSON):

    network.<name>               weights and, at `quantiser`, codes [K, E], counts [K] and sums [K, E] of the averages
    image                        [B, C, extents]  in [0, 1]
    latents                      [B, E, grid]     the encoder's output
    indices                      [B, grid]        int64; the second-nearest codes are clearly farther
    quantised                    [B, E, grid]
    reconstruction               [B, C, extents]  without dropout
    loss.absolute, loss.squared  []               float64, pixel losses
    loss.spectral                []               float64
    loss.commitment              []               float64, times 0.25
    gradient.<name>              of squared + spectral + commitment, for some of the weights
    after.codes|counts|sums      the quantiser after one training pass (`decay` of the configuration)
    channels                     [D, width / 2]   0 or 1, channels that dropout keeps before the last layer
    decodings                    [D, C, extents]  of the first image, with them (and divided by 1 - 0.25)

`transformer-plain`, `-spatial`, `-context.safetensors`, metadata `configuration`:

    network.<name>
    order                        [L]      int64, cells of the grid (row-major) in sequence order
    tokens, context              [B, L]   int64, in sequence order; context in `-context` only
    keep                         [B, L]   float32, 1: trusted
    logits                       [B, L, K + 1]  nothing masked
    logits.masked                [B, L, K + 1]  masked by `keep`, excluded exactly
    loss, loss.masked            []       float64
    gradient.<name>              of loss.masked, for some of the weights
    likelihoods                  [B, L]   float64, nothing masked
    flags                        [L]      float32, tokens of the first image to heal
    uniforms                     [S, L]   float32, one for every token; used where flagged
    healed                       [S, L]   int64: the first code whose cumulative probability exceeds the uniform number

| case | grid | order | masked tokens | positions | context |
|---|---|---|---|---|---|
| plain | 3 x 4 | rows | token K + 1 | sequence | none |
| spatial | 3 x 4 | shuffled | keep their codes | sequence and grid | none |
| context | 2 x 3 x 2 | shuffled | token K + 1 | sequence and grid | cross-attention, 5 codes |
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests" / "NormaTests" / "Golden" / "TokenMasking"
sys.path.insert(0, str(ROOT / "Benchmarks" / "pytorch"))

import token_healing as healing  # noqa: E402
import token_masking as reference  # noqa: E402

AUTOENCODERS = {
    "2d": (
        reference.AutoencoderConfiguration(
            channels=2, levels=3, width=8, units=2, codes=6, code_width=3, decoder_dropout=0.25, decay=0.9
        ),
        (16, 24),
    ),
    "3d": (
        reference.AutoencoderConfiguration(
            dimensions=3, levels=2, width=6, units=1, codes=6, code_width=3, decoder_dropout=0.25, decay=0.9
        ),
        (8, 12, 8),
    ),
}
TRANSFORMERS = {
    "plain": reference.TransformerConfiguration(grid=(3, 4), codes=7, width=12, layers=2, heads=2, head_width=8),
    "spatial": reference.TransformerConfiguration(
        grid=(3, 4), codes=7, width=12, layers=2, heads=2, head_width=4, masks_input=False, spatial_positions=True
    ),
    "context": reference.TransformerConfiguration(
        grid=(2, 3, 2), codes=7, width=8, layers=2, heads=2, head_width=8, spatial_positions=True, context_codes=5
    ),
}
GRADIENTS = [
    "encoder.levels.0.down.weight",
    "encoder.levels.1.units.0.conv1.bias",
    "encoder.end.weight",
    "decoder.start.bias",
    "decoder.levels.0.units.0.conv2.weight",
    "decoder.levels.1.up.weight",
    "token_embedding.weight",
    "context_embedding.weight",
    "positions.weight",
    "axes.1.weight",
    "blocks.0.attention.queries.weight",
    "blocks.1.attention.keys.weight",
    "blocks.0.norm2.weight",
    "blocks.1.feed_forward.contract.bias",
    "blocks.0.cross_attention.values.weight",
    "head.bias",
]
"""Weights whose gradients are written where a case has them."""
BATCH, SAMPLES, DECODINGS = 2, 3, 3
CLEARANCE = 1e-4
"""Least distance of what is compared before it is rounded to a choice."""

def write(name: str, contents: dict[str, Tensor], configuration) -> None:
    metadata = {"configuration": json.dumps(dataclasses.asdict(configuration))}
    contents = {key: value.detach().contiguous().clone() for key, value in contents.items()}
    (TARGET / f"{name}.safetensors").write_bytes(save(contents, metadata))

def smooth_images(count: int, channels: int, extents: tuple[int, ...]) -> Tensor:
    """Blurred noise filling [0, 1], float32-exact float64."""
    noise = torch.rand(count, channels, *(max(2, extent // 4) for extent in extents))
    mode = "bilinear" if len(extents) == 2 else "trilinear"
    images = F.interpolate(noise, size=extents, mode=mode, align_corners=False)
    return (images + 0.1 * torch.rand(count, channels, *extents)).clamp(0, 1).double()


@torch.no_grad()
def vivid(network: nn.Module) -> nn.Module:
    """In float64, evaluation mode, with no bias or scale at its initial value."""
    for name, parameter in network.named_parameters():
        if parameter.ndim == 1:
            parameter.add_(torch.empty_like(parameter).uniform_(-0.3, 0.3))
        elif name.startswith(("encoder", "decoder")):
            parameter.mul_(1.5)
        elif name.startswith("blocks") and "embedding" not in name:
            parameter.mul_(2)
    return network.double().eval()


def gradients(network: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """Of the listed weights; every weight that exists must have one."""
    network.zero_grad()
    loss.backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    faint = [name for name, value in found.items() if value is None or value.norm() < 1e-6]
    assert not faint, f"no gradient at {', '.join(faint)}"
    return {f"gradient.{name}": found[name].float() for name in GRADIENTS if name in found}


def stored(network: nn.Module) -> dict[str, Tensor]:
    return {f"network.{name}": value.float() for name, value in network.state_dict().items()}


def write_autoencoder(case: str, seed: int) -> bool:
    """Writes one file, unless this seed's latents are too near to the border between two codes or use few of them."""
    configuration, extents = AUTOENCODERS[case]
    torch.manual_seed(seed)
    network = vivid(reference.Autoencoder(configuration))
    image = smooth_images(BATCH, configuration.channels, extents)
    vectors = network.encoder(image).detach().movedim(1, -1).flatten(0, -2)
    chosen = vectors[torch.randperm(len(vectors))[: configuration.codes]].float().double()
    network.quantiser.codes, network.quantiser.sums = chosen, chosen.clone()
    network.quantiser.counts = torch.ones(configuration.codes, dtype=torch.float64)
    ranked = (torch.cdist(vectors, chosen) ** 2).sort(dim=1).values
    if (ranked[:, 1] - ranked[:, 0]).min() < CLEARANCE * ranked.max():
        return False
    contents = stored(network)
    latents = network.encoder(image)
    quantised, indices, commitment = network.quantiser(latents)
    if len(indices.unique()) < 4:
        return False
    reconstruction = network.decoder(quantised)
    losses = {
        "absolute": F.l1_loss(reconstruction, image),
        "squared": F.mse_loss(reconstruction, image),
        "spectral": reference.spectral_loss(reconstruction, image),
        "commitment": commitment,
    }
    contents |= {"image": image.float(), "latents": latents.float(), "indices": indices}
    contents |= {"quantised": quantised.float(), "reconstruction": reconstruction.float()}
    contents |= {f"loss.{name}": loss for name, loss in losses.items()}
    contents |= gradients(network, losses["squared"] + losses["spectral"] + losses["commitment"])
    channels = (torch.rand(DECODINGS, configuration.widths[0]) > 0.5).double()
    spread = channels.view(DECODINGS, -1, *[1] * len(extents)) / (1 - configuration.decoder_dropout)
    decodings = network.decoder.levels[-1].up(network.decoder.trunk(quantised[:1]) * spread)
    contents |= {"channels": channels.float(), "decodings": decodings.float()}
    network.quantiser.train()
    network.quantiser(latents)
    contents |= {f"after.{name}": value.float() for name, value in network.quantiser.named_buffers()}
    write(f"vqvae-{case}", contents, configuration)
    return True


def without_masked(network: nn.Module, tokens: Tensor, keep: Tensor, context: Tensor | None) -> Tensor:
    """Logits `[1, L, K + 1]` of one sequence, each slot computed by itself after cutting the masked ones before it out."""
    configuration, slots = network.configuration, []
    begun = network.begin(tokens[:, :-1], configuration.codes)[0]
    kept = F.pad(keep[0, :-1], (1, 0), value=1) > 0
    inputs = torch.where(kept, begun, configuration.codes + 1) if configuration.masks_input else begun
    places, read = network.places(0, configuration.tokens), network.embedded_context(context)
    for slot in range(configuration.tokens):
        # A masked slot still asks, but nobody sees it, not even itself.
        seen = [other for other in range(slot + 1) if kept[other] or other == slot]
        rows = network.token_embedding(inputs[seen]) + places[seen]
        allowed = torch.tensor([[kept[key].item() and key <= query for key in seen] for query in seen])
        for block in network.blocks:
            normed = block.norm1(rows)
            parts = (block.attention.queries(normed), block.attention.keys(normed), block.attention.values(normed))
            queries, keys, values = (part.unflatten(-1, (configuration.heads, -1)).transpose(0, 1) for part in parts)
            scores = queries @ keys.mT / math.sqrt(configuration.head_width)
            attended = scores.masked_fill(~allowed, -math.inf).softmax(-1) @ values
            rows = rows + block.attention.output(attended.transpose(0, 1).flatten(1))
            rows = block.rest(rows[None], read)[0]
        slots.append(network.head(network.norm(rows))[-1])
    return torch.stack(slots)[None]


def write_transformer(case: str, seed: int) -> bool:
    """Writes one file, unless this seed's uniform numbers are too near to the border between two codes."""
    configuration = TRANSFORMERS[case]
    length = configuration.tokens
    torch.manual_seed(seed)
    order = torch.arange(length) if case == "plain" else torch.randperm(length)
    network = vivid(reference.Transformer(configuration, order))
    tokens = torch.randint(configuration.codes, (BATCH, length))
    context = torch.randint(configuration.context_codes, (BATCH, length)) if configuration.context_codes > 0 else None
    keep = (torch.rand(BATCH, length) > 0.35).double()
    keep[0, 0], keep[1, 0] = 0, 1
    contents = stored(network) | {"order": order, "tokens": tokens, "keep": keep.float()}
    contents |= {} if context is None else {"context": context}
    logits, masked = network(tokens, context=context), network(tokens, keep, context)
    cut = [
        without_masked(network, row, kept, read)
        for row, kept, read in zip(tokens.split(1), keep.split(1), [None] * BATCH if context is None else context.split(1))
    ]
    close(masked, torch.cat(cut))
    contents |= {"logits": logits.float(), "logits.masked": masked.float()}
    contents |= {"loss": reference.masked_cross_entropy(logits, tokens)}
    loss = reference.masked_cross_entropy(masked, tokens, keep)
    close(loss, F.cross_entropy(masked[keep > 0], tokens[keep > 0]))
    contents |= {"loss.masked": loss, "likelihoods": healing.likelihoods(network, tokens, context)}
    contents |= gradients(network, loss)
    flags = torch.zeros(length).index_fill_(0, torch.tensor([0, 3, 4, 8, length - 1]), 1)
    uniforms = torch.rand(SAMPLES, length)
    first = None if context is None else context[:1]
    clearance = []
    drawn = healing.drawn

    def watched(logits: Tensor, codes: int, numbers: Tensor) -> Tensor:
        borders = logits[:, :codes].softmax(-1).cumsum(-1)[:, :-1]
        clearance.append((borders - numbers[:, None]).abs().min().item())
        return drawn(logits, codes, numbers)

    healing.drawn = watched
    try:
        arguments = (network, tokens[0], flags, SAMPLES, uniforms.double(), first)
        healed = healing.heal_officially(*arguments)
        assert healed.equal(healing.heal(*arguments))
    finally:
        healing.drawn = drawn
    if min(clearance) < CLEARANCE or len(healed.unique(dim=0)) < SAMPLES:
        return False
    contents |= {"flags": flags, "uniforms": uniforms, "healed": healed}
    write(f"transformer-{case}", contents, configuration)
    return True

def close(value: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(value, expected, rtol=tolerance, atol=tolerance)

def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def check_parameters() -> None:
    """The published networks, without codebook and mask token."""
    with torch.device("meta"):
        for dimensions, channels, count in [(2, 1, 8_072_321), (2, 3, 8_080_515), (3, 1, 24_599_681)]:
            configuration = reference.AutoencoderConfiguration(dimensions, channels)
            assert parameters(reference.Encoder(configuration)) + parameters(reference.Decoder(configuration)) == count
        small = reference.TransformerConfiguration(masks_input=False)
        large = dataclasses.replace(small, grid=(26, 21, 27), layers=14)
        paired = dataclasses.replace(large, context_codes=256)
        for configuration, count in [(small, 10_706_945), (large, 18_618_881), (paired, 33_396_993)]:
            assert parameters(reference.Transformer(configuration, torch.arange(configuration.tokens))) == count

def check_transformer() -> None:
    """Causality, the shift, isolation of masked tokens, cached and whole passes."""
    torch.manual_seed(11)
    configuration = reference.TransformerConfiguration(grid=(3, 4), codes=7, width=12, layers=2, heads=2, head_width=8)
    network = vivid(reference.Transformer(configuration))
    tokens = torch.randint(7, (2, 12))
    changed = tokens.clone()
    changed[:, 5] = (tokens[:, 5] + 1) % 7
    difference = (network(tokens) - network(changed)).abs().amax((0, 2))
    assert (difference[:6] == 0).all() and (difference[6:] > 0).all()
    keep = torch.ones(2, 12).index_fill_(1, torch.tensor([5]), 0)
    assert network(tokens, keep).equal(network(changed, keep))
    leaking = vivid(reference.Transformer(dataclasses.replace(configuration, masks_input=False)))
    difference = (leaking(tokens, keep) - leaking(changed, keep)).abs().amax((0, 2))
    assert difference.nonzero().flatten().tolist() == [6]
    inputs = network.begin(tokens[:, :-1], 7)
    for sizes in [(12,), (1,) * 12, (7, 5), (2, 1, 6, 3)]:
        parts, cache = [], None
        for chunk in inputs.split(sizes, dim=1):
            logits, cache = network.extend(chunk, cache)
            parts.append(logits)
        close(torch.cat(parts, dim=1), network(tokens))
    assert reference.masked_cross_entropy(network(tokens), tokens, torch.zeros(2, 12)).item() == 0

def check_places() -> None:
    """A slot carries its number and the place of the token that it holds; the context's slots likewise."""
    torch.manual_seed(13)
    configuration, order = TRANSFORMERS["context"], torch.randperm(12)
    network = vivid(reference.Transformer(configuration, order))
    context = torch.randint(5, (1, 12))
    places, read = network.places(0, 12), network.embedded_context(context)[0]
    for slot in range(12):
        place = network.positions.weight[slot]
        if slot > 0:
            cell = order[slot - 1].item()
            for table, coordinate in zip(network.axes, (cell // 6, cell // 2 % 3, cell % 2)):
                place = place + table.weight[coordinate]
        close(places[slot], place)
        close(read[slot], place + network.context_embedding.weight[5 if slot == 0 else context[0, slot - 1]])


def check_draws() -> None:
    """Codes alone are drawn, however likely the begin token, each as often as its renormalised probability says."""
    weights = [1.0, 3.0, 0.0, 6.0]
    logits = torch.tensor([[*weights, 1000.0]], dtype=torch.float64).log()
    for uniform, code in [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.3999, 1), (0.4001, 3), (0.9999, 3)]:
        assert healing.drawn(logits, 4, torch.tensor([uniform], dtype=torch.float64)).item() == code
    torch.manual_seed(14)
    drawn = healing.drawn(logits.expand(20_000, -1), 4)
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    assert len(shares) == 4 and (shares - torch.tensor(weights) / 10).abs().max() < 0.02


def check_decoding() -> None:
    """Without dropout the shared trunk gives whole passes; masks widen by the specification's measure."""
    torch.manual_seed(12)
    configuration = dataclasses.replace(AUTOENCODERS["2d"][0], decoder_dropout=0.0)
    network = vivid(reference.Autoencoder(configuration))
    sequences, inverse = torch.randint(6, (3, 6)), torch.randperm(6)
    arguments = (network, sequences, inverse, (2, 3), 2)
    close(healing.decode(*arguments), healing.decode_officially(*arguments))
    flags = np.zeros((16, 16))
    assert not healing.evaluation_mask(flags, 8).any()
    flags[7, 8] = 1
    rows = healing.evaluation_mask(flags, 8).any(axis=1).sum()
    assert abs(rows - 42) <= 2, f"a flagged cell widens to {rows} pixels"


def main() -> None:
    torch.set_num_threads(1)
    check_parameters()
    check_transformer()
    check_places()
    check_draws()
    check_decoding()
    TARGET.mkdir(parents=True, exist_ok=True)
    for case in AUTOENCODERS:
        print(f"vqvae-{case}: seed {next(seed for seed in range(1000) if write_autoencoder(case, seed))}")
    for case in TRANSFORMERS:
        print(f"transformer-{case}: seed {next(seed for seed in range(1000) if write_transformer(case, seed))}")


if __name__ == "__main__":
    main()
