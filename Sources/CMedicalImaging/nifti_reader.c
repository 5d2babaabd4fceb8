#include <math.h>
#include <nifti2_io.h>
#include <string.h>
#include <sys/stat.h>

#include "image.h"
#include "volume.h"

// One reading. The library prints what it finds wrong with a header, so everything it would complain about is looked at
// before.
typedef struct {
  znzFile file;
  uint64_t file_bytes;
  bool swapped;         // the file's byte order is the other one
  nifti_image *image;   // what the library makes of the header
  cmi_volume *volume;
  char *message;
} nifti_reading;

enum { chunk_bytes = 1 << 16 };

static const size_t unreadable = (size_t)-1;  // what znzread gives for compressed data that are damaged

static cmi_status check_count(const nifti_reading *reading, size_t found, size_t wanted) {
  if (found == wanted) return CMI_OK;
  return cmi_fail(
      CMI_CORRUPT, reading->message, found == unreadable ? "its compressed data are damaged" : "the file ends early");
}

// The bytes of one sample; 0 for types that are not read.
static int sample_bytes(int type) {
  switch (type) {
    case NIFTI_TYPE_UINT8:
    case NIFTI_TYPE_INT8: return 1;
    case NIFTI_TYPE_UINT16:
    case NIFTI_TYPE_INT16: return 2;
    case NIFTI_TYPE_UINT32:
    case NIFTI_TYPE_INT32:
    case NIFTI_TYPE_FLOAT32: return 4;
    case NIFTI_TYPE_UINT64:
    case NIFTI_TYPE_INT64:
    case NIFTI_TYPE_FLOAT64: return 8;
    default: return 0;
  }
}

static cmi_status check_kind(nifti_reading *reading, nifti_1_header *header) {
  int32_t size = header->sizeof_hdr, swapped = header->sizeof_hdr;
  nifti_swap_4bytes(1, &swapped);
  if (size == sizeof(nifti_2_header) || swapped == sizeof(nifti_2_header)) {
    return cmi_fail(CMI_UNSUPPORTED, reading->message, "it is NIfTI-2; store it as NIfTI-1");
  }
  reading->swapped = swapped == sizeof(nifti_1_header);
  if (size != sizeof(nifti_1_header) && !reading->swapped) {
    return cmi_fail(CMI_CORRUPT, reading->message, "it does not begin with a NIfTI header");
  }
  if (NIFTI_VERSION(*header) == 0) {
    return cmi_fail(CMI_UNSUPPORTED, reading->message, "its header is Analyze's or has lost its mark; store it as NIfTI-1");
  }
  if (!NIFTI_ONEFILE(*header)) {
    return cmi_fail(
        CMI_UNSUPPORTED, reading->message, "its voxels lie in a file of their own; store header and voxels in one .nii");
  }
  if (reading->swapped) swap_nifti_header(header, 1);
  return CMI_OK;
}

static cmi_status check_content(const nifti_reading *reading, const nifti_1_header *header) {
  const int axes = header->dim[0];
  if (axes < 1 || axes > 7) return cmi_fail(CMI_CORRUPT, reading->message, "it declares %d dimensions", axes);
  for (int axis = 4; axis <= axes; axis++) {
    if (header->dim[axis] > 1) {
      return cmi_fail(
          CMI_UNSUPPORTED, reading->message, "it holds %d volumes (dimension %d); give one volume per file",
          header->dim[axis], axis);
    }
  }
  if (axes < 3) {
    return cmi_fail(CMI_UNSUPPORTED, reading->message, "it has %d dimensions; a volume has three", axes);
  }
  if (sample_bytes(header->datatype) == 0) {
    return cmi_fail(
        CMI_UNSUPPORTED, reading->message, "its samples (type %d, %s) are not read; store one real number a voxel",
        header->datatype, nifti_datatype_to_string(header->datatype));
  }
  if (!(header->vox_offset >= 0 && header->vox_offset <= CMI_MAXIMUM_SAMPLES)) {
    return cmi_fail(CMI_CORRUPT, reading->message, "its voxels begin at byte %g", (double)header->vox_offset);
  }
  return CMI_OK;
}

// The affine in millimetres.
static cmi_status place(nifti_reading *reading) {
  const nifti_image *image = reading->image;
  const nifti_dmat44 *matrix = image->sform_code > 0 ? &image->sto_xyz : &image->qto_xyz;
  const double unit = image->xyz_units == NIFTI_UNITS_METER ? 1000 : image->xyz_units == NIFTI_UNITS_MICRON ? 0.001 : 1;
  double *affine = reading->volume->affine, volume = 1;
  for (int row = 0; row < 3; row++) {
    for (int column = 0; column < 4; column++) affine[4 * row + column] = matrix->m[row][column] * unit;
  }
  for (int axis = 0; axis < 3; axis++) volume *= hypot(hypot(affine[axis], affine[4 + axis]), affine[8 + axis]);
  const double *x = affine, *y = affine + 4, *z = affine + 8;
  const double determinant = x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) +
                             x[2] * (y[0] * z[1] - y[1] * z[0]);
  const bool is_finite = isfinite(x[3]) && isfinite(y[3]) && isfinite(z[3]) && isfinite(determinant);
  if (!is_finite || !(volume > 0) || !(fabs(determinant) > 1e-6 * volume)) {
    return cmi_fail(CMI_CORRUPT, reading->message, "the matrix that places its voxels in the patient is singular");
  }
  return CMI_OK;
}

#define CONVERT(type)                                                \
  for (size_t index = 0; index < count; index++) {                   \
    type value;                                                      \
    memcpy(&value, bytes + index * sizeof value, sizeof value);      \
    samples[index] = (float)((double)value * slope + intercept);     \
  }                                                                  \
  break

static void convert(const unsigned char *bytes, int type, double slope, double intercept, float *samples, size_t count) {
  switch (type) {
    case NIFTI_TYPE_UINT8: CONVERT(uint8_t);
    case NIFTI_TYPE_INT8: CONVERT(int8_t);
    case NIFTI_TYPE_UINT16: CONVERT(uint16_t);
    case NIFTI_TYPE_INT16: CONVERT(int16_t);
    case NIFTI_TYPE_UINT32: CONVERT(uint32_t);
    case NIFTI_TYPE_INT32: CONVERT(int32_t);
    case NIFTI_TYPE_FLOAT32: CONVERT(float);
    case NIFTI_TYPE_UINT64: CONVERT(uint64_t);
    case NIFTI_TYPE_INT64: CONVERT(int64_t);
    default: CONVERT(double);
  }
}

// The smallest and the largest of the samples, all of which must be finite.
static cmi_status measure(nifti_reading *reading, size_t count) {
  cmi_volume *volume = reading->volume;
  volume->minimum = volume->maximum = volume->samples[0];
  for (size_t index = 0; index < count; index++) {
    const float sample = volume->samples[index];
    if (!isfinite(sample)) {
      return cmi_fail(CMI_UNSUPPORTED, reading->message, "it holds samples that are not finite numbers");
    }
    if (sample < volume->minimum) volume->minimum = sample;
    if (sample > volume->maximum) volume->maximum = sample;
  }
  return CMI_OK;
}

static cmi_status read_voxels(nifti_reading *reading) {
  const nifti_image *image = reading->image;
  const int width = sample_bytes(image->datatype);
  const double slope = image->scl_slope != 0 ? image->scl_slope : 1;
  const double intercept = image->scl_slope != 0 ? image->scl_inter : 0;
  const size_t count = (size_t)image->nx * (size_t)image->ny * (size_t)image->nz;
  unsigned char chunk[chunk_bytes];
  cmi_status status = CMI_OK;
  for (size_t left = (size_t)image->iname_offset - sizeof(nifti_1_header); left > 0 && status == CMI_OK;) {
    const size_t taken = left < chunk_bytes ? left : chunk_bytes;
    status = check_count(reading, znzread(chunk, 1, taken, reading->file), taken);
    left -= taken;
  }
  for (size_t done = 0; done < count && status == CMI_OK;) {
    const size_t most = chunk_bytes / (size_t)width, taken = count - done < most ? count - done : most;
    status = check_count(reading, znzread(chunk, 1, taken * (size_t)width, reading->file), taken * (size_t)width);
    if (status != CMI_OK) return status;
    if (reading->swapped && width > 1) nifti_swap_Nbytes((int64_t)taken, width, chunk);
    convert(chunk, image->datatype, slope, intercept, reading->volume->samples + done, taken);
    done += taken;
  }
  if (status != CMI_OK) return status;
  // Reading on to the end lets the library compare the checksum.
  if (znzread(chunk, 1, chunk_bytes, reading->file) == unreadable) {
    return cmi_fail(CMI_CORRUPT, reading->message, "its compressed data are damaged");
  }
  return measure(reading, count);
}

static cmi_status read_file(nifti_reading *reading) {
  nifti_1_header header;
  const size_t found = znzread(&header, 1, sizeof header, reading->file);
  if (found != sizeof header) {
    return cmi_fail(
        CMI_CORRUPT, reading->message,
        found == unreadable ? "its compressed data are damaged" : "the file ends within its header");
  }
  cmi_status status = check_kind(reading, &header);
  if (status == CMI_OK) status = check_content(reading, &header);
  if (status == CMI_OK) {
    status = cmi_volume_allocate(
        reading->volume, header.dim[1], header.dim[2], header.dim[3], sample_bytes(header.datatype), reading->file_bytes,
        reading->message);
  }
  if (status != CMI_OK) return status;
  reading->image = nifti_convert_n1hdr2nim(header, NULL);
  if (reading->image == NULL) return cmi_fail(CMI_NO_MEMORY, reading->message, "its header");
  status = place(reading);
  return status == CMI_OK ? read_voxels(reading) : status;
}

cmi_status cmi_read_nifti(const char *path, cmi_volume *volume, char *message) {
  *volume = (cmi_volume){0};
  struct stat information;
  nifti_reading reading = {.volume = volume, .message = message};
  // Files that are not compressed pass the decompressor unchanged.
  reading.file = stat(path, &information) == 0 ? znzopen(path, "rb", 1) : NULL;
  if (znz_isnull(reading.file)) return cmi_fail(CMI_CORRUPT, message, "it cannot be opened");
  reading.file_bytes = (uint64_t)information.st_size;
  cmi_status status = read_file(&reading);
  if (reading.image != NULL) nifti_image_free(reading.image);
  if (znzclose(reading.file) != 0 && status == CMI_OK) {
    status = cmi_fail(CMI_CORRUPT, message, "the file ends early");
  }
  if (status != CMI_OK) cmi_volume_free(volume);
  return status;
}
