"""Writes the NIfTI files that MedicalImagingTests reads, and what the reader must find in them.

Run from the repository's root: python Scripts/golden/volumes.py (numpy, nibabel).

Samples and affines are nibabel's, except where a file tells neither sform nor qform: there the standard's method 1 holds,
the spacing alone, and nibabel centres the grid and turns x around instead. The output is
Tests/MedicalImagingTests/Golden/volumes/* and volumes.json: per file the size, bits, affine and samples.
"""

import gzip
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


def expect(name, affine=None):
    image = nibabel.load(VOLUMES / name)
    samples = image.get_fdata().reshape(image.shape[:3]).astype(np.float32)
    expected[name] = {
        "extents": list(samples.shape), "bits": image.header["bitpix"].item(),
        "affine": np.asarray(image.affine if affine is None else affine, float).tolist(),
        "samples": [float(value) for value in samples.ravel(order="F")],
    }


def image(data, affine=None, order="<", **header):
    image = nibabel.Nifti1Image(data, affine, nibabel.Nifti1Header(endianness=order))
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
    expect("spacing.nii", affine=np.diag([2, 3, 4.5, 1]))
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


def patch(name, offset, layout, *values):
    content = bytearray((VOLUMES / name).read_bytes())
    struct.pack_into(layout, content, offset, *values)
    (VOLUMES / name).write_bytes(content)


def write_refused():
    save(image(noise("f4", (WIDTH, HEIGHT, DEPTH, 2)), OBLIQUE), "times.nii.gz")
    save(image(noise("u1", (WIDTH, HEIGHT)), OBLIQUE), "flat.nii.gz")
    colours = np.zeros((WIDTH, HEIGHT, DEPTH), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    save(image(colours, OBLIQUE), "colour.nii.gz")
    save(image(noise("f4").astype(np.complex64), OBLIQUE), "complex.nii.gz")
    save(nibabel.Nifti2Image(noise("f4"), OBLIQUE), "second.nii.gz")
    nibabel.save(nibabel.Nifti1Pair(noise("u1"), OBLIQUE), VOLUMES / "pair.img")
    hole = noise("f4")
    hole[2, 1, 1] = np.nan
    save(image(hole, OBLIQUE), "not-finite.nii.gz")
    save(image(noise("u1"), OBLIQUE), "singular.nii")
    patch("singular.nii", 312, "<ffff", 0, 0, 0, 0)  # the last row of the sform


shutil.rmtree(VOLUMES, ignore_errors=True)
VOLUMES.mkdir(parents=True)
write_readable()
write_refused()
(GOLDEN / "volumes.json").write_text(json.dumps(expected, indent=None, separators=(",", ":"), sort_keys=True) + "\n")
