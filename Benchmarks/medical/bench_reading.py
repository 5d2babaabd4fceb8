"""Times reading DICOM with pydicom and PIL, and NIfTI with nibabel, as asked on standard input (see ../pytorch/README.md).

Tasks: `load` decodes each DICOM file of a folder, rescales, windows and resizes it; `read` reads each NIfTI file whole, scaled,
as 32-bit numbers. `--workers` processes share the files; with 1, this one does the work.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import nibabel
import numpy
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_windowing

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pytorch"))
from driver import serve  # noqa: E402


def load(path: str, size: int) -> numpy.ndarray:
    """`[size, size]` in 0 ... 1 over the file's window."""
    dataset = pydicom.dcmread(path)
    # What windowing makes of 12 bits after rescaling to -1024 ... 3071.
    levels = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    low = float(dataset.RescaleIntercept)
    grey = ((levels - low) / (2**dataset.BitsStored - 1)).astype(numpy.float32)
    resized = Image.fromarray(grey).resize((size, size), Image.Resampling.BICUBIC)
    return numpy.asarray(resized).clip(0, 1)


def read(path: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The voxels and the affine."""
    image = nibabel.load(path)
    return image.get_fdata(caching="unchanged", dtype=numpy.float32), image.affine


def seen(task: str, size: int, path: str) -> float:
    """A number of what was read, so that a process of the pool need not hand the rest over."""
    return float(load(path, size)[0, 0] if task == "load" else read(path)[0].flat[0])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of files")
    parser.add_argument("--size", type=int, default=128, help="side of the images")
    parser.add_argument("--workers", type=int, default=1, help="processes; 1 reads in this one")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"no folder at {options.folder}")
    return options


def main() -> None:
    options = arguments()
    warnings.simplefilter("ignore")
    paths = [str(path) for path in sorted(options.folder.iterdir()) if path.is_file()]
    if not paths:
        raise SystemExit(f"{options.folder} holds no files")
    # An executor says so when one of its processes dies, where a pool waits for ever; started anew rather than forked.
    pool = None
    if options.workers > 1:
        pool = ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn"))

    def work(task: str, passes: int) -> int:
        one = partial(seen, task, options.size)
        for _ in range(passes):
            if pool:
                list(pool.map(one, paths, chunksize=max(1, len(paths) // (4 * options.workers))))
            else:
                for path in paths:
                    one(path)
        return passes * len(paths)

    serve({task: partial(work, task) for task in ("load", "read")})


if __name__ == "__main__":
    main()
