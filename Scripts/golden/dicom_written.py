"""Reads the DICOM files that DICOMWritingTests wrote with pydicom, every element validated.

Run by the test: python Scripts/golden/dicom_written.py FOLDER (pydicom, numpy). Writes FOLDER/written.json: what pydicom finds
in each FOLDER/*.dcm. Nothing of it goes into the repository.
"""

import json
import pathlib
import sys

import numpy as np
import pydicom
from pydicom import config

config.settings.reading_validation_mode = config.RAISE
folder = pathlib.Path(sys.argv[1])


def affine(made):
    """From column, row and frame to millimetres (right, front, head), as the functional groups tell it."""
    shared, frames = made.SharedFunctionalGroupsSequence[0], made.PerFrameFunctionalGroupsSequence
    spacing = [float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing]
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    positions = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], float)
    step = (positions[-1] - positions[0]) / max(len(frames) - 1, 1)
    columns = np.stack([directions[0] * spacing[1], directions[1] * spacing[0], step, positions[0]], axis=1)
    return (np.diag([-1, -1, 1]) @ columns).tolist()


def describe(path):
    made = pydicom.dcmread(path)
    elements = list(made.iterall())  # converts every value, and raises where one breaks its type's rules
    assert all(element.value is not None or element.is_empty for element in elements)
    frames = made.get("PerFrameFunctionalGroupsSequence", [])
    sources = made.get("SourceImageSequence") or [
        frame.DerivationImageSequence[0].SourceImageSequence[0] for frame in frames]
    found = {
        "name": path.name, "sopClass": made.SOPClassUID, "pixels": made.pixel_array.ravel().astype(float).tolist(),
        "shape": list(made.pixel_array.shape),
        "sources": [[item.ReferencedSOPInstanceUID, int(item.get("ReferencedFrameNumber", 0))] for item in sources],
        "referencedSeries": made.ReferencedSeriesSequence[0].SeriesInstanceUID,
        "referenced": [
            item.ReferencedSOPInstanceUID for item in made.ReferencedSeriesSequence[0].ReferencedInstanceSequence],
        "patient": [str(made.PatientName), made.PatientID, made.PatientBirthDate, made.PatientSex],
        "study": [made.StudyInstanceUID, made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber],
        "uids": [made.SOPInstanceUID, made.SeriesInstanceUID],
        "imageType": list(made.ImageType), "description": made.DerivationDescription, "comments": made.ImageComments,
        "burnedIn": made.BurnedInAnnotation, "frameOfReference": made.get("FrameOfReferenceUID", ""),
    }
    if frames and "PlanePositionSequence" in frames[0]:
        found["affine"] = affine(made)
    if "RescaleSlope" in made:
        found["values"] = (made.pixel_array * float(made.RescaleSlope) + float(made.RescaleIntercept)).ravel().tolist()
    return found


index = [describe(path) for path in sorted(folder.glob("*.dcm"))]
(folder / "written.json").write_text(json.dumps(index))
