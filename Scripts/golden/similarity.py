"""Writes what NormaTests expects of structural similarity, `Tests/NormaTests/Golden/Similarity/golden.safetensors`.

    python -O Scripts/golden/similarity.py

Needs torch, numpy, scikit-image, safetensors and pytorch-msssim 1.0.0. `-O` because pytorch-msssim asserts a side above
160 pixels even where fewer than five weights are given; `-O` leaves the assertion out and changes nothing else.

Each case has `<case>.images` and `<case>.others`, uint8 in 0 ... 255 (range 255):

    small   [2, 2, 64, 64], 3 scales        even  [1, 1, 176, 176], 5 scales
    volume  [1, 1, 23, 25, 27], 2 scales    odd   [1, 1, 181, 179], 5 scales

    <case>.ms_ssim        [N]      float64, pytorch_msssim.ms_ssim with the first published weights, divided by their sum,
                                   and its window made in float64 (its own is float32 and sums to 1 - 3e-8)
    <case>.ssim.<scale>   [...]    float32, skimage.metrics.structural_similarity(full=True) of channel 0 of image 0 (cases
                                   small and volume), on arrays halved as pytorch-msssim halves them
    <case>.mean.<scale>   []       float64, the mean that goes with it
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_msssim import ms_ssim
from safetensors.torch import save
from skimage.metrics import structural_similarity

if __debug__:
    raise SystemExit("run it as: python -O Scripts/golden/similarity.py")

GOLDEN = pathlib.Path("Tests/NormaTests/Golden/Similarity")
WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
random = np.random.default_rng(2003)


def picture(shape):
    """Soft structure with noise, 8 bit."""
    axes = np.meshgrid(*[np.arange(extent) / 40 for extent in shape], indexing="ij")
    soft = sum(np.sin((5 + index) * axis + random.uniform(0, 6)) for index, axis in enumerate(axes))
    return 128 + 35 * soft + random.normal(0, 12, shape)


def reconstruction(pixels):
    """A paler and smoother picture with a spot that is gone."""
    pale = 20 + 0.8 * pixels + random.normal(0, 9, pixels.shape)
    pale[tuple(slice(extent // 3, extent // 2) for extent in pixels.shape)] = 110
    return pale


def eight_bit(arrays, shape):
    return torch.from_numpy(np.stack(arrays).reshape(shape).clip(0, 255).round().astype(np.uint8))


def case(name, batch, channels, sides, scales, maps):
    """The keyed tensors of one case."""
    shape = (batch, channels, *sides)
    pictures = [picture(sides) for _ in range(batch * channels)]
    images, others = eight_bit(pictures, shape), eight_bit([reconstruction(one) for one in pictures], shape)
    x, y = images.double(), others.double()
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    taps = torch.exp(-(torch.arange(11, dtype=torch.float64) - 5) ** 2 / (2 * 1.5**2))
    window = (taps / taps.sum()).repeat(channels, *[1] * len(sides), 1)
    values = {
        "images": images,
        "others": others,
        "ms_ssim": ms_ssim(x, y, data_range=255, size_average=False, win=window, weights=weights.tolist()),
    }
    for scale in range(scales if maps else 0):
        mean, full = structural_similarity(
            x[0, 0].numpy(), y[0, 0].numpy(), gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            data_range=255, full=True,
        )
        values[f"ssim.{scale}"] = torch.from_numpy(full).float()
        values[f"mean.{scale}"] = torch.tensor(mean, dtype=torch.float64)
        pool = F.avg_pool2d if len(sides) == 2 else F.avg_pool3d
        x, y = (pool(array, 2, padding=[side % 2 for side in array.shape[2:]]) for array in (x, y))
    return {f"{name}.{key}": value.contiguous() for key, value in values.items()}


GOLDEN.mkdir(parents=True, exist_ok=True)
golden = case("small", 2, 2, (64, 64), 3, maps=True)
golden |= case("even", 1, 1, (176, 176), 5, maps=False)
golden |= case("odd", 1, 1, (181, 179), 5, maps=False)
golden |= case("volume", 1, 1, (23, 25, 27), 2, maps=True)
(GOLDEN / "golden.safetensors").write_bytes(save(golden))
