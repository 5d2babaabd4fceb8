#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "image.h"
#include "nifti_header.h"
#include "volume.h"

// One reading.
typedef struct {
  znzFile file;
  uint64_t file_bytes;
  nifti_content content;
  cmi_volume *volume;
  char *message;
} nifti_reading;

enum { chunk_bytes = 1 << 16 };

static cmi_status check_count(const nifti_reading *reading, size_t found, size_t wanted) {
  if (found == wanted) return CMI_OK;
  return cmi_fail(
      CMI_CORRUPT, reading->message,
      found == cmi_nifti_unreadable ? "its compressed data are damaged" : "the file ends early");
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
  size_t infinite = 0;
  for (size_t index = 0; index < count; index++) {
    const float sample = volume->samples[index];
    infinite += !isfinite(sample);
    if (sample < volume->minimum) volume->minimum = sample;
    if (sample > volume->maximum) volume->maximum = sample;
  }
  if (infinite == 0) return CMI_OK;
  return cmi_fail(
      CMI_UNSUPPORTED, reading->message,
      "%zu of its %zu samples are not finite numbers; replace them by the value that its background has", infinite, count);
}

static cmi_status skip(nifti_reading *reading, uint64_t left) {
  unsigned char chunk[chunk_bytes];
  cmi_status status = CMI_OK;
  while (left > 0 && status == CMI_OK) {
    const size_t taken = left < chunk_bytes ? (size_t)left : chunk_bytes;
    status = check_count(reading, znzread(chunk, 1, taken, reading->file), taken);
    left -= taken;
  }
  return status;
}

// Reads volume `index`, from byte `position` of the file on.
static cmi_status read_voxels(nifti_reading *reading, uint64_t position, uint64_t index) {
  const nifti_content *content = &reading->content;
  const cmi_volume *volume = reading->volume;
  const size_t width = (size_t)cmi_nifti_sample_bytes(content->datatype);
  const size_t count = (size_t)volume->width * (size_t)volume->height * (size_t)volume->depth;
  if (index * count * width / 1032 > reading->file_bytes) return check_count(reading, 0, 1);  // see cmi_volume_allocate
  const uint64_t before = content->voxel_offset > position ? content->voxel_offset - position : 0;
  cmi_status status = skip(reading, before + index * count * width);
  unsigned char chunk[chunk_bytes];
  for (size_t done = 0; done < count && status == CMI_OK;) {
    const size_t most = chunk_bytes / width, taken = count - done < most ? count - done : most;
    status = check_count(reading, znzread(chunk, 1, taken * width, reading->file), taken * width);
    if (status != CMI_OK) return status;
    if (content->swapped && width > 1) nifti_swap_Nbytes((int64_t)taken, (int)width, chunk);
    convert(chunk, content->datatype, content->slope, content->intercept, reading->volume->samples + done, taken);
    done += taken;
  }
  if (status != CMI_OK) return status;
  // Reading on to the end lets the library compare the checksum; what follows the volume wanted is not looked at.
  const bool is_last = (int64_t)index == content->volumes - 1;
  if (is_last && znzread(chunk, 1, chunk_bytes, reading->file) == cmi_nifti_unreadable) {
    return cmi_fail(CMI_CORRUPT, reading->message, "its compressed data are damaged");
  }
  return measure(reading, count);
}

// Opens a file; one that is not compressed passes the decompressor unchanged.
static cmi_status open_file(nifti_reading *reading, const char *path) {
  struct stat information;
  reading->file = stat(path, &information) == 0 ? znzopen(path, "rb", 1) : NULL;
  if (znz_isnull(reading->file)) return cmi_fail(CMI_CORRUPT, reading->message, "it cannot be opened");
  reading->file_bytes = (uint64_t)information.st_size;
  return CMI_OK;
}

static cmi_status close_file(nifti_reading *reading, cmi_status status) {
  if (znz_isnull(reading->file)) return status;
  if (znzclose(reading->file) != 0 && status == CMI_OK) {
    return cmi_fail(CMI_CORRUPT, reading->message, "the file ends early");
  }
  return status;
}

static cmi_status check_index(const nifti_reading *reading, int64_t index) {
  const int64_t volumes = reading->content.volumes;
  if (index < 0 && volumes > 1) {
    return cmi_fail(
        CMI_UNSUPPORTED, reading->message,
        "it holds %lld volumes; name one by its number behind the path, from #0 to #%lld", (long long)volumes,
        (long long)volumes - 1);
  }
  if (index < volumes) return CMI_OK;
  return cmi_fail(
      CMI_UNSUPPORTED, reading->message, "it holds no volume #%lld; its last one is #%lld", (long long)index,
      (long long)volumes - 1);
}

static cmi_status read_volume(nifti_reading *reading, const char *voxels_path, int64_t index) {
  nifti_content *content = &reading->content;
  cmi_status status = check_index(reading, index);
  uint64_t position = content->header_bytes;
  if (status == CMI_OK && content->is_pair) {
    if (voxels_path == NULL) {
      return cmi_fail(
          CMI_CORRUPT, reading->message, "its voxels lie in a file of their own, .img beside it, which is missing");
    }
    position = 0;
    status = close_file(reading, status);
    if (status == CMI_OK) status = open_file(reading, voxels_path);
  }
  if (status != CMI_OK) return status;
  const int32_t *sides = content->place.extents;
  status = cmi_volume_allocate(
      reading->volume, sides[0], sides[1], sides[2], cmi_nifti_sample_bytes(content->datatype), reading->file_bytes,
      reading->message);
  if (status != CMI_OK) return status;
  memcpy(reading->volume->affine, content->place.affine, sizeof reading->volume->affine);
  return read_voxels(reading, position, index < 0 ? 0 : (uint64_t)index);
}

cmi_status cmi_read_nifti(
    const char *path, const char *voxels_path, int64_t index, cmi_volume *volume, char *message) {
  *volume = (cmi_volume){0};
  nifti_reading reading = {.volume = volume, .message = message};
  cmi_status status = open_file(&reading, path);
  if (status == CMI_OK) status = cmi_nifti_header(reading.file, &reading.content, message);
  if (status == CMI_OK) status = read_volume(&reading, voxels_path, index);
  status = close_file(&reading, status);
  if (status != CMI_OK) cmi_volume_free(volume);
  return status;
}

cmi_status cmi_read_nifti_place(const char *path, cmi_nifti_place *place, char *message) {
  nifti_reading reading = {.message = message};
  cmi_status status = open_file(&reading, path);
  if (status == CMI_OK) status = cmi_nifti_header(reading.file, &reading.content, message);
  *place = reading.content.place;
  if (!znz_isnull(reading.file)) znzclose(reading.file);  // the rest of the file is not of interest
  return status;
}
