"""Writes the NumPy files that MedicalImagingTests reads, and what the reader must find in them.

Run from the repository's root: python Scripts/golden/arrays.py (numpy). The output is Tests/MedicalImagingTests/Golden/arrays/*
and arrays.json: per image or volume, named as `norma` names it, the size, bits, black and white, and samples channel by channel.
"""

import io
import json
import pathlib
import shutil
import zipfile

import numpy as np

GOLDEN = pathlib.Path("Tests/MedicalImagingTests/Golden")
ARRAYS = GOLDEN / "arrays"
random = np.random.default_rng(2026)
expected = {}
LIMITS = {"bool": (0, 1), "uint8": (0, 255), "uint16": (0, 65535)}


def noise(kind, shape):
    kind = np.dtype(kind)
    if kind.kind == "f":
        return random.normal(-3, 50, shape).astype(kind)
    if kind.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(kind)
    return random.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)


def expect(name, image, is_volume=False):
    samples = np.asarray(image).astype(np.float32)
    low, high = LIMITS.get(image.dtype.name, (samples.min(), samples.max()))
    if not is_volume and samples.ndim == 3:
        samples = np.moveaxis(samples, 2, 0)
    sides = samples.shape if is_volume else samples.shape[-2:]
    expected[name] = {
        "isVolume": is_volume, "extents": list(sides), "bits": 8 * image.dtype.itemsize, "low": float(low),
        "high": float(high), "samples": [float(value) for value in samples.ravel()],
    }


def write_types():
    for kind in ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"):
        for order in "<>" if kind[1] != "1" else "<":
            for layout in "CF":
                stack = np.array(noise(kind, (3, 4, 5)).astype(order + kind), order=layout)
                name = f"{np.dtype(kind).name}{'-big-endian' if order == '>' else ''}{'-fortran' if layout == 'F' else ''}.npy"
                np.save(ARRAYS / name, stack)
                expect(f"{name}#1", stack[1])
                expect(name, stack, is_volume=True)
    # The smallest and largest halves, those below the normal ones, and zeros of both signs.
    halves = np.array([[6e-8, -6e-8, 6.1e-5, -0.0], [65504, -65504, 6.104e-5, 0], [1, -2, 0.333, 5.96e-7]], np.float16)
    np.save(ARRAYS / "halves.npy", halves)
    expect("halves.npy", halves)


def write_shapes():
    for version in (1, 2, 3):
        image = noise("i2", (4, 5))
        with open(ARRAYS / f"version-{version}.npy", "wb") as file:
            np.lib.format.write_array(file, image, version=(version, 0))
        expect(f"version-{version}.npy", image)
    for name, layout in (("colour", "C"), ("colour-fortran", "F")):
        stack = np.array(noise("u1", (2, 4, 5, 3)), order=layout)
        np.save(ARRAYS / f"{name}.npy", stack)
        expect(f"{name}.npy#1", stack[1])
    one = noise("u1", (4, 5, 3))
    np.save(ARRAYS / "one-colour.npy", one)
    expect("one-colour.npy", one)
    volumes = noise("f4", (2, 3, 4, 5))
    np.save(ARRAYS / "volumes.npy", volumes)
    expect("volumes.npy#1", volumes[1], is_volume=True)


def write_archives():
    """MedMNIST's layout: numpy.savez_compressed, labels [n, 1] of 8 bits."""
    arrays = {}
    for split, count in (("train", 12), ("val", 3), ("test", 4)):
        arrays[f"{split}_images"] = noise("u1", (count, 4, 5))
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    for name, write in (("compressed", np.savez_compressed), ("stored", np.savez)):
        write(ARRAYS / f"{name}.npz", **arrays)
        expect(f"{name}.npz#train_images/07", arrays["train_images"][7])
        expect(f"{name}.npz#test_images/3", arrays["test_images"][3])
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 16  # everything becomes zip64
    with zipfile.ZipFile(ARRAYS / "zip64.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        content = io.BytesIO()
        np.save(content, arrays["val_images"])
        archive.writestr(zipfile.ZipInfo("images.npy"), content.getvalue(), zipfile.ZIP_DEFLATED)  # dated 1980
    zipfile.ZIP64_LIMIT = limit
    expect("zip64.npz#images/2", arrays["val_images"][2])

    findings = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]], np.uint8)
    np.savez_compressed(
        ARRAYS / "findings.npz", train_images=noise("u1", (4, 4, 5, 3)), train_labels=findings,
        test_images=noise("u1", (4, 4, 5, 3)), test_labels=findings[::-1], test_masks=noise("b1", (4, 4, 5)))
    volumes = noise("u1", (5, 3, 4, 5))
    np.savez_compressed(
        ARRAYS / "volumes.npz", train_images=volumes, train_labels=np.array([7, 7, 7, -1, 7]), test_images=volumes[:2],
        test_labels=np.array([7, -1]))
    expect("volumes.npz#train_images/4", volumes[4], is_volume=True)
    np.savez(
        ARRAYS / "uneven.npz", train_images=noise("u1", (3, 4, 5)), train_labels=np.zeros((2, 1), np.uint8))
    np.savez(ARRAYS / "others.npz", first=noise("u1", (4, 5)), second=noise("f4", (2, 4, 5)))


def write_medmnist_volumes():
    """MedMNIST's volumes: [n, 28, 28, 28] of 8 bits, labels [n, 1]; each voxel tells where it lies."""
    z, y, x = np.indices((28, 28, 28))
    arrays = {}
    for split, count in (("train", 4), ("val", 1), ("test", 2)):
        arrays[f"{split}_images"] = np.stack([(z * 9 + y * 3 + x + 50 * n) % 256 for n in range(count)]).astype(np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    np.savez_compressed(ARRAYS / "organmnist3d.npz", **arrays)


def write_refused():
    np.save(ARRAYS / "complex.npy", noise("f4", (4, 5)).astype(np.complex64))
    np.save(ARRAYS / "objects.npy", np.array([[None, {}]], dtype=object), allow_pickle=True)
    np.save(ARRAYS / "texts.npy", np.array([["a", "b"]]))
    np.save(ARRAYS / "records.npy", np.zeros((2, 2), [("a", "u1"), ("b", "f4")]))
    np.save(ARRAYS / "long-double.npy", noise("f4", (4, 5)).astype(np.longdouble))
    hole = noise("f4", (4, 5))
    hole[1, 2] = np.nan
    hole[3, 0] = np.inf
    np.save(ARRAYS / "not-finite.npy", hole)
    np.save(ARRAYS / "line.npy", noise("u1", (7,)))
    np.save(ARRAYS / "empty.npy", noise("u1", (0, 4, 5)))
    later = bytearray((ARRAYS / "version-1.npy").read_bytes())
    later[6] = 4
    (ARRAYS / "version-4.npy").write_bytes(later)


shutil.rmtree(ARRAYS, ignore_errors=True)
ARRAYS.mkdir(parents=True)
write_types()
write_shapes()
write_archives()
write_medmnist_volumes()
write_refused()
(GOLDEN / "arrays.json").write_text(json.dumps(expected, separators=(",", ":"), sort_keys=True) + "\n")
