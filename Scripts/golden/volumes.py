"""Writes the NIfTI files that MedicalImagingTests reads, and what the reader must find in them.

Run from the repository's root: python Scripts/golden/volumes.py (numpy, nibabel).

Samples and affines are nibabel's; affines are in millimetres where the header says metres or micrometres. Of four-dimensional
files every volume is listed, behind a #. The output is Tests/MedicalImagingTests/Golden/volumes/* and volumes.json: per volume
the size, bits, affine, and the affine and samples in the order closest to RAS; samples as numbers, of nibabel's own test files
as a hash (FNV-1a over little-endian 32-bit floats). A few of these, small ones, are copied to Golden/volumes/nibabel with
nibabel's licence (MIT); the others are read from the folder that the environment variable NIBABEL_DATA names.
"""

import gzip
import importlib.metadata
import json
import pathlib
import shutil
import struct

import nibabel
import numpy as np

GOLDEN = pathlib.Path("Tests/MedicalImagingTests/Golden")
VOLUMES = GOLDEN / "volumes"
WIDTH, HEIGHT, DEPTH = 5, 4, 3
random = np.random.default_rng(2025)
expected = {}

# A turned and mirrored grid; every number is exact in single precision.
OBLIQUE = np.array([[0, -2, 0, 10.5], [1.5, 0, 0.25, -20], [0, 0.5, 4, 3.75], [0, 0, 0, 1]])
ROTATION = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0], [0.48, 0.64, 0.6]])


def noise(kind, shape=(WIDTH, HEIGHT, DEPTH)):
    kind = np.dtype(kind)
    if kind.kind == "f":
        return random.normal(-3, 50, shape).astype(kind)
    limits = np.iinfo(kind)
    return random.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)


def save(image, name):
    """nibabel compresses with a time stamp; gzip without one gives the same bytes each time."""
    plain = VOLUMES / name.removesuffix(".gz")
    nibabel.save(image, plain)
    if name.endswith(".gz"):
        content = plain.read_bytes()
        plain.unlink()
        (VOLUMES / name).write_bytes(gzip.compress(content, mtime=0))


def numbers(samples):
    return {"samples": [float(value) for value in samples.ravel(order="F")]}


def digest(samples):
    """FNV-1a, as ContentHash has it."""
    value = 0xCBF29CE484222325
    for byte in samples.ravel(order="F").astype("<f4").tobytes():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return {"hash": f"{value:016x}"}


def expect(name, affine=None, folder=VOLUMES, content=numbers, into=expected):
    image = nibabel.load(folder / name)
    affine = np.asarray(image.affine if affine is None else affine, float)
    data = image.get_fdata().astype(np.float32)
    volumes = data.reshape(image.shape[:3] + (-1,), order="F")
    for index in range(volumes.shape[3]):
        samples = volumes[..., index]
        canonical = nibabel.as_closest_canonical(nibabel.Nifti1Image(samples, affine))
        into[name if volumes.shape[3] == 1 else f"{name}#{index}"] = {
            "extents": list(samples.shape), "bits": image.header["bitpix"].item(), "affine": affine.tolist(),
            "canonicalExtents": list(canonical.shape), "canonicalAffine": canonical.affine.tolist(),
            **content(samples), "canonical": content(np.asarray(canonical.dataobj)),
        }


def image(data, affine=None, order="<", kind=nibabel.Nifti1Image, **header):
    image = kind(data, affine, kind.header_class(endianness=order))
    image.header.set_data_dtype(data.dtype)
    for key, value in header.items():
        image.header[key] = value
    return image


def write_readable():
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
        name = f"{np.dtype(kind).name}.nii.gz"
        save(image(noise(kind), OBLIQUE), name)
        expect(name)
    for kind in ("u2", "f4", "i8"):
        name = f"{np.dtype(kind).name}-big-endian.nii"
        save(image(noise(kind), OBLIQUE, order=">"), name)
        expect(name)

    turned = image(noise("i2"))
    turned.set_qform(np.block([[ROTATION * [2, 3, -4], np.array([[7], [-8], [9]])], [np.zeros(3), 1]]), code=1)
    turned.set_sform(None)
    save(turned, "qform.nii")
    expect("qform.nii")
    turned.set_sform(OBLIQUE, code=2)
    save(turned, "both.nii")
    expect("both.nii")
    bare = image(noise("u1"), None)
    bare.header.set_zooms((2, 3, 4.5))
    bare.set_qform(None)
    bare.set_sform(None)
    save(bare, "spacing.nii")
    expect("spacing.nii")
    for unit, factor in (("meter", 1000), ("micron", 0.001)):
        scaled = image(noise("u1"), OBLIQUE)
        scaled.header.set_xyzt_units(unit)
        save(scaled, f"{unit}.nii")
        expect(f"{unit}.nii", affine=np.diag([factor] * 3 + [1]) @ OBLIQUE)

    for name, slope, intercept in (
            ("scaled", 0.5, -1024), ("fine", 0.1, 0.3), ("slope-zero", 0, 7), ("slope-nan", float("nan"), 7)):
        data = noise("i2")
        save(image(data, OBLIQUE), f"{name}.nii")
        patch(f"{name}.nii", 112, "<ff", slope, intercept)
        expect(f"{name}.nii")

    extended = image(noise("f4"), OBLIQUE)
    extended.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"further reading " * 9))
    save(extended, "extended.nii.gz")
    expect("extended.nii.gz")
    save(image(noise("f4", (WIDTH, HEIGHT, DEPTH, 1)), OBLIQUE), "one-time.nii.gz")
    expect("one-time.nii.gz")
    save(image(noise("i2", (WIDTH, HEIGHT, DEPTH, 2)), OBLIQUE), "times.nii.gz")
    expect("times.nii.gz")
    save(image(noise("u1", (WIDTH, HEIGHT, DEPTH, 2, 3)), OBLIQUE, order=">"), "vectors.nii")
    expect("vectors.nii")


def write_second_version():
    for kind, order in (("f4", "<"), ("i2", ">"), ("u8", "<"), ("f8", ">")):
        name = f"second-{np.dtype(kind).name}{'-big-endian' if order == '>' else ''}.nii.gz"
        # A third is no float of 32 bits: the header's numbers have 64.
        save(image(noise(kind), OBLIQUE / 3, order, kind=nibabel.Nifti2Image), name)
        expect(name)
    scaled = image(noise("i2"), OBLIQUE, kind=nibabel.Nifti2Image)
    save(scaled, "second-scaled.nii")
    patch("second-scaled.nii", 176, "<dd", 0.1, -1024.5)
    expect("second-scaled.nii")
    turned = image(noise("u1"), kind=nibabel.Nifti2Image)
    turned.set_qform(np.block([[ROTATION * [2, 3, -4], np.array([[7], [-8], [9]])], [np.zeros(3), 1]]), code=1)
    turned.set_sform(None)
    save(turned, "second-qform.nii")
    expect("second-qform.nii")


def write_pairs():
    for name, kind, order in (
            ("pair", nibabel.Nifti1Pair, "<"), ("pair-big-endian", nibabel.Nifti1Pair, ">"),
            ("second-pair", nibabel.Nifti2Pair, "<")):
        nibabel.save(image(noise("i2"), OBLIQUE, order, kind=kind), VOLUMES / f"{name}.img")
        expect(f"{name}.hdr")
    for ending in ("hdr", "img"):
        content = (VOLUMES / f"pair.{ending}").read_bytes()
        (VOLUMES / f"pair-compressed.{ending}.gz").write_bytes(gzip.compress(content, mtime=0))
    expect("pair-compressed.hdr.gz")


def write_orientations():
    """All 48 orders and directions of axes, each slightly turned."""
    turn = np.array([[0.98, 0.1, -0.05], [-0.1, 0.99, 0.02], [0.05, -0.02, 0.995]])
    codes = [x + y + z for x in "LRAPIS" for y in "LRAPIS" for z in "LRAPIS"]
    sides = {"L": 0, "R": 0, "A": 1, "P": 1, "I": 2, "S": 2}
    samples = noise("u1", (2, 3, 4))
    for code in codes:
        if len({sides[letter] for letter in code}) < 3:
            continue
        affine = np.eye(4)
        for axis, (letter, spacing) in enumerate(zip(code, (1.5, 2, 3.25))):
            affine[:3, axis] = turn[:, sides[letter]] * (1 if letter in "RAS" else -1) * spacing
        affine[:3, 3] = 10.5, -20, 3.75
        name = f"orientations/{code}.nii"
        nibabel.save(image(samples, affine.astype(np.float32)), VOLUMES / name)
        expect(name)


NIBABEL = pathlib.Path(nibabel.__file__).parent / "tests" / "data"
COPIED = ("standard.nii.gz", "example_nifti2.nii.gz")


def write_nibabel():
    """What nibabel finds in its own test files; those that are refused are left out."""
    folder = VOLUMES / "nibabel"
    folder.mkdir()
    for name in COPIED:
        shutil.copy(NIBABEL / name, folder)
    licence = next(file for file in importlib.metadata.files("nibabel") if file.name == "COPYING")
    shutil.copy(licence.locate(), folder / "COPYING")
    found = {}
    for name in COPIED + ("anatomical.nii", "functional.nii", "example4d.nii.gz", "reoriented_anat_moved.nii"):
        expect(name, folder=NIBABEL, content=digest, into=found)
    (GOLDEN / "nibabel.json").write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n")


def patch(name, offset, layout, *values):
    content = bytearray((VOLUMES / name).read_bytes())
    struct.pack_into(layout, content, offset, *values)
    (VOLUMES / name).write_bytes(content)


def write_refused():
    save(image(noise("u1", (WIDTH, HEIGHT)), OBLIQUE), "flat.nii.gz")
    colours = np.zeros((WIDTH, HEIGHT, DEPTH), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    save(image(colours, OBLIQUE), "colour.nii.gz")
    save(image(noise("f4").astype(np.complex64), OBLIQUE), "complex.nii.gz")
    nibabel.save(nibabel.Nifti1Pair(noise("u1"), OBLIQUE), VOLUMES / "alone.img")
    (VOLUMES / "alone.img").unlink()
    nibabel.save(nibabel.AnalyzeImage(noise("u1"), np.eye(4)), VOLUMES / "analyze.img")
    save(image(noise("u1"), OBLIQUE, kind=nibabel.Nifti2Image), "surface.nii")
    patch("surface.nii", 504, "<i", 3001)
    save(image(noise("u1"), OBLIQUE, kind=nibabel.Nifti2Image), "text.nii")
    patch("text.nii", 8, "<4B", 10, 26, 10, 10)
    hole = noise("f4")
    hole[2, 1, 1] = np.nan
    save(image(hole, OBLIQUE), "not-finite.nii.gz")
    save(image(noise("u1"), OBLIQUE), "singular.nii")
    patch("singular.nii", 312, "<ffff", 0, 0, 0, 0)  # the last row of the sform


shutil.rmtree(VOLUMES, ignore_errors=True)
(VOLUMES / "orientations").mkdir(parents=True)
write_readable()
write_second_version()
write_pairs()
write_orientations()
write_nibabel()
write_refused()
(GOLDEN / "volumes.json").write_text(json.dumps(expected, indent=None, separators=(",", ":"), sort_keys=True) + "\n")
