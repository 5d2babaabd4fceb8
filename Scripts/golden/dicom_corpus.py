"""Decodes the files that pydicom carries for its own tests, for DICOMCorpusTests.

Run by the test: python Scripts/golden/dicom_corpus.py FOLDER (pydicom, pylibjpeg with its plug-ins, python-gdcm). Writes
FOLDER/index.json, a list of files, each with `samples`, a file of 64-bit integers, as pydicom stores them, where pydicom
decodes it. Nothing of it goes into the repository.
"""

import json
import logging
import pathlib
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
target = pathlib.Path(sys.argv[1])
corpus = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
index = []
for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
    entry = {"path": str(path), "name": str(path.relative_to(corpus))}
    try:
        dataset = pydicom.dcmread(path, force=True)
        samples = pixel_array(dataset, raw=True)
        file = target / f"{len(index)}.samples"
        file.write_bytes(np.ascontiguousarray(samples, "<i8").tobytes())
        entry["samples"] = str(file)
    except Exception as error:  # whatever pydicom and its plug-ins raise: the file cannot be decoded
        entry["reason"] = str(error).splitlines()[0] if str(error) else type(error).__name__
    index.append(entry)
(target / "index.json").write_text(json.dumps(index))
