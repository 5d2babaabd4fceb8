"""Times loading a folder of images with PIL and a torch DataLoader, as asked on standard input (see README.md)."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from driver import serve

try:
    from torchvision import transforms
except (ImportError, RuntimeError):  # absent, or built for another torch
    transforms = None

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}


class PlainTransform:
    """What the torchvision pipeline does, without torchvision."""

    def __init__(self, size: int):
        self.size = size

    def __call__(self, image: Image.Image) -> torch.Tensor:
        pixels = numpy.array(image.resize((self.size, self.size), Image.Resampling.BICUBIC))
        return (torch.from_numpy(pixels)[None].float() / 255 - 0.5) / 0.5


def transform(size: int):
    """Antialiased bicubic resize, `[1, size, size]` in [-1, 1]."""
    if transforms is None:
        return PlainTransform(size)
    return transforms.Compose(
        [
            transforms.Resize((size, size), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize((0.5,), (0.5,)),
        ]
    )


class Folder(Dataset):
    """The grey images below a folder, in the order of their paths."""

    def __init__(self, folder: Path, size: int):
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        self.transform = transform(size)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("L"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of images, searched in depth")
    parser.add_argument("--size", type=int, default=128, help="side of the tensors")
    parser.add_argument("--workers", type=int, default=0, help="loading processes; 0 loads in this one")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"no folder at {options.folder}")
    return options


def main() -> None:
    options = arguments()
    images = Folder(options.folder, options.size)
    if not images.paths:
        raise SystemExit(f"{options.folder} holds no image ({', '.join(sorted(SUFFIXES))})")
    loader = DataLoader(images, batch_size=16, num_workers=options.workers, persistent_workers=options.workers > 0)

    def load(passes: int) -> int:
        return sum(len(batch) for _ in range(passes) for batch in loader)

    load(1)
    serve({"load": load})


if __name__ == "__main__":
    main()
