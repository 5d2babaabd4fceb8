"""Writes the image files that MedicalImagingTests reads, and the samples that the reader must find in them.

Run from the repository's root: python Scripts/golden/imaging.py (numpy, Pillow, tifffile).

Lossless files are written from arrays made here, so the arrays are the expectation, independent of any decoder; PNG is
encoded by hand below, because Pillow writes only some of its kinds. JPEG expectations are Pillow's. The output is
Tests/MedicalImagingTests/Golden/images/* and golden.json: per file the size, channels, bits, range and samples.
"""

import json
import pathlib
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageOps

GOLDEN = pathlib.Path("Tests/MedicalImagingTests/Golden")
IMAGES = GOLDEN / "images"
HEIGHT, WIDTH = 11, 13
random = np.random.default_rng(2024)
expected = {}


def expect(name, samples, bits, maximum=None, minimum=0):
    """Samples are [height, width] or [height, width, 3]; they are stored channel by channel."""
    samples = np.asarray(samples)
    planes = samples[None] if samples.ndim == 2 else np.moveaxis(samples, 2, 0)
    expected[name] = {
        "width": planes.shape[2], "height": planes.shape[1], "channels": planes.shape[0], "bits": bits,
        "minimum": minimum, "maximum": maximum if maximum is not None else (65535 if bits == 16 else 255),
        "samples": [float(value) for value in planes.ravel()],
    }


def noise(bits, channels=1):
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return random.integers(0, 2**bits, shape, dtype=np.uint16)


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def packed(pixels, bits):
    """Rows of samples as PNG's filtered bytes (filter 0)."""
    rows = b""
    for row in pixels.reshape(pixels.shape[0], -1):
        if bits == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        else:
            digits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:].ravel()
            rows += b"\0" + np.packbits(digits).tobytes()
    return rows


def png(name, pixels, bits, colour, extra=b"", interlaced=False):
    height, width = pixels.shape[:2]
    passes = [pixels]
    if interlaced:
        starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        passes = [pixels[y::dy, x::dx] for y, x, dy, dx in starts]
    data = b"".join(packed(part, bits) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    (IMAGES / name).write_bytes(file)


def write_png():
    for bits in (1, 2, 4, 8, 16):
        for interlaced in (False, True):
            pixels, name = noise(bits), f"grey{bits}{'-interlaced' if interlaced else ''}.png"
            png(name, pixels, bits, 0, interlaced=interlaced)
            expect(name, pixels.astype(int) * (255 // (2**bits - 1)) if bits < 8 else pixels, bits)
    for bits in (1, 2, 4, 8):
        indices, palette = noise(bits), random.integers(0, 256, (2**bits, 3), dtype=np.uint8)
        alpha = chunk(b"tRNS", bytes([0, 128])) if bits == 8 else b""
        png(f"palette{bits}.png", indices, bits, 3, chunk(b"PLTE", palette.tobytes()) + alpha)
        expect(f"palette{bits}.png", palette[indices], bits)
    for bits in (8, 16):
        for kind, colour, stored in (("grey-alpha", 4, 2), ("rgb", 2, 3), ("rgb-alpha", 6, 4)):
            pixels, name = noise(bits, stored), f"{kind}{bits}.png"
            # A resolution of 2835 pixels per metre must not become a pixel spacing.
            png(name, pixels, bits, colour, chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)), interlaced=bits == 16)
            expect(name, pixels[..., 0] if stored == 2 else pixels[..., :3], bits)
    pixels = noise(8)
    png("grey8-transparent-value.png", pixels, 8, 0, chunk(b"tRNS", struct.pack(">H", int(pixels[0, 0]))))
    expect("grey8-transparent-value.png", pixels, 8)
    png("animation.png", pixels, 8, 0, chunk(b"acTL", struct.pack(">II", 3, 0)))
    for name, stored in expected.items():  # Pillow agrees where it keeps the depth
        if name.endswith(".png") and stored["bits"] <= 8:
            mode = "RGB" if stored["channels"] == 3 else "L"
            image = np.asarray(Image.open(IMAGES / name).convert("RGBA" if mode == "RGB" else "LA").convert(mode))
            planes = image[None] if image.ndim == 2 else np.moveaxis(image, 2, 0)
            assert [float(value) for value in planes.ravel()] == stored["samples"], name


def write_jpeg():
    y, x = np.mgrid[0:24, 0:31]
    smooth = np.stack([8 * x, 10 * y, 4 * x + 5 * y], axis=2).astype(np.uint8)
    colour = Image.fromarray(smooth)
    kinds = {
        "grey.jpg": (colour.convert("L"), {}),
        "grey-progressive.jpg": (colour.convert("L"), {"progressive": True}),
        "colour.jpg": (colour, {"subsampling": 0}),
        "colour-420.jpg": (colour, {"subsampling": 2}),
        "colour-progressive.jpg": (colour, {"subsampling": 2, "progressive": True}),
        "cmyk.jpg": (colour.convert("CMYK"), {}),
    }
    for name, (image, options) in kinds.items():
        image.save(IMAGES / name, quality=90, dpi=(300, 300), **options)
        read = Image.open(IMAGES / name)
        expect(name, np.asarray(read if read.mode == "L" else read.convert("RGB")), 8)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        name = f"orientation{orientation}.jpg"
        colour.convert("L").save(IMAGES / name, quality=90, exif=exif)
        expect(name, np.asarray(ImageOps.exif_transpose(Image.open(IMAGES / name))), 8)


def tiff(name, array, samples, bits, **options):
    options.setdefault("photometric", "minisblack")
    tifffile.imwrite(IMAGES / name, array, metadata=None, **options)
    expect(name, samples, bits)


def write_tiff():
    for bits, kind in ((8, np.uint8), (16, np.uint16)):
        grey, colour = noise(bits).astype(kind), noise(bits, 3).astype(kind)
        tiff(f"grey{bits}.tif", grey, grey, bits, resolution=(300, 300), resolutionunit="INCH")
        tiff(f"grey{bits}-big-endian.tif", grey, grey, bits, byteorder=">", rowsperstrip=3)
        tiff(f"grey{bits}-white.tif", grey, 2**bits - 1 - grey.astype(int), bits, photometric="miniswhite")
        tiff(f"rgb{bits}.tif", colour, colour, bits, photometric="rgb", rowsperstrip=4)
        planes = np.ascontiguousarray(np.moveaxis(colour, 2, 0))
        tiff(f"rgb{bits}-planes.tif", planes, colour, bits, photometric="rgb", planarconfig="separate", rowsperstrip=4)
        tiled = np.tile(grey, (3, 2))
        tiff(f"grey{bits}-tiles.tif", tiled, tiled, bits, tile=(16, 16))
        tiled = np.tile(planes, (1, 2, 3))
        tiff(f"rgb{bits}-planes-tiles.tif", tiled, np.moveaxis(tiled, 0, 2), bits, photometric="rgb",
             planarconfig="separate", tile=(16, 16))
        alpha = noise(bits, 4).astype(kind)
        tiff(f"rgb{bits}-alpha.tif", alpha, alpha[..., :3], bits, photometric="rgb", extrasamples=["unassalpha"])
        alpha = noise(bits, 2).astype(kind)
        tiff(f"grey{bits}-alpha.tif", alpha, alpha[..., 0], bits, planarconfig="contig", extrasamples=["unassalpha"])
    grey = noise(8).astype(np.uint8)
    tiff("big.tif", grey, grey, 8, bigtiff=True)
    palette = random.integers(0, 256, (3, 256), dtype=np.uint16)
    tiff("palette.tif", grey, np.moveaxis(palette[:, grey], 0, 2), 8, photometric="palette", colormap=palette * 257)
    tiff("orientation6.tif", grey, np.rot90(grey, -1), 8, extratags=[(274, "H", 1, 6, True)])
    bilevel = noise(1).astype(bool)
    tiff("grey1.tif", bilevel, bilevel * 255, 1)
    real = random.normal(-3, 50, (HEIGHT, WIDTH)).astype(np.float32)
    tifffile.imwrite(IMAGES / "float.tif", real, metadata=None, photometric="minisblack")
    expect("float.tif", real, 32, maximum=float(real.max()), minimum=float(real.min()))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        name, image = f"grey-{compression}.tif", np.tile(grey // 32, (3, 3))
        Image.fromarray(image).save(IMAGES / name, compression=compression)
        expect(name, image, 8)
    name, image = "grey16-lzw-predictor.tif", (np.mgrid[0:20, 0:30][1] * 300 + 7).astype(np.uint16)
    Image.fromarray(image).save(IMAGES / name, compression="tiff_lzw", tiffinfo={317: 2})
    expect(name, image, 16)
    name = "grey1-group4.tif"
    Image.fromarray(bilevel).save(IMAGES / name, compression="group4")
    expect(name, bilevel * 255, 1)
    y, x = np.mgrid[0:24, 0:32]
    smooth = Image.fromarray(np.stack([8 * x, 10 * y, 4 * x + 5 * y], axis=2).astype(np.uint8))
    smooth.save(IMAGES / "colour-jpeg.tif", compression="jpeg")
    expect("colour-jpeg.tif", np.asarray(Image.open(IMAGES / "colour-jpeg.tif").convert("RGB")), 8)

    options = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(IMAGES / "pages.tif", np.stack([grey] * 3), **options)
    tifffile.imwrite(IMAGES / "signed.tif", grey.astype(np.int16), **options)
    tifffile.imwrite(IMAGES / "double.tif", grey.astype(np.float64), **options)
    tifffile.imwrite(IMAGES / "not-finite.tif", np.where(grey > 128, np.nan, grey).astype(np.float32), **options)
    Image.fromarray(np.dstack([grey] * 4), "CMYK").save(IMAGES / "cmyk.tif")


def write_luma():
    """Pillow's grey version of an RGB file, rounded to whole numbers by Pillow."""
    image = Image.open(IMAGES / "rgb8.png")
    expected["luma of rgb8.png"] = [int(value) for value in np.asarray(image.convert("L")).ravel()]


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    for old in IMAGES.iterdir():
        old.unlink()
    write_png()
    write_jpeg()
    write_tiff()
    write_luma()
    luma = expected.pop("luma of rgb8.png")
    compact = {"separators": (",", ":")}
    lines = [f"{json.dumps(name)}:{json.dumps(value, **compact)}".replace(".0,", ",").replace(".0]", "]")
             for name, value in sorted(expected.items())]
    text = '{"luma":' + json.dumps(luma, **compact) + ',\n"images":{\n' + ",\n".join(lines) + "}}\n"
    (GOLDEN / "golden.json").write_text(text)
