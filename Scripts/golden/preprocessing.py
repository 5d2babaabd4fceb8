"""Writes what NormaTests expects of preprocessing: percentiles, padding, spacing, contrast, thresholds, and maps brought back.

Run from the repository's root: python Scripts/golden/preprocessing.py (numpy, Pillow, SciPy, scikit-image).

Percentiles are numpy's; padded images Pillow's ImageOps.pad on floating point; volumes at a spacing are resampled by Pillow one
axis after the other and brought back by scipy.ndimage.map_coordinates; equalised images are scikit-image's equalize_adapthist
of 16-bit values; thresholds its threshold_li.
"""

import json
import pathlib

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.exposure import equalize_adapthist
from skimage.filters import threshold_li

GOLDEN = pathlib.Path("Tests/NormaTests/Golden/Preprocessing")
random = np.random.default_rng(2026)


def listed(values, digits=7):
    return [float(f"{value:.{digits}g}") for value in np.asarray(values, dtype=np.float64).ravel()]


def soft(*shape):
    """Soft structure of 0 ... 1 as 16-bit numbers, some of them extreme."""
    field = gaussian_filter(random.normal(0, 1, shape), 1.5, mode="nearest") + random.normal(0, 0.05, shape)
    field = (field - field.min()) / (field.max() - field.min())
    return np.round(field * 60000 + 2000).astype(np.uint16)


def percentiles(values, percents):
    values = np.asarray(values, dtype=np.float64)
    return {"values": listed(values), "percents": percents, "expected": listed(np.percentile(values, percents))}


def padded(height, width, size):
    pixels = (soft(height, width) / 65535).astype(np.float32)
    expected = np.asarray(ImageOps.pad(Image.fromarray(pixels), (size, size), Image.BICUBIC))
    return {
        "extents": [height, width], "network": [size, size], "samples": listed(pixels),
        "expected": listed(expected.clip(0, 1)),
    }


def placed(extents, spacing, target, network):
    """A volume at another spacing, its middle in the network's middle, and a map over the network on the volume's grid."""
    volume = (soft(*extents) / 65535).astype(np.float32)
    sides = [max(1, round(e * s / t)) for e, s, t in zip(extents, spacing, target)]
    offsets = [(n - side) // 2 for n, side in zip(network, sides)]
    planes = [np.asarray(Image.fromarray(plane).resize((sides[2], sides[1]), Image.BICUBIC)) for plane in volume]
    flat = np.stack(planes).reshape(extents[0], -1)
    resampled = np.asarray(Image.fromarray(flat).resize((flat.shape[1], sides[0]), Image.BICUBIC)).reshape(sides)
    seen = np.zeros(network, np.float32)
    kept = [slice(max(0, -o), min(side, n - o)) for side, n, o in zip(sides, network, offsets)]
    covered = tuple(slice(k.start + o, k.stop + o) for k, o in zip(kept, offsets))
    seen[covered] = resampled[tuple(kept)].clip(0, 1)

    network_map = random.uniform(1, 2, network)
    outside = np.ones(network, bool)
    outside[covered] = False
    network_map[outside] = 1e6  # must not be seen
    coordinates, inside = [], []
    for axis, (extent, side, offset, box) in enumerate(zip(extents, sides, offsets, covered)):
        edges = np.arange(extent + 1) * side / extent + offset  # of the volume's samples, in the network's
        inside.append((edges[1:] > box.start + 1e-9) & (edges[:-1] < box.stop - 1e-9))
        coordinates.append(((edges[1:] + edges[:-1]) / 2 - 0.5).clip(box.start, box.stop - 1))
    grid = np.meshgrid(*coordinates, indexing="ij")
    back = map_coordinates(network_map, grid, order=1, mode="nearest") * np.prod(np.meshgrid(*inside, indexing="ij"), 0)
    return {
        "extents": extents, "spacing": spacing, "target": target, "network": network, "samples": listed(volume),
        "expected": listed(seen), "map": listed(network_map), "back": listed(back),
    }


def equalised(extents, tiles, clip_limit, power=1):
    levels = np.round((soft(*extents) / 65535) ** power * 65535).astype(np.uint16)
    kernel = [max(extent // tiles, 1) for extent in extents]
    expected = equalize_adapthist(levels, kernel_size=kernel, clip_limit=clip_limit)
    return {
        "extents": extents, "tiles": tiles, "clipLimit": clip_limit, "levels": levels.ravel().tolist(),
        "expected": listed(expected, 6),
    }


def threshold(values):
    values = np.asarray(values, dtype=np.float32)
    return {"values": listed(values, 9), "expected": float(threshold_li(values.astype(np.float64)))}


GOLDEN.mkdir(parents=True, exist_ok=True)
golden = {
    "percentiles": [
        percentiles([3], [0, 100]), percentiles([2, -1], [25, 75]), percentiles(random.normal(0, 5, 7), [0.5, 99.5]),
        percentiles(random.integers(0, 6, 200), [10, 90]), percentiles(random.normal(100, 1, 1001), [2.5, 97.5]),
    ],
    "padding": [padded(20, 60, 24), padded(50, 30, 20), padded(9, 6, 12), padded(16, 16, 16)],
    "placing": [
        placed([9, 14, 11], [4, 2, 3], [5, 3, 3], [6, 8, 12]), placed([6, 5, 20], [2, 2, 1], [1, 2.5, 1.5], [8, 6, 7]),
    ],
    "equalisation": [
        equalised([40, 50], 8, 0.01), equalised([33, 17], 4, 0.05), equalised([1, 40], 8, 0.2),
        equalised([48, 48], 1, 0.01, power=5), equalised([9, 12, 10], 3, 0.02),
    ],
    "thresholds": [
        threshold(np.concatenate([random.normal(-1000, 20, 300), random.normal(40, 60, 200)])),
        threshold(np.concatenate([random.exponential(0.05, 900), random.normal(1, 0.2, 200), random.normal(20, 3, 20)])),
        threshold([0, 0, 0, 0, 1, 1, 9]), threshold(random.integers(0, 256, 200)),
    ],
}
(GOLDEN / "golden.json").write_text(json.dumps(golden) + "\n")
