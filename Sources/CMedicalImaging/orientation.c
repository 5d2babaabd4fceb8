#include <stdbool.h>
#include <stdlib.h>

#include "image.h"

// Orientations 5 ... 8 are stored with rows and columns exchanged; on top of that each is mirrored along none, one or both
// of the stored axes (Exif 2.32, tag 274).
cmi_status cmi_image_orient(cmi_image *image, int orientation, char *message) {
  if (orientation < 2 || orientation > 8) return CMI_OK;
  const bool transposed = orientation >= 5;
  const bool mirrored_columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirrored_rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

  const size_t stored_width = (size_t)image->width, stored_height = (size_t)image->height;
  const size_t width = transposed ? stored_height : stored_width;
  const size_t height = transposed ? stored_width : stored_height;
  const size_t plane = width * height;
  float *turned = malloc(plane * (size_t)image->channels * sizeof(float));
  if (turned == NULL) return cmi_fail(CMI_NO_MEMORY, message, "%zu x %zu pixels", width, height);

  for (size_t channel = 0; channel < (size_t)image->channels; channel++) {
    const float *stored = image->samples + channel * plane;
    float *shown = turned + channel * plane;
    for (size_t row = 0; row < height; row++) {
      for (size_t column = 0; column < width; column++) {
        size_t stored_row = transposed ? column : row;
        size_t stored_column = transposed ? row : column;
        if (mirrored_rows) stored_row = stored_height - 1 - stored_row;
        if (mirrored_columns) stored_column = stored_width - 1 - stored_column;
        shown[row * width + column] = stored[stored_row * stored_width + stored_column];
      }
    }
  }
  free(image->samples);
  image->samples = turned;
  image->width = (int32_t)width;
  image->height = (int32_t)height;
  return CMI_OK;
}

static uint32_t unsigned_at(const uint8_t *bytes, int size, bool big_endian) {
  uint32_t value = 0;
  for (int i = 0; i < size; i++) value = value << 8 | bytes[big_endian ? i : size - 1 - i];
  return value;
}

int cmi_exif_orientation(const uint8_t *bytes, size_t count) {
  enum { header_size = 8, entry_size = 12, orientation_tag = 274, short_type = 3 };
  if (count < header_size + 2) return 1;
  const bool big_endian = bytes[0] == 'M';
  if (bytes[0] != bytes[1] || (bytes[0] != 'M' && bytes[0] != 'I')) return 1;
  const size_t directory = unsigned_at(bytes + 4, 4, big_endian);
  if (directory > count - 2) return 1;
  const uint32_t entries = unsigned_at(bytes + directory, 2, big_endian);
  for (uint32_t i = 0; i < entries; i++) {
    const size_t entry = directory + 2 + (size_t)i * entry_size;
    if (entry + entry_size > count) return 1;
    if (unsigned_at(bytes + entry, 2, big_endian) != orientation_tag) continue;
    if (unsigned_at(bytes + entry + 2, 2, big_endian) != short_type) return 1;
    return (int)unsigned_at(bytes + entry + 8, 2, big_endian);
  }
  return 1;
}
