#include <errno.h>
#include <math.h>
#include <nifti2_io.h>
#include <string.h>

#include "image.h"
#include "volume.h"

enum { chunk_samples = 1 << 14, most_voxels = 32767 };

// Where voxels begin: behind the header and four zeros, which say that there is nothing between.
static const int first_voxel[] = {0, sizeof(nifti_1_header) + 4, sizeof(nifti_2_header) + 4};

typedef union {
  nifti_1_header first;
  nifti_2_header second;
} nifti_header;

// What the library is to say in the header: the affine as sform, and as qform where it is a rotation with spacing.
static nifti_image describe(const cmi_volume *volume, int version) {
  nifti_image image = {0};
  image.ndim = 3;
  image.nx = volume->width;
  image.ny = volume->height;
  image.nz = volume->depth;
  image.nt = image.nu = image.nv = image.nw = 1;
  image.datatype = volume->bits_per_sample == 8 ? NIFTI_TYPE_UINT8 : NIFTI_TYPE_FLOAT32;
  image.nbyper = volume->bits_per_sample / 8;
  image.nifti_type = version == 1 ? NIFTI_FTYPE_NIFTI1_1 : NIFTI_FTYPE_NIFTI2_1;
  image.iname_offset = first_voxel[version];
  image.xyz_units = NIFTI_UNITS_MM;
  image.scl_slope = 1;
  image.cal_min = volume->minimum;
  image.cal_max = volume->maximum;
  image.sform_code = NIFTI_XFORM_SCANNER_ANAT;
  for (int row = 0; row < 3; row++) {
    for (int column = 0; column < 4; column++) image.sto_xyz.m[row][column] = volume->affine[4 * row + column];
  }
  image.sto_xyz.m[3][3] = 1;
  nifti_dmat44_to_quatern(
      image.sto_xyz, &image.quatern_b, &image.quatern_c, &image.quatern_d, &image.qoffset_x, &image.qoffset_y,
      &image.qoffset_z, &image.dx, &image.dy, &image.dz, &image.qfac);
  const nifti_dmat44 turned = nifti_quatern_to_dmat44(
      image.quatern_b, image.quatern_c, image.quatern_d, image.qoffset_x, image.qoffset_y, image.qoffset_z, image.dx,
      image.dy, image.dz, image.qfac);
  double difference = 0;
  for (int row = 0; row < 3; row++) {
    for (int column = 0; column < 3; column++) {
      difference = fmax(difference, fabs(turned.m[row][column] - image.sto_xyz.m[row][column]));
    }
  }
  if (difference < 1e-4 * fmin(image.dx, fmin(image.dy, image.dz))) image.qform_code = NIFTI_XFORM_SCANNER_ANAT;
  return image;
}

static bool write_samples(const cmi_volume *volume, znzFile file) {
  const size_t count = (size_t)volume->width * (size_t)volume->height * (size_t)volume->depth;
  for (size_t done = 0; done < count;) {
    const size_t taken = count - done < chunk_samples ? count - done : chunk_samples;
    const float *samples = volume->samples + done;
    if (volume->bits_per_sample == 8) {
      uint8_t bytes[chunk_samples];
      for (size_t index = 0; index < taken; index++) {
        bytes[index] = samples[index] > 0 ? (uint8_t)fminf(roundf(samples[index]), 255) : 0;
      }
      if (znzwrite(bytes, 1, taken, file) != taken) return false;
    } else if (znzwrite(samples, 1, taken * sizeof(float), file) != taken * sizeof(float)) {
      return false;
    }
    done += taken;
  }
  return true;
}

#define PUT(header)                                                                                          \
  do {                                                                                                       \
    for (int axis = 0; axis < 4; axis++) {                                                                   \
      (header).pixdim[axis] = place->spacing[axis];                                                          \
      (header).srow_x[axis] = place->sform[axis];                                                            \
      (header).srow_y[axis] = place->sform[4 + axis];                                                        \
      (header).srow_z[axis] = place->sform[8 + axis];                                                        \
    }                                                                                                        \
    (header).qform_code = place->qform_code;                                                                 \
    (header).sform_code = place->sform_code;                                                                 \
    (header).xyzt_units = SPACE_TIME_TO_XYZT(place->units, 0);                                               \
    (header).quatern_b = place->quaternion[0], (header).quatern_c = place->quaternion[1];                    \
    (header).quatern_d = place->quaternion[2], (header).qoffset_x = place->offset[0];                        \
    (header).qoffset_y = place->offset[1], (header).qoffset_z = place->offset[2];                            \
  } while (0)

// The header of a version; where there is a place, with its numbers in place of the library's.
static bool make_header(const cmi_volume *volume, const cmi_nifti_place *place, int version, nifti_header *header) {
  const nifti_image image = describe(volume, version);
  if (version == 1) {
    if (nifti_convert_nim2n1hdr(&image, &header->first) != 0) return false;
    if (place != NULL) PUT(header->first);
  } else {
    if (nifti_convert_nim2n2hdr(&image, &header->second) != 0) return false;
    memcpy(header->second.magic, "n+2\0\r\n\032\n", sizeof header->second.magic);
    if (place != NULL) PUT(header->second);
  }
  return true;
}

cmi_status cmi_write_nifti(
    const char *path, bool compressed, const cmi_nifti_place *place, const cmi_volume *volume, char *message) {
  const bool is_long = volume->width > most_voxels || volume->height > most_voxels || volume->depth > most_voxels;
  const int version = place != NULL ? place->version : is_long ? 2 : 1;
  nifti_header header;
  if (!make_header(volume, place, version, &header)) {
    return cmi_fail(CMI_UNSUPPORTED, message, "NIfTI has no header for it");
  }
  const size_t header_bytes = version == 1 ? sizeof header.first : sizeof header.second;
  errno = 0;
  znzFile file = znzopen(path, "wb", compressed);
  if (znz_isnull(file)) return cmi_fail(CMI_NOT_WRITABLE, message, "%s", strerror(errno));
  const char no_extensions[4] = {0};
  bool written = znzwrite(&header, 1, header_bytes, file) == header_bytes &&
                 znzwrite(no_extensions, 1, sizeof no_extensions, file) == sizeof no_extensions &&
                 write_samples(volume, file);
  if (znzclose(file) != 0) written = false;
  return written ? CMI_OK
                 : cmi_fail(CMI_NOT_WRITABLE, message, "%s", errno != 0 ? strerror(errno) : "it could not be finished");
}
