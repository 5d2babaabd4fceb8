"""Writes the DICOM files that MedicalImagingTests reads, and what the reader must find in them.

Run from the repository's root: python Scripts/golden/dicom.py (numpy, Pillow, pydicom, pylibjpeg with its plug-ins,
python-gdcm).

Stored samples are pydicom's, decoded by pylibjpeg where they are compressed; values and grey levels are pydicom's too, the
latter brought to 0 ... 1. The output is Tests/MedicalImagingTests/Golden/dicom/* and dicom.json.
"""

import io
import json
import pathlib
import shutil

import gdcm
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_color_lut, apply_voi, apply_windowing, pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import UID

GOLDEN = pathlib.Path("Tests/MedicalImagingTests/Golden")
FOLDER = GOLDEN / "dicom"
ROWS, COLUMNS = 6, 10
EXPLICIT, IMPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{end}" for end in (".1", "", ".2", ".1.99"))
JPEG = "1.2.840.10008.1.2.4."
random = np.random.default_rng(2026)
expected = {}


def dataset(samples, stored=None, signed=None, photometric="MONOCHROME2", **elements):
    """A data set around samples [frames, rows, columns] or [frames, rows, columns, 3]."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SOPInstanceUID = f"1.2.826.0.1.3680043.8.498.{len(expected) + 1}"
    made.Modality, made.PatientID = "OT", "case 7"
    frames, made.Rows, made.Columns = samples.shape[:3]
    made.SamplesPerPixel = 3 if samples.ndim == 4 else 1
    made.PhotometricInterpretation = photometric
    if samples.ndim == 4:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    bits = samples.dtype.itemsize * 8
    made.BitsAllocated, made.BitsStored = bits, stored or bits
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(samples.dtype.kind == "i")
    made.PixelData = samples.tobytes()
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    for key, value in elements.items():
        setattr(made, key, value)
    return made


def write(name, made, syntax=EXPLICIT, expecting=True):
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    big, implicit = syntax == BIG, syntax == IMPLICIT
    made.save_as(
        FOLDER / name, little_endian=not big, implicit_vr=implicit, enforce_file_format=True)
    if expecting:
        expect(name)


def expect(name, **more):
    made = pydicom.dcmread(FOLDER / name, force=True)
    if "TransferSyntaxUID" not in made.get("file_meta", {}):
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = UID(more.pop("syntax"))
    stored = pixel_array(made, raw=True)
    expected[name] = {
        "columns": made.Columns, "rows": made.Rows, "frames": int(made.get("NumberOfFrames", 1)),
        "samples": made.SamplesPerPixel, "bits": made.BitsStored, "signed": made.PixelRepresentation == 1,
        "syntax": made.file_meta.TransferSyntaxUID, "stored": stored.ravel().astype(int).tolist(), **more,
    }


def noise(kind, stored=None, shape=(1, ROWS, COLUMNS)):
    kind = np.dtype(kind)
    bits = stored or kind.itemsize * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.kind == "i" else (0, (1 << bits) - 1)
    samples = random.integers(low, high, shape, dtype=np.int64, endpoint=True)
    samples.ravel()[:2] = low, high
    return samples.astype(kind)


def smooth(kind, low, high, shape=(1, 16, 16)):
    frames, rows, columns = shape[:3]
    grid = np.add.outer(np.add.outer(np.arange(frames) * 3, np.arange(rows)), np.arange(columns) * 1.5)
    image = low + (high - low) * (0.5 + 0.5 * np.sin(grid / 5))
    if len(shape) == 4:
        image = np.stack([image, high - image + low, (image + low) / 2], axis=-1)
    return image.round().astype(kind)


def big(samples):
    return samples.astype(samples.dtype.newbyteorder(">"))


def write_uncompressed():
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4"):
        name = np.dtype(kind).name
        write(f"{name}.dcm", dataset(noise(kind)))
        made = dataset(big(noise(kind)))
        write(f"{name}-big-endian.dcm", made, BIG)
    write("uint12.dcm", dataset(noise("u2", 12), stored=12))
    write("int12.dcm", dataset(noise("i2", 12), stored=12))
    write("implicit.dcm", dataset(noise("i2")), IMPLICIT)
    write("deflated.dcm", dataset(noise("u2")), DEFLATED)
    write("frames.dcm", dataset(noise("u2", shape=(3, ROWS, COLUMNS))))
    bits = random.integers(0, 2, (3, 5, 5), dtype=np.uint8)
    made = dataset(bits)
    made.BitsAllocated, made.BitsStored, made.HighBit = 1, 1, 0
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    made.PixelData = packed + b"\0" * (len(packed) % 2)
    write("single-bits.dcm", made)
    # Samples in the upper bits of words, something else in the lower ones.
    upper = noise("i2", 12)
    made = dataset(upper, stored=12)
    made.PixelData = ((upper.astype(np.int32) << 4) | 5).astype(np.int16).tobytes()
    made.HighBit = 15
    write("upper-bits.dcm", made, expecting=False)
    expected["upper-bits.dcm"] = {
        "columns": COLUMNS, "rows": ROWS, "frames": 1, "samples": 1, "bits": 12, "signed": True, "syntax": EXPLICIT,
        "stored": upper.ravel().tolist()}
    for name, syntax in (("int16.dcm", EXPLICIT), ("implicit.dcm", IMPLICIT), ("uint16-big-endian.dcm", BIG)):
        bare = pydicom.dcmread(FOLDER / name)
        bare.file_meta = FileMetaDataset()
        with open(FOLDER / f"bare-{name}", "wb") as file:
            writer = pydicom.filebase.DicomFileLike(file)
            writer.is_little_endian, writer.is_implicit_VR = syntax != BIG, syntax == IMPLICIT
            pydicom.filewriter.write_dataset(writer, bare)
        expect(f"bare-{name}", syntax=syntax)
    colours = noise("u1", shape=(1, ROWS, COLUMNS, 3))
    write("rgb.dcm", dataset(colours, photometric="RGB"))
    made = dataset(colours, photometric="RGB")
    made.PlanarConfiguration = 1
    made.PixelData = colours.transpose(0, 3, 1, 2).tobytes()
    write("rgb-planes.dcm", made)
    write("rgb16.dcm", dataset(noise("u2", shape=(1, ROWS, COLUMNS, 3)), photometric="RGB"))
    write("ybr.dcm", dataset(colours, photometric="YBR_FULL"))
    made = dataset(colours, photometric="YBR_FULL_422")
    made.PixelData = random.integers(0, 256, ROWS * COLUMNS * 2, dtype=np.uint8).tobytes()
    write("ybr-422.dcm", made)
    for bits in (8, 16):
        made = dataset(noise("u1"), photometric="PALETTE COLOR")
        for colour in ("Red", "Green", "Blue"):
            setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [200, 20, bits])
            table = random.integers(0, 1 << bits, 200, dtype=np.uint16)
            data = (table.astype(np.uint8) if bits == 8 else table).tobytes()
            setattr(made, f"{colour}PaletteColorLookupTableData", data)
        write(f"palette{bits}.dcm", made)


def transcode(source, name, syntax):
    """Compressed by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(FOLDER / source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change(), name
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(FOLDER / name))
    assert writer.Write()
    # GDCM writes the time and identifiers of its own; only its pixels are kept.
    compressed, made = pydicom.dcmread(FOLDER / name), pydicom.dcmread(FOLDER / source)
    made.PixelData, made.PhotometricInterpretation = compressed.PixelData, compressed.PhotometricInterpretation
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    write(name, made, str(compressed.file_meta.TransferSyntaxUID))


def write_compressed():
    sources = {
        "smooth8.dcm": dataset(smooth("u1", 0, 255)), "smooth12.dcm": dataset(smooth("u2", 0, 4095), stored=12),
        "smooth16.dcm": dataset(smooth("i2", -32768, 32767)),
        "smooth-rgb.dcm": dataset(smooth("u1", 0, 255, (1, 16, 16, 3)), photometric="RGB"),
        "smooth-frames.dcm": dataset(smooth("u2", 0, 4095, (3, 16, 16)), stored=12),
    }
    for name, made in sources.items():
        write(name, made)
    syntaxes = {
        "jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1, "jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
        "jpeg-2000": gdcm.TransferSyntax.JPEG2000Lossless,
    }
    for source in sources:
        for kind, syntax in syntaxes.items():
            if kind == "jpeg-lossless" and source == "smooth16.dcm":
                continue  # GDCM writes no signed samples with 16 bits
            transcode(source, f"{kind}-{source.removeprefix('smooth').removeprefix('-')}", syntax)
    for source, name in (("smooth8", "8"), ("smooth16", "16"), ("smooth-frames", "frames"), ("rgb16", "rgb16")):
        made = pydicom.dcmread(FOLDER / f"{source}.dcm")
        made.compress("1.2.840.10008.1.2.5", encoding_plugin="pydicom", generate_instance_uid=False)
        made.save_as(FOLDER / f"rle-{name}.dcm")
        expect(f"rle-{name}.dcm")
    for name, image, photometric, options in (
            ("8", smooth("u1", 0, 255)[0], "MONOCHROME2", {}),
            ("rgb", smooth("u1", 40, 200, (1, 16, 16, 3))[0], "YBR_FULL_422", {"subsampling": 1})):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=90, **options)
        made = dataset(image[None], photometric=photometric)
        made.PixelData = encapsulate([file.getvalue()])
        made["PixelData"].is_undefined_length = True
        write(f"jpeg-{name}.dcm", made, JPEG + "50")
    # A frame in several fragments, with and without a table of offsets.
    made = pydicom.dcmread(FOLDER / "jpeg-2000-frames.dcm")
    frames = list(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=3))
    for name, table in (("fragments", True), ("fragments-bare", False)):
        made.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=table)
        made["PixelData"].is_undefined_length = True
        made.save_as(FOLDER / f"jpeg-2000-{name}.dcm")
        expect(f"jpeg-2000-{name}.dcm")


def lut(descriptor, data, **more):
    item = Dataset()
    item.LUTDescriptor, item.LUTData = descriptor, data
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "US"
    for key, value in more.items():
        setattr(item, key, value)
    return item


def levels(name, made, count):
    """The grey levels of each window, 0 ... 1, as the standard's formulas give them."""
    values = np.asarray(apply_modality_lut(pydicom.dcmread(FOLDER / name).pixel_array, made), float)
    centers, widths = np.atleast_1d(made.WindowCenter), np.atleast_1d(made.WindowWidth)
    result = []
    for index in range(count):
        c, w = float(centers[index]), float(widths[index])
        kind = made.get("VOILUTFunction", "LINEAR")
        if kind == "LINEAR":
            level = np.clip((values - (c - 0.5)) / (w - 1) + 0.5, 0, 1)
        elif kind == "LINEAR_EXACT":
            level = np.clip((values - c) / w + 0.5, 0, 1)
        else:
            level = 1 / (1 + np.exp(-4 * (values - c) / w))
        # pydicom agrees, on its own scale.
        scaled = apply_windowing(values, made, index=index)
        extremes = np.array([-1e9, 1e9] if kind != "SIGMOID" else [-1e4, 1e4])
        low, high = apply_windowing(extremes, made, index=index)
        assert np.allclose((scaled - low) / (high - low), level, atol=1e-6), (name, index)
        result.append(level.ravel().tolist())
    return values.ravel().tolist(), result


def write_transformed():
    base = noise("i2", 12)
    windows = {
        "WindowCenter": [40, 600, -400.5], "WindowWidth": [400, 2800, 1500.25],
        "WindowCenterWidthExplanation": ["SOFT", "BONE", "LUNG"],
    }
    for name, function in (("linear", None), ("linear-exact", "LINEAR_EXACT"), ("sigmoid", "SIGMOID")):
        made = dataset(base, stored=12, RescaleSlope=1.5, RescaleIntercept=-24.25, RescaleType="HU", **windows)
        if function:
            made.VOILUTFunction = function
        write(f"window-{name}.dcm", made, expecting=False)
        values, result = levels(f"window-{name}.dcm", made, 3)
        expect(f"window-{name}.dcm", values=values, levels=result)
    made = dataset(noise("u1"))
    made.ModalityLUTSequence = Sequence([lut([200, 10, 16], random.integers(0, 65536, 200).tolist(), ModalityLUTType="US")])
    made.VOILUTSequence = Sequence([
        lut([256, 0, 8], random.integers(0, 256, 256).tolist(), LUTExplanation="FIRST"),
        lut([4096, 30000, 12], random.integers(0, 4096, 4096).tolist()),
    ])
    write("tables.dcm", made, expecting=False)
    values = apply_modality_lut(pydicom.dcmread(FOLDER / "tables.dcm").pixel_array, made)
    result = []
    for index, item in enumerate(made.VOILUTSequence):
        count, first, bits = item.LUTDescriptor
        level = np.asarray(item.LUTData)[np.clip(values.astype(int) - first, 0, count - 1)] / ((1 << bits) - 1)
        # pydicom looks numbers above 255 up in tables of eight bits by their lower byte.
        assert bits == 8 or np.allclose(apply_voi(values, made, index=index) / ((1 << bits) - 1), level)
        result.append(level.ravel().tolist())
    expect("tables.dcm", values=values.ravel().astype(float).tolist(), levels=result)
    made = dataset(noise("u2", 10), stored=10, photometric="MONOCHROME1", WindowCenter=500, WindowWidth=600)
    write("monochrome1.dcm", made)


def write_colours():
    """What pydicom makes of colours."""
    for name in ("rgb.dcm", "rgb-planes.dcm", "rgb16.dcm", "ybr.dcm", "ybr-422.dcm", "palette8.dcm", "palette16.dcm",
                 "jpeg-rgb.dcm", "jpeg-2000-rgb.dcm", "jpeg-ls-rgb.dcm"):
        made = pydicom.dcmread(FOLDER / name)
        colours = apply_color_lut(made.pixel_array, made) if "palette" in name else pixel_array(made)
        expected[name]["colours"] = colours.reshape(-1, 3).T.ravel().astype(int).tolist()


def write_enhanced():
    """One file of three frames, each with its place and slope."""
    made = dataset(noise("u2", shape=(3, ROWS, COLUMNS)))
    made.Modality = "CT"
    shared, made.PerFrameFunctionalGroupsSequence = Dataset(), Sequence()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([Dataset()]), Sequence([Dataset()])
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.75, 0.5]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    made.SharedFunctionalGroupsSequence = Sequence([shared])
    for height, slope in ((4, 1.0), (-2, 2.0), (1, 0.5)):
        group = Dataset()
        group.PlanePositionSequence, group.PixelValueTransformationSequence = Sequence([Dataset()]), Sequence([Dataset()])
        group.PlanePositionSequence[0].ImagePositionPatient = [10, height, 30]
        group.PixelValueTransformationSequence[0].RescaleSlope = slope
        group.PixelValueTransformationSequence[0].RescaleIntercept = -1000
        made.PerFrameFunctionalGroupsSequence.append(group)
    write("enhanced.dcm", made)


def write_refused():
    made = pydicom.dcmread(FOLDER / "jpeg-8.dcm")
    made.file_meta.TransferSyntaxUID = UID(JPEG + "100")
    made.save_as(FOLDER / "refused-mpeg.dcm")
    made = pydicom.dcmread(FOLDER / "jpeg-8.dcm")
    made.Rows = 32
    made.save_as(FOLDER / "refused-size.dcm")
    made = dataset(noise("u1"))
    del made.PixelData
    write("refused-empty.dcm", made, expecting=False)
    made = dataset(random.normal(size=(1, ROWS, COLUMNS)))
    made.DoubleFloatPixelData = made.PixelData
    del made.PixelData
    write("refused-double.dcm", made, expecting=False)
    made = dataset(noise("u2"))
    made.PixelData = made.PixelData[:-6]
    write("refused-short.dcm", made, expecting=False)
    made = dataset(noise("u1"))
    made.SamplesPerPixel = 4
    write("refused-four.dcm", made, expecting=False)
    made = dataset(noise("u2", shape=(2, ROWS, COLUMNS)))
    write("refused-frames.dcm", made, expecting=False)


shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(parents=True)
write_uncompressed()
write_compressed()
write_transformed()
write_colours()
write_enhanced()
write_refused()
for name in FOLDER.glob("smooth*.dcm"):
    name.unlink()
    expected.pop(name.name)
(GOLDEN / "dicom.json").write_text(json.dumps(expected, indent=None, separators=(",", ":"), sort_keys=True) + "\n")
