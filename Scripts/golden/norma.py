"""Writes what NormaTests expects of resizing and of band energies.

Run from the repository's root: python Scripts/golden/norma.py (numpy, Pillow, SciPy).

Resizing is Pillow's antialiased bicubic filter on 8-bit images, as in SimSID's official code; Pillow rounds to 8 bit between
its two passes, so a grey level of difference is to be expected. Bands are differences of scipy.ndimage.gaussian_filter.
"""

import json
import pathlib

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

GOLDEN = pathlib.Path("Tests/NormaTests/Golden/Norma")
random = np.random.default_rng(2024)


def picture(height, width):
    """Soft structure with noise, 8 bit."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    soft = 128 + 70 * np.sin(9 * rows + 2) * np.cos(7 * columns)
    return np.clip(soft + random.normal(0, 20, (height, width)), 0, 255).round().astype(np.uint8)


def resized(height, width, size):
    pixels = picture(height, width)
    expected = np.asarray(Image.fromarray(pixels).resize((size, size), Image.BICUBIC))
    return {
        "width": width, "height": height, "size": size,
        "samples": pixels.ravel().tolist(), "expected": expected.ravel().tolist(),
    }


def energies(side, grid, sigmas):
    """Mean squares of what each Gaussian removes beyond the one before, and of the rest, cell by cell."""
    pixels = random.normal(0, 1, (side, side)).astype(np.float32).astype(np.float64)
    blurred = [pixels] + [gaussian_filter(pixels, sigma, mode="reflect", truncate=3) for sigma in sigmas]
    bands = [fine - coarse for fine, coarse in zip(blurred, blurred[1:])] + [blurred[-1]]
    cell = side // grid
    cells = [(band**2).reshape(grid, cell, grid, cell).mean(axis=(1, 3)) for band in bands]
    return {
        "side": side, "grid": grid, "sigmas": sigmas, "samples": pixels.ravel().tolist(),
        "expected": np.concatenate([energy.ravel() for energy in cells]).tolist(),
    }


GOLDEN.mkdir(parents=True, exist_ok=True)
golden = {
    "resizing": [resized(43, 37, 16), resized(61, 32, 32), resized(11, 19, 32), resized(64, 50, 16)],
    "energies": energies(32, 4, [0.5, 1.5, 4.0, 7.5]),
}
(GOLDEN / "golden.json").write_text(json.dumps(golden) + "\n")
