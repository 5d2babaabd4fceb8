"""Writes the golden files of iterative latent token masking that need no network.

    python Scripts/golden/token_masking_figures.py

Needs torch, numpy, scipy, scikit-learn and safetensors. scikit-learn estimates the densities; bandwidths and curves are
written out below; the rest comes from the reference `Benchmarks/pytorch/token_masking.py`, which must give the numbers
of `check` before anything is written. In `Tests/NormaTests/Golden/TokenMasking/`:

`attention.safetensors`, all float64: queries, keys, values [2, 2, 12, 8], projection [20, 8], keep [2, 12] (1: a key),
features.queries, features.keys [2, 2, 12, 20] (stabiliser 0, no offset), output and output.masked [2, 2, 12, 8]
(causal; nothing added to the normaliser).

`density.safetensors`, all float64 [4, 4, 4]: values, samples [4, 4, 4, 12] (some outside [0, 1]: everything else is of
samples clamped to it; some voxels constant), and for rule `added` (floor 0.025) and `atLeast` (floor 0.05):
bandwidth.<rule>, logDensity.<rule> (scikit-learn), score.<rule> (-log(p h sqrt(2 pi) + 1e-12)).

`figures.json`:

    bandwidths  samples; bandwidth (improved Sheather-Jones); fellBack (to the rule of thumb, without a floor); tolerance
                (largest relative change where samples on the edge of a bin fall into the other one, and 1e-6 more)
    averages    steps of the quantiser: decay, codes, counts, sums, vectors; after: what holds after each step
    curves      extents; cells (row-major indices in the order of the generalised Hilbert curve)
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from scipy.fft import dct
from scipy.optimize import brentq
from sklearn.neighbors import KernelDensity
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests" / "NormaTests" / "Golden" / "TokenMasking"
sys.path.insert(0, str(ROOT / "Benchmarks" / "pytorch"))

import token_healing as healing  # noqa: E402
import token_masking as reference  # noqa: E402


def rule_of_thumb(samples: np.ndarray) -> float:
    return 1.06 * samples.std() * len(samples) ** -0.2


def fixed_point(time: float, count: int, squares: np.ndarray, energies: np.ndarray) -> float:
    """t - ξγ⁵(t) of Botev, Grotowski and Kroese 2010, section 3, with l = 7."""

    def roughness(order: int, time: float) -> float:
        """‖f⁽ᵒʳᵈᵉʳ⁾‖² of the data smoothed for `time`, on the unit mesh."""
        return 2 * math.pi ** (2 * order) * np.sum(squares**order * energies * np.exp(-squares * math.pi**2 * time))

    norm = roughness(7, time)
    for order in range(6, 1, -1):
        odd = math.prod(range(1, 2 * order, 2)) / math.sqrt(2 * math.pi)
        constant = (1 + 0.5 ** (order + 0.5)) / 3
        norm = roughness(order, (2 * constant * odd / (count * norm)) ** (2 / (3 + 2 * order)))
    return time - (2 * count * math.sqrt(math.pi) * norm) ** -0.4


def improved_sheather_jones(samples: np.ndarray, bins: int = 1024, nudge: float = 0.0) -> tuple[float, bool]:
    """The bandwidth, and whether it is the rule of thumb because no root was found.

    The mesh is the data's range with half of it added on both sides; only distinct samples count as such. `nudge`
    shifts the bins, in their widths.
    """
    spread = samples.max() - samples.min()
    if spread == 0:
        return rule_of_thumb(samples), True
    extent = 2 * spread
    places = (samples - samples.min() + spread / 2) / extent * bins
    counts = np.bincount(np.floor(places + nudge).astype(int), minlength=bins)
    coefficients = dct(counts / len(samples), type=2)[1:] / 2
    squares, distinct = np.arange(1.0, bins) ** 2, len(np.unique(samples))

    def equation(time: float) -> float:
        return fixed_point(time, distinct, squares, coefficients**2)

    with np.errstate(all="ignore"):
        times = np.linspace(0, 0.1, 2001)
        values = np.array([equation(time) for time in times])
    crossings = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    if not np.isfinite(values).all() or len(crossings) == 0:
        return rule_of_thumb(samples), True
    assert len(crossings) == 1, "the bandwidth would depend on the search"
    first = crossings[0]
    root = brentq(equation, times[first], times[first + 1], xtol=1e-18, rtol=1e-14)
    return math.sqrt(root) * extent, False


def bandwidth_case(samples: np.ndarray) -> dict:
    bandwidth, fell_back = improved_sheather_jones(samples)
    nudged = [improved_sheather_jones(samples, nudge=nudge)[0] for nudge in (-1e-7, 1e-7)]
    change = max(abs(other - bandwidth) for other in nudged) / max(bandwidth, 1e-300)
    return {"samples": samples.tolist(), "bandwidth": bandwidth, "fellBack": fell_back, "tolerance": change + 1e-6}


def bandwidth_cases() -> dict:
    random = np.random.default_rng(2010)
    left, right = random.normal(0.3, 0.02, 60), random.normal(0.7, 0.04, 60)
    cases = {
        "unimodal": random.normal(0.5, 0.1, 120),
        "bimodal": np.concatenate([left, right]),
        "few": random.normal(0.4, 0.05, 12),
        "nearlyConstant": np.concatenate([np.full(56, 0.25), random.normal(0.25, 1e-3, 4)]),
        "constant": np.full(20, 0.5),
        "rootless": np.array([0.1, 0.2, 0.5, 0.9]),
    }
    return {name: bandwidth_case(samples.round(6)) for name, samples in cases.items()}


def gilbert(extents: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Cells in the order of the generalised Hilbert curve, for two or three sides."""
    axes = list(np.diag(extents))
    longest = extents.index(max(extents))
    if len(extents) == 2:
        ordered = axes if longest == 0 else axes[::-1]
        return list(walk_plane(np.zeros(2, int), *ordered))
    rest = {0: (1, 2), 1: (0, 2), 2: (0, 1)}[longest]
    return list(walk_space(np.zeros(3, int), axes[longest], axes[rest[0]], axes[rest[1]]))


def length(vector: np.ndarray) -> int:
    return int(abs(vector).sum())


def halved(vector: np.ndarray) -> np.ndarray:
    """About half of an axis vector: an even number of steps where it has more than two."""
    half = vector // 2
    return half + np.sign(vector) if length(half) % 2 == 1 and length(vector) > 2 else half


def line(corner: np.ndarray, vector: np.ndarray):
    for step in range(length(vector)):
        yield tuple((corner + step * np.sign(vector)).tolist())


def walk_plane(corner, a, b):
    """The rectangle spanned by a (along which the curve runs from end to end) and b."""
    if length(b) == 1:
        yield from line(corner, a)
    elif length(a) == 1:
        yield from line(corner, b)
    elif 2 * length(a) > 3 * length(b):
        half = halved(a)
        yield from walk_plane(corner, half, b)
        yield from walk_plane(corner + half, a - half, b)
    else:
        first, second = a // 2, halved(b)
        yield from walk_plane(corner, second, first)
        yield from walk_plane(corner + second, a, b - second)
        yield from walk_plane(corner + a - np.sign(a) + second - np.sign(b), -second, first - a)


def walk_space(corner, a, b, c):
    """The box spanned by a (along which the curve runs from end to end), b and c."""
    w, h, d = (length(side) for side in (a, b, c))
    for side, others in ((a, (h, d)), (b, (w, d)), (c, (w, h))):
        if others == (1, 1):
            yield from line(corner, side)
            return
    a2, b2, c2 = halved(a), halved(b), halved(c)
    end_a, end_b, end_c = a - np.sign(a), b2 - np.sign(b), c - np.sign(c)
    if 2 * w > 3 * h and 2 * w > 3 * d:
        parts = [(0 * a, a2, b, c), (a2, a - a2, b, c)]
    elif 3 * h > 4 * d:
        parts = [(0 * a, b2, c, a2), (b2, a, b - b2, c), (end_a + end_b, -b2, c, a2 - a)]
    elif 3 * d > 4 * h:
        parts = [(0 * a, c2, a2, b), (c2, a, b, c - c2), (end_a + c2 - np.sign(c), -c2, a2 - a, b)]
    else:
        parts = [
            (0 * a, b2, c2, a2),
            (b2, c, a2, b - b2),
            (end_b + end_c, a, -b2, c2 - c),
            (end_a + b2 + end_c, -c, a2 - a, b - b2),
            (end_a + end_b, -b2, c2, a2 - a),
        ]
    for offset, *vectors in parts:
        yield from walk_space(corner + offset, *vectors)


def curve(extents: tuple[int, ...]) -> dict:
    cells = np.ravel_multi_index(np.array(gilbert(extents)).T, extents)
    assert sorted(cells) == list(range(math.prod(extents)))
    return {"extents": list(extents), "cells": cells.tolist()}


def jumps(extents: tuple[int, ...]) -> list[int]:
    """Lengths of the steps that are not 1."""
    steps = abs(np.diff(np.array(gilbert(extents)), axis=0)).sum(1)
    return [int(step) for step in steps if step != 1]


def average_steps(decay: float, codes: list[float], vectors: list[float], steps: int = 2) -> dict:
    """Steps of the quantiser as the authors start it: no counts, sums that are the codes."""
    configuration = reference.AutoencoderConfiguration(codes=len(codes), code_width=1, decay=decay)
    quantiser = reference.Quantiser(configuration).double()
    quantiser.codes = torch.tensor(codes, dtype=torch.float64)[:, None]
    quantiser.sums, quantiser.counts = quantiser.codes.clone(), torch.zeros(len(codes), dtype=torch.float64)
    inputs = torch.tensor(vectors, dtype=torch.float64)[:, None]
    case = {"decay": decay, "codes": codes, "counts": [0.0] * len(codes), "sums": codes, "vectors": vectors}
    case["after"] = []
    for _ in range(steps):
        indices = quantiser.indices(inputs)
        quantiser.update(inputs, indices)
        values = {name: getattr(quantiser, name).flatten().tolist() for name in ("counts", "sums", "codes")}
        case["after"].append({"indices": indices.tolist(), **values})
    return case


def write_figures() -> None:
    vectors = [0.2, -0.2, 0.9, 1.3]
    figures = {
        "bandwidths": bandwidth_cases(),
        "averages": {
            "used": average_steps(0.5, [0.0, 1.0], vectors),
            "dead": average_steps(0.5, [0.0, 1.0, 5.0], vectors),
        },
        "curves": [curve(extents) for extents in [(4, 4), (8, 8), (26, 21), (4, 4, 4), (7, 5, 9)]],
    }
    (TARGET / "figures.json").write_text(json.dumps(figures, separators=(",", ":")) + "\n")

def write(name: str, contents: dict[str, Tensor]) -> None:
    contents = {key: value.contiguous().clone() for key, value in contents.items()}
    (TARGET / f"{name}.safetensors").write_bytes(save(contents))


def write_density() -> None:
    """Densities by scikit-learn, voxel by voxel."""
    random = np.random.default_rng(1986)
    samples = np.clip(random.normal(random.uniform(0, 1, (4, 4, 4, 1)), 0.1, (4, 4, 4, 12)), -0.2, 1.2)
    samples[0, 0, :2] = samples[0, 0, :2, :1]
    values = random.uniform(0, 1, (4, 4, 4))
    contents = {"values": values, "samples": samples}
    clamped = samples.clip(0, 1)
    for rule, floor in {"added": 0.025, "atLeast": 0.05}.items():
        widths, densities = np.empty((4, 4, 4)), np.empty((4, 4, 4))
        for voxel in np.ndindex(4, 4, 4):
            thumb = 1.06 * np.sqrt(np.mean((clamped[voxel] - clamped[voxel].mean()) ** 2)) * 12**-0.2
            widths[voxel] = thumb + floor if rule == "added" else max(thumb, floor)
            estimate = KernelDensity(bandwidth=widths[voxel], rtol=0).fit(clamped[voxel][:, None])
            densities[voxel] = estimate.score_samples(values[voxel].reshape(1, 1))[0]
        assert rule == "added" or len({*(widths == 0.05).flatten()}) == 2, "the floor holds somewhere, not everywhere"
        contents |= {f"bandwidth.{rule}": widths, f"logDensity.{rule}": densities}
        contents[f"score.{rule}"] = -np.log(np.exp(densities) * widths * np.sqrt(2 * np.pi) + 1e-12)
        flat = torch.from_numpy(clamped).reshape(64, 12).T
        ours = healing.bandwidths(flat, floor, rule == "added")
        close(ours, torch.from_numpy(widths).flatten())
        found = healing.densities(torch.from_numpy(values).flatten(), flat, ours, chunk=10)
        close(found, torch.from_numpy(densities).flatten())
    write("density", {key: torch.from_numpy(value) for key, value in contents.items()})


def write_attention() -> None:
    torch.manual_seed(3)
    queries, keys, values = torch.randn(3, 2, 2, 12, 8, dtype=torch.float64)
    projection = reference.random_projection(20, 8).double()
    keep = (torch.rand(2, 12) > 0.4).double()
    keep[:, 0] = 1
    attended = [reference.linear_attention(queries, keys, values, projection, mask) for mask in (None, keep[:, None])]
    contents = {
        "queries": queries, "keys": keys, "values": values, "projection": projection, "keep": keep,
        "features.queries": reference.random_features(queries, projection),
        "features.keys": reference.random_features(keys, projection),
        "output": attended[0], "output.masked": attended[1],
    }  # fmt: skip
    for output, mask in zip(attended, (torch.ones_like(keep), keep)):
        weights = (contents["features.queries"] @ contents["features.keys"].mT * mask[:, None, None]).tril()
        close(output, weights @ values / weights.sum(-1, keepdim=True))
    write("attention", contents)

def close(value: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(value, expected, rtol=tolerance, atol=tolerance)

def near(value: float, expected: float, tolerance: float = 1e-6) -> None:
    assert abs(value - expected) <= tolerance * max(1, abs(expected)), f"{value} is not {expected}"

def check_averages() -> None:
    used, dead = (average_steps(0.5, codes, [0.2, -0.2, 0.9, 1.3]) for codes in ([0.0, 1.0], [0.0, 1.0, 5.0]))
    first, second = used["after"]
    assert first["indices"] == [0, 0, 1, 1] and first["counts"] == [1, 1] and second["counts"] == [1.5, 1.5]
    for found, expected in [
        (first["sums"], [0, 1.6]),
        (first["codes"], [0, 1.6]),
        (second["sums"], [0, 1.9]),
        (second["codes"], [0, 1.266667]),
        (dead["after"][0]["codes"], [0, 1.600008, 250003.75]),
        (dead["after"][1]["codes"], [0, 1.2666709, 125001.25]),
    ]:
        for value, wanted in zip(found, expected):
            near(value, wanted)


def check_densities() -> None:
    samples = torch.tensor([0.2, 0.3, 0.4], dtype=torch.float64)[:, None]
    for value, width, expected in [(0.3, 0.1, 2.942946), (0.9, 0.1, 4.976015e-6), (0.3, 0.0694762, 3.272730)]:
        for function in (healing.densities, healing.densities_officially):
            values, widths = torch.tensor([[value], [width]], dtype=torch.float64)
            near(function(values, samples, widths).item(), math.log(expected))
    near(healing.bandwidths(samples, 0.0).item(), 0.0694762)
    near(samples.std(correction=0).item(), 0.0816497)
    grid = torch.linspace(-1, 2, 3001, dtype=torch.float64)
    width = torch.full_like(grid, 0.05)
    near(torch.trapezoid(healing.densities(grid, samples.expand(-1, 3001), width).exp(), grid).item(), 1)
    random = np.random.default_rng(5)
    modes = np.concatenate([random.normal(0.2, 0.02, 100), random.normal(0.8, 0.02, 100)])
    plain, scaled = improved_sheather_jones(modes)[0], improved_sheather_jones(1000 * modes + 7)[0]
    near(scaled / plain, 1000, 1e-3)
    assert 0.3 * 0.02 < plain < 0.02, "two narrow modes have the bandwidth of one of them, not of their distance"
    normal = improved_sheather_jones(random.normal(0, 1, 4000))[0]
    assert 0.8 < normal / (1.06 * 4000**-0.2) < 1.2, "for a normal density it is about the rule of thumb"


def attention_error(scale: float, features: int, official: bool = True, repeats: int = 3) -> float:
    """Relative error of FAVOR+ beside exact causal attention at length 256, head width 64.

    Officially with the greatest projection as stabiliser, a query's own and one of all keys, and an offset of 1e-4.
    """
    errors = []
    for seed in range(repeats):
        torch.manual_seed(seed)
        queries, keys, values = torch.randn(3, 8, 256, 64, dtype=torch.float64)
        queries, keys = scale * queries, scale * keys
        exact = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        projection = reference.random_projection(features, 64).double()
        greatest = [(vectors / 64**0.25 @ projection.T) for vectors in (queries, keys)]
        stabilisers = greatest[0].amax(-1, keepdim=True), greatest[1].amax((-2, -1), keepdim=True)
        settings = [(stabiliser, 1e-4) if official else (0, 0) for stabiliser in stabilisers]
        phi_q = reference.random_features(queries, projection, *settings[0])
        phi_k = reference.random_features(keys, projection, *settings[1])
        weights = (phi_q @ phi_k.mT).tril()
        errors.append(((weights @ values / weights.sum(-1, keepdim=True) - exact).norm() / exact.norm()).item())
    return sum(errors) / repeats


def check_attention() -> None:
    """The offset is a bias that tames large queries and keys: without it the error at scale 1 is above 1."""
    for scale, features, expected in [
        (0.25, 64, 0.087), (0.25, 266, 0.047), (0.25, 1064, 0.023), (0.5, 266, 0.27), (1.0, 266, 0.68)
    ]:  # fmt: skip
        error, exact = attention_error(scale, features), attention_error(scale, features, official=False)
        print(f"FAVOR+, scale {scale}, {features} features: error {error:.3f} ({expected}), without offset {exact:.3f}")
        assert abs(error / expected - 1) < 0.3
        assert scale > 0.5 or abs(exact / expected - 1) < 0.3

def check_curves() -> None:
    walked = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (0, 3), (1, 3), (1, 2)]
    walked += [(2, 2), (2, 3), (3, 3), (3, 2), (3, 1), (2, 1), (2, 0), (3, 0)]
    assert gilbert((4, 4)) == walked
    continuous = [(8, 8), (16, 16), (32, 32), (26, 21), (4, 4, 4), (6, 6, 6), (8, 8, 8)]
    assert not any(jumps(extents) for extents in continuous)
    odd = jumps((26, 21, 27))
    assert (len(odd), max(odd)) == (73, 4), f"{len(odd)} steps that are not 1, up to {max(odd)}"

def check() -> None:
    for part in (check_averages, check_densities, check_attention, check_curves):
        part()


def main() -> None:
    torch.set_num_threads(1)
    check()
    TARGET.mkdir(parents=True, exist_ok=True)
    write_figures()
    write_density()
    write_attention()


if __name__ == "__main__":
    main()
