/// Reads volumes from files, and from folders with the slices of one DICOM series. The format is told from the content, never
/// from the name; of a header and its voxels in two files (`.hdr` and `.img`) either name will do.
///
/// Samples are the file's numbers with slope and intercept applied; of DICOM the modality's values, of PET standard uptake
/// values by body weight (see `DICOMSeries`). Volumes keep the order of their voxels; `Volume3D.affine`
/// tells how they lie in the patient: NIfTI's sform, its qform where there is none, and where there is neither the spacing
/// alone with the middle of the grid at the origin, x towards the left, as nibabel has it. `Volume3D.canonical` is the same
/// volume in the order that training and scoring work in.
///
/// A file of several volumes is not read without a word about which: the number behind a `#` chooses one, counted from 0 over
/// the fourth dimension and all beyond (`scan.nii.gz#2`). Samples that are not finite numbers are refused: what they stand for
/// differs from file to file, and any value put in their place would be learned.
public enum VolumeReader {
  /// The volume in a file, or in a folder of slices.
  /// - Throws: `ImageError`, for a path that is missing, a folder or unreadable, and for a file of another format, damaged
  ///   (a truncated one counts), of an unsupported kind (several volumes and none named, colours, complex numbers, numbers
  ///   that are not finite), or too large; for a DICOM series also as `DICOMSeries.read` does.
  public static func read(_ path: String) throws(ImageError) -> Volume3D {
    if DICOMSeries.isFolder(path) { return try DICOMSeries.read(path).volume() }
    let place = ImagePath(path)
    let head = try FileContents.head(NIfTIFiles(place.file).header, count: 132)
    if NumPyFile.isSignature(head) { return try NumPyImage(at: place).volume }
    switch VolumeFormat(signatureOf: head) {
    case .nifti: return try NIfTI.read(place)
    case .dicom: return try DICOMSeries.read(path).volume()
    case nil:
      throw ImageFormat(signatureOf: head) == nil
        ? .unknownVolumeFormat(path: path) : .otherKind(path: path, isVolume: false)
    }
  }
}
