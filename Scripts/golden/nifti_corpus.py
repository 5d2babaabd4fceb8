"""Reads and writes NIfTI with nibabel for NIfTICorpusTests.

Run by the test, with what Scripts/corpora fetches; nothing of it goes into the repository.

python Scripts/golden/nifti_corpus.py files FOLDER: lists the files that nibabel carries for its own tests, and files that it
writes into FOLDER, of each type, byte order, version and layout, in FOLDER/index.json: `samples`, 64-bit numbers of what
nibabel reads, x fastest, volume by volume; `extents` and `affine` where it reads a NIfTI image; its `reason` where not.

python Scripts/golden/nifti_corpus.py read FOLDER: the same of the .nii and .nii.gz files in FOLDER.
"""

import itertools
import json
import logging
import pathlib
import sys
import warnings

import nibabel
import numpy as np

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def describe(path, target, number):
    entry = {"path": str(path), "name": path.name}
    try:
        image = nibabel.load(path)
        if not isinstance(image, nibabel.Nifti1Pair):  # NIfTI-2 is a kind of it, CIFTI and the rest are not
            entry["reason"] = f"it is {type(image).__name__}"
            return entry
        samples = np.asarray(image.dataobj, "f8")
        entry["samples"] = str(target / f"{number}.samples")
        entry["extents"], entry["affine"] = list(samples.shape), image.affine[:3].ravel().tolist()
        samples.ravel(order="F").tofile(entry["samples"])
    except Exception as error:  # whatever nibabel raises: the file cannot be read
        entry.pop("samples", None)
        entry["reason"] = str(error) or type(error).__name__
    return entry


def write(target):
    """A file of each kind, with samples, slope and affine of its own."""
    random = np.random.default_rng(2026)
    kinds = itertools.product(TYPES, "<>", (1, 2), (".nii", ".nii.gz", ".img"))
    for number, (kind, order, version, ending) in enumerate(kinds):
        sides = random.integers(1, 7, 3 if number % 5 else 4)
        if kind[0] == "f":
            samples = random.normal(scale=100, size=sides).astype(kind)
        else:
            limits = np.iinfo(kind)
            samples = random.integers(limits.min, limits.max, sides, kind, endpoint=True)
        affine = np.eye(4)
        affine[:3] = random.normal(scale=3, size=(3, 4))
        one, two = (nibabel.Nifti1Image, nibabel.Nifti2Image), (nibabel.Nifti1Pair, nibabel.Nifti2Pair)
        image = (two if ending == ".img" else one)[version - 1](samples, affine, dtype=samples.dtype)
        image = type(image)(samples, affine, image.header.as_byteswapped(order))
        if number % 3 == 0 and kind[0] != "f":
            image.header.set_slope_inter(float(random.uniform(0.1, 3)), float(random.normal(scale=50)))
            # The numbers are to be stored as they are, whatever they stand for.
            image = type(image)(scaled(samples, image.header), affine, image.header)
        nibabel.save(image, target / f"{number}-{kind}-nifti{version}{ending}")


def scaled(samples, header):
    slope, intercept = (float(number) for number in header.get_slope_inter())
    return samples.astype("f8") * slope + intercept


def main():
    task, target = sys.argv[1], pathlib.Path(sys.argv[2])
    paths = []
    if task == "files":
        carried = pathlib.Path(nibabel.__file__).parent / "tests" / "data"
        paths += sorted(path for path in carried.iterdir() if path.is_file() and path.suffix != ".py")
        write(target)
    paths += sorted(path for path in target.iterdir() if path.suffix in (".nii", ".gz", ".img"))
    index = [describe(path, target, number) for number, path in enumerate(paths)]
    (target / "index.json").write_text(json.dumps(index))


main()
