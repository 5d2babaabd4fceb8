"""Writes the files that reading of medical images is timed on: python make_files.py FOLDER [--slices 100] [--volumes 8].

FOLDER/dicom, dicom-rle, dicom-jpeg-lossless, dicom-jpeg-ls and dicom-jpeg-2000: the same slices of 512×512 pixels of 16
bits, seeded, smooth with noise as CT is, with rescaling and a window. FOLDER/nifti and nifti-gz: volumes of 192×192×96
voxels of 16 bits with slope and intercept.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import gdcm
import nibabel
import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SYNTAXES = {
    "dicom-rle": gdcm.TransferSyntax.RLELossless,
    "dicom-jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "dicom-jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
    "dicom-jpeg-2000": gdcm.TransferSyntax.JPEG2000Lossless,
}
SIDE = 512


def field(random: numpy.random.Generator, sides: tuple[int, ...]) -> numpy.ndarray:
    """Ellipses of several densities, blurred by coarse sampling, with noise: Hounsfield units."""
    axes = numpy.meshgrid(*(numpy.linspace(-1, 1, side) for side in sides), indexing="ij")
    values = numpy.full(sides, -1000.0)
    for density in (40.0, -700.0, -650.0, 60.0, 300.0, 900.0):
        centre, radii = random.uniform(-0.4, 0.4, len(sides)), random.uniform(0.15, 0.8, len(sides))
        distance = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii))
        values += (density - values) * numpy.clip((1 - distance) * 8, 0, 1)
    return values + random.normal(scale=12, size=sides)


def write_slices(folder: Path, count: int) -> None:
    random = numpy.random.default_rng(1)
    (folder / "dicom").mkdir(parents=True)
    for number in range(count):
        made = Dataset()
        made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, f"1.2.826.0.1.3680043.8.498.{number + 1}"
        made.SeriesInstanceUID = made.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1000000"
        made.Modality, made.PatientID, made.InstanceNumber = "CT", "phantom", number + 1
        made.Rows = made.Columns = SIDE
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
        made.RescaleSlope, made.RescaleIntercept = "1", "-1024"
        made.WindowCenter, made.WindowWidth = "40", "400"
        made.PixelSpacing, made.SliceThickness = ["0.7", "0.7"], "2"
        made.ImageOrientationPatient, made.ImagePositionPatient = ["1", "0", "0", "0", "1", "0"], ["0", "0", f"{2 * number}"]
        stored = numpy.clip(field(random, (SIDE, SIDE)) + 1024, 0, 4095).astype("<u2")
        made.PixelData = stored.tobytes()
        made["PixelData"].VR = "OW"
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / "dicom" / f"{number:04}.dcm"
        made.save_as(path, enforce_file_format=True)
        for name, syntax in SYNTAXES.items():
            (folder / name).mkdir(exist_ok=True)
            compress(path, folder / name / path.name, syntax)


def compress(source: Path, target: Path, syntax: int) -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    if not reader.Read():
        raise SystemExit(f"GDCM cannot read {source}")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise SystemExit(f"GDCM cannot compress {source} to {syntax}")
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise SystemExit(f"GDCM cannot write {target}")


def write_volumes(folder: Path, count: int) -> None:
    random = numpy.random.default_rng(2)
    for name in ("nifti", "nifti-gz"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        values = field(random, (192, 192, 96)).round().astype("<i2")
        image = nibabel.Nifti1Image(values, numpy.diag([1.5, 1.5, 3, 1]))
        image.header.set_slope_inter(0.5, 10)  # real numbers, as PET has them
        nibabel.save(image, folder / "nifti" / f"{number:03}.nii")
        nibabel.save(image, folder / "nifti-gz" / f"{number:03}.nii.gz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slices", type=int, default=100)
    parser.add_argument("--volumes", type=int, default=8)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    write_slices(options.folder, options.slices)
    write_volumes(options.folder, options.volumes)


if __name__ == "__main__":
    main()
