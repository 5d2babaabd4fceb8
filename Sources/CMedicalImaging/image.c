#include "image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Deflate shrinks at best 1,032 : 1, and a byte holds at most eight pixels; JPEG and the usual TIFF schemes stay below.
static const uint64_t most_pixels_per_byte = 8 * 1032;

cmi_status cmi_fail(cmi_status status, char *message, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, CMI_MESSAGE_CAPACITY, format, arguments);
  va_end(arguments);
  return status;
}

cmi_status cmi_check_size(uint64_t width, uint64_t height, uint32_t channels, size_t file_bytes, char *message) {
  if (width == 0 || height == 0) return cmi_fail(CMI_CORRUPT, message, "the image has no pixels");
  if (width > CMI_MAXIMUM_EXTENT || height > CMI_MAXIMUM_EXTENT || width * height * channels > CMI_MAXIMUM_SAMPLES) {
    return cmi_fail(
        CMI_TOO_LARGE, message, "%llu x %llu pixels", (unsigned long long)width, (unsigned long long)height);
  }
  if (width * height / most_pixels_per_byte > file_bytes) {
    return cmi_fail(
        CMI_CORRUPT, message, "it declares %llu x %llu pixels, more than its %zu bytes can hold",
        (unsigned long long)width, (unsigned long long)height, file_bytes);
  }
  return CMI_OK;
}

cmi_status cmi_image_allocate(
    cmi_image *image, uint32_t width, uint32_t height, int channels, int bits_per_sample, float maximum, char *message) {
  image->samples = calloc((size_t)width * height * (size_t)channels, sizeof(float));
  if (image->samples == NULL) return cmi_fail(CMI_NO_MEMORY, message, "%u x %u pixels", width, height);
  image->width = (int32_t)width;
  image->height = (int32_t)height;
  image->channels = channels;
  image->bits_per_sample = bits_per_sample;
  image->minimum = 0;
  image->maximum = maximum;
  return CMI_OK;
}

void cmi_image_free(cmi_image *image) {
  free(image->samples);
  *image = (cmi_image){0};
}

void cmi_bytes_free(cmi_bytes *file) {
  free(file->bytes);
  *file = (cmi_bytes){0};
}
