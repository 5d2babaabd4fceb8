"""Decodes the DICOM files that pydicom and nibabel carry for their own tests, for DICOMCorpusTests.

Run by the test: python Scripts/golden/dicom_corpus.py FOLDER, with what Scripts/corpora fetches. Writes FOLDER/index.json, a
list of files, each once, with what pydicom makes of it, or GDCM where pydicom cannot: `samples`, a file of integers of
`width` bytes as they are stored; and of a few pixels of a few frames of grey images `levels`, a file of 64-bit numbers: the
modality's values, and grey levels of the first window, black 0 and white 1, where there is one. Of palettes, `levels` are
red, green and blue. Nothing of it goes into the repository.
"""

import copy
import gzip
import hashlib
import json
import logging
import pathlib
import sys
import warnings

import data_store
import gdcm
import nibabel
import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing, pixel_array

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
PIXELS = 2048  # of a frame whose levels are compared

CORPORA = {
    "pydicom": pathlib.Path(pydicom.__file__).parent / "data" / "test_files",
    "pydicom-data": pathlib.Path(next(iter(data_store.__path__))) / "data",
    "nibabel": pathlib.Path(nibabel.__file__).parent,
}


def files():
    """Corpus, path, name and content of each file, no content twice."""
    seen = set()
    for corpus, folder in CORPORA.items():
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            is_other = path.suffix in (".py", ".pyc") or (corpus == "nibabel" and ".dcm" not in path.name)
            content = path.read_bytes()
            digest = hashlib.sha256(content).digest()
            if is_other or digest in seen:
                continue
            seen.add(digest)
            yield corpus, path, str(path.relative_to(folder)), content


def by_gdcm(path):
    """Samples as GDCM decodes them, without turning colours."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        return None
    image = reader.GetImage()
    pixels, buffer = image.GetPixelFormat(), image.GetBuffer()
    if buffer is None:
        return None
    kind = f"<{'ui'[pixels.GetPixelRepresentation()]}{pixels.GetBitsAllocated() // 8}"
    samples = np.frombuffer(buffer.encode("utf-8", "surrogateescape"), "u1")
    samples = samples[: samples.size // np.dtype(kind).itemsize * np.dtype(kind).itemsize].view(kind)
    sides = [image.GetDimension(axis) for axis in range(image.GetNumberOfDimensions())]
    return samples if samples.size == np.prod(sides) * pixels.GetSamplesPerPixel() else None


def of_frame(dataset, frame):
    """The data set as if it had one frame: functional groups, which pydicom leaves aside, put where it looks."""
    single = copy.copy(dataset)
    for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
        per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
        groups = list(dataset.get("SharedFunctionalGroupsSequence") or []) + ([per_frame[frame]] if per_frame else [])
        for group in groups:
            for item in group.get(name) or []:
                single.update(item)
    return single


def grey_levels(dataset, values):
    """Grey levels of the first window; None where there is none."""
    if not dataset.get("WindowWidth") and dataset.get("VOILUTSequence"):
        bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
        return apply_voi(values, dataset) / (2.0**bits - 1)
    if not dataset.get("WindowWidth"):
        return None
    # Black and white are what lies far outside.
    levels = apply_windowing(np.concatenate([values.astype("f8"), [-1e12, 1e12]]), dataset)
    return (levels[:-2] - levels[-2]) / (levels[-1] - levels[-2])


def with_palette(dataset):
    """The data set with its palette in little endian, for which pydicom takes it even in files that are big endian."""
    turned = copy.deepcopy(dataset)
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTableData"
        if name in turned and not dataset.original_encoding[1]:
            turned[name].value = np.frombuffer(turned[name].value, ">u2").astype("<u2").tobytes()
    return turned


def levels_of(dataset, samples):
    """Frames, the distance of the pixels looked at, and their values and levels, frame by frame."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    pixels = samples.reshape(frames, -1)
    chosen = sorted({0, frames // 2, frames - 1})
    step = max(1, pixels.shape[1] // PIXELS)
    parts, windowed = [], []
    palette = with_palette(dataset) if dataset.PhotometricInterpretation == "PALETTE COLOR" else None
    for frame in chosen:
        if palette is not None:
            parts.append(apply_color_lut(pixels[frame, ::step], palette).T.ravel())
            windowed.append(False)
            continue
        single = of_frame(dataset, frame)
        values = apply_modality_lut(pixels[frame, ::step], single)
        levels = grey_levels(single, values)
        windowed.append(levels is not None)
        parts.append(values if levels is None else np.concatenate([values, levels]))
    return {"frames": chosen, "step": step, "windowed": windowed}, np.concatenate(parts)


def main():
    target = pathlib.Path(sys.argv[1])
    index = []
    for corpus, path, name, content in files():
        if path.suffix == ".gz":
            path = target / f"{len(index)}.dcm"
            path.write_bytes(gzip.decompress(content))
        entry = {"corpus": corpus, "path": str(path), "name": name}
        index.append(entry)
        try:
            dataset = pydicom.dcmread(path, force=True)
            samples = pixel_array(dataset, raw=True)
            width = max(1, dataset.BitsAllocated // 8)
            samples = samples.astype(f"<{'ui'[dataset.PixelRepresentation]}{width}")
        except Exception as error:  # whatever pydicom and its plug-ins raise: the file cannot be decoded
            entry["reason"] = str(error).splitlines()[0] if str(error) else type(error).__name__
            samples = by_gdcm(path)
            dataset = None
        if samples is None:
            continue
        entry["width"], entry["samples"] = samples.dtype.itemsize, str(target / f"{len(index)}.samples")
        samples.tofile(entry["samples"])
        try:
            if dataset is None or not dataset.PhotometricInterpretation.startswith(("MONOCHROME", "PALETTE")):
                continue
            entry["levels"], numbers = levels_of(dataset, samples)
            entry["levels"]["file"] = str(target / f"{len(index)}.levels")
            numbers.astype("<f8").tofile(entry["levels"]["file"])
        except Exception as error:  # a window that pydicom does not apply
            entry.pop("levels", None)
            entry["unwindowed"] = f"{type(error).__name__}: {error}"
    (target / "index.json").write_text(json.dumps(index))


main()
