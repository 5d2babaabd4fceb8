#include "nifti_header.h"

#include <math.h>
#include <string.h>

#include "image.h"

typedef union {
  int32_t size;
  nifti_1_header first;
  nifti_2_header second;
} nifti_header;

const size_t cmi_nifti_unreadable = (size_t)-1;

int cmi_nifti_sample_bytes(int type) {
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

static cmi_status read_part(znzFile file, void *bytes, size_t count, char *message) {
  const size_t found = znzread(bytes, 1, count, file);
  if (found == count) return CMI_OK;
  return cmi_fail(
      CMI_CORRUPT, message,
      found == cmi_nifti_unreadable ? "its compressed data are damaged" : "the file ends within its header");
}

// Reads the header whole and turns it into this machine's byte order.
static cmi_status read_header(znzFile file, nifti_header *header, nifti_content *content, char *message) {
  cmi_status status = read_part(file, &header->size, sizeof header->size, message);
  if (status != CMI_OK) return status;
  int32_t size = header->size;
  if (size != sizeof header->first && size != sizeof header->second) {
    nifti_swap_4bytes(1, &size);
    content->swapped = true;
  }
  if (size != sizeof header->first && size != sizeof header->second) {
    return cmi_fail(CMI_CORRUPT, message, "it does not begin with a NIfTI header");
  }
  content->header_bytes = (size_t)size;
  content->place.version = size == sizeof header->first ? 1 : 2;
  status = read_part(
      file, (unsigned char *)header + sizeof header->size, content->header_bytes - sizeof header->size, message);
  if (status != CMI_OK) return status;
  const char *magic = content->place.version == 1 ? header->first.magic : header->second.magic;
  const char digit = (char)('0' + content->place.version);
  content->is_pair = magic[1] == 'i';
  if (magic[0] != 'n' || (magic[1] != '+' && magic[1] != 'i') || magic[2] != digit || magic[3] != 0) {
    return cmi_fail(CMI_UNSUPPORTED, message, "its header is Analyze's or has lost its mark; store it as NIfTI-1");
  }
  // The library itself leaves the line breaks out that tell whether a file passed through text.
  const bool is_marked = content->place.version == 2 && memcmp(magic + 4, "\0\0\0\0", 4) != 0;
  if (is_marked && memcmp(magic + 4, "\r\n\032\n", 4) != 0) {
    return cmi_fail(CMI_CORRUPT, message, "its header was changed as if it were text");
  }
  if (content->swapped) swap_nifti_header(header, content->place.version);
  return CMI_OK;
}

// The dimensions, within what a volume can have.
static cmi_status read_extents(const int64_t dimensions[8], nifti_content *content, char *message) {
  const int64_t axes = dimensions[0];
  if (axes < 1 || axes > 7) return cmi_fail(CMI_CORRUPT, message, "it declares %lld dimensions", (long long)axes);
  if (axes < 3) return cmi_fail(CMI_UNSUPPORTED, message, "it has %lld dimensions; a volume has three", (long long)axes);
  const int64_t *sides = dimensions + 1;
  for (int axis = 0; axis < 3; axis++) {
    if (sides[axis] > CMI_MAXIMUM_EXTENT) {
      return cmi_fail(
          CMI_TOO_LARGE, message, "%lld x %lld x %lld voxels", (long long)sides[0], (long long)sides[1],
          (long long)sides[2]);
    }
    content->place.extents[axis] = sides[axis] < INT32_MIN ? INT32_MIN : (int32_t)sides[axis];
  }
  content->volumes = 1;
  for (int axis = 4; axis <= axes; axis++) {
    if (dimensions[axis] <= 1) continue;
    if (dimensions[axis] > INT32_MAX / content->volumes) {
      return cmi_fail(CMI_TOO_LARGE, message, "%lld volumes along dimension %d", (long long)dimensions[axis], axis);
    }
    content->volumes *= dimensions[axis];
  }
  return CMI_OK;
}

// The affine in millimetres.
static cmi_status find_affine(const nifti_image *image, cmi_nifti_place *place, char *message) {
  const bool is_told = image->sform_code > 0 || image->qform_code > 0;
  nifti_dmat44 matrix = image->sform_code > 0 ? image->sto_xyz : image->qto_xyz;
  if (!is_told) {
    memset(&matrix, 0, sizeof matrix);
    for (int axis = 0; axis < 3; axis++) {
      matrix.m[axis][axis] = (axis == 0 ? -1 : 1) * place->spacing[1 + axis];
      matrix.m[axis][3] = -matrix.m[axis][axis] * (place->extents[axis] - 1) / 2;
    }
  }
  const double unit = place->units == NIFTI_UNITS_METER ? 1000 : place->units == NIFTI_UNITS_MICRON ? 0.001 : 1;
  double *affine = place->affine, volume = 1;
  for (int row = 0; row < 3; row++) {
    for (int column = 0; column < 4; column++) affine[4 * row + column] = matrix.m[row][column] * unit;
  }
  for (int axis = 0; axis < 3; axis++) volume *= hypot(hypot(affine[axis], affine[4 + axis]), affine[8 + axis]);
  const double *x = affine, *y = affine + 4, *z = affine + 8;
  const double determinant = x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) +
                             x[2] * (y[0] * z[1] - y[1] * z[0]);
  const bool is_finite = isfinite(x[3]) && isfinite(y[3]) && isfinite(z[3]) && isfinite(determinant);
  if (!is_finite || !(volume > 0) || !(fabs(determinant) > 1e-6 * volume)) {
    return cmi_fail(CMI_CORRUPT, message, "the matrix that places its voxels in the patient is singular");
  }
  return CMI_OK;
}

// Takes over what both versions say under the same names.
#define TAKE(header)                                                                           \
  do {                                                                                         \
    for (int axis = 0; axis < 8; axis++) dimensions[axis] = (header).dim[axis];                \
    for (int axis = 0; axis < 4; axis++) {                                                     \
      place->spacing[axis] = (header).pixdim[axis];                                            \
      place->sform[axis] = (header).srow_x[axis];                                              \
      place->sform[4 + axis] = (header).srow_y[axis];                                          \
      place->sform[8 + axis] = (header).srow_z[axis];                                          \
    }                                                                                          \
    place->qform_code = (header).qform_code;                                                   \
    place->sform_code = (header).sform_code;                                                   \
    place->units = XYZT_TO_SPACE((header).xyzt_units);                                         \
    const double rotation[6] = {(header).quatern_b, (header).quatern_c, (header).quatern_d,    \
                                (header).qoffset_x, (header).qoffset_y, (header).qoffset_z};   \
    memcpy(place->quaternion, rotation, sizeof place->quaternion);                             \
    memcpy(place->offset, rotation + 3, sizeof place->offset);                                 \
    content->datatype = (header).datatype;                                                     \
    voxel_offset = (double)(header).vox_offset;                                                \
    intent = (header).intent_code;                                                             \
  } while (0)

cmi_status cmi_nifti_header(znzFile file, nifti_content *content, char *message) {
  *content = (nifti_content){0};
  nifti_header header;
  cmi_status status = read_header(file, &header, content, message);
  if (status != CMI_OK) return status;
  cmi_nifti_place *place = &content->place;
  int64_t dimensions[8];
  double voxel_offset;
  int intent;
  if (place->version == 1) TAKE(header.first);
  else TAKE(header.second);
  if (intent >= 3000 && intent < 3100) {
    return cmi_fail(CMI_UNSUPPORTED, message, "it is CIFTI, which holds values of surfaces; give a volume");
  }
  status = read_extents(dimensions, content, message);
  if (status != CMI_OK) return status;
  if (cmi_nifti_sample_bytes(content->datatype) == 0) {
    return cmi_fail(
        CMI_UNSUPPORTED, message, "its samples (type %d, %s) are not read; store one real number a voxel",
        content->datatype, nifti_datatype_to_string(content->datatype));
  }
  if (!(voxel_offset >= 0 && voxel_offset <= CMI_MAXIMUM_SAMPLES)) {
    return cmi_fail(CMI_CORRUPT, message, "its voxels begin at byte %g", voxel_offset);
  }
  if (dimensions[1] <= 0 || dimensions[2] <= 0 || dimensions[3] <= 0) {
    return cmi_fail(
        CMI_CORRUPT, message, "it declares %d x %d x %d voxels", place->extents[0], place->extents[1],
        place->extents[2]);
  }
  // The library prints what it finds wrong with a header, so everything it would complain about was looked at before.
  nifti_image *image =
      place->version == 1 ? nifti_convert_n1hdr2nim(header.first, NULL) : nifti_convert_n2hdr2nim(header.second, NULL);
  if (image == NULL) return cmi_fail(CMI_NO_MEMORY, message, "its header");
  content->voxel_offset = (uint64_t)image->iname_offset;
  content->slope = image->scl_slope != 0 ? image->scl_slope : 1;
  content->intercept = image->scl_slope != 0 ? image->scl_inter : 0;
  status = find_affine(image, place, message);
  nifti_image_free(image);
  return status;
}
