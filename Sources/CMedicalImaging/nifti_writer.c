#include <errno.h>
#include <math.h>
#include <nifti2_io.h>
#include <string.h>

#include "image.h"
#include "volume.h"

enum { chunk_samples = 1 << 14, most_voxels = 32767, voxel_offset = 352 };

// What the library is to say in the header: the affine as sform, and as qform where it is a rotation with spacing.
static nifti_image describe(const cmi_volume *volume) {
  nifti_image image = {0};
  image.ndim = 3;
  image.nx = volume->width;
  image.ny = volume->height;
  image.nz = volume->depth;
  image.nt = image.nu = image.nv = image.nw = 1;
  image.datatype = volume->bits_per_sample == 8 ? NIFTI_TYPE_UINT8 : NIFTI_TYPE_FLOAT32;
  image.nbyper = volume->bits_per_sample / 8;
  image.nifti_type = NIFTI_FTYPE_NIFTI1_1;
  image.iname_offset = voxel_offset;
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

cmi_status cmi_write_nifti(const char *path, bool compressed, const cmi_volume *volume, char *message) {
  if (volume->width > most_voxels || volume->height > most_voxels || volume->depth > most_voxels) {
    return cmi_fail(CMI_TOO_LARGE, message, "NIfTI-1 holds at most %d voxels a side", most_voxels);
  }
  const nifti_image image = describe(volume);
  nifti_1_header header;
  if (nifti_convert_nim2n1hdr(&image, &header) != 0) {
    return cmi_fail(CMI_UNSUPPORTED, message, "NIfTI-1 has no header for it");
  }
  errno = 0;
  znzFile file = znzopen(path, "wb", compressed);
  if (znz_isnull(file)) return cmi_fail(CMI_NOT_WRITABLE, message, "%s", strerror(errno));
  const char no_extensions[voxel_offset - sizeof header] = {0};
  bool written = znzwrite(&header, 1, sizeof header, file) == sizeof header &&
                 znzwrite(no_extensions, 1, sizeof no_extensions, file) == sizeof no_extensions &&
                 write_samples(volume, file);
  if (znzclose(file) != 0) written = false;
  return written ? CMI_OK
                 : cmi_fail(CMI_NOT_WRITABLE, message, "%s", errno != 0 ? strerror(errno) : "it could not be finished");
}
