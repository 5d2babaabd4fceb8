#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

typedef struct {
  cmi_bytes *file;
  size_t capacity;
  char *message;
  cmi_status status;
  png_structp png;
  png_infop info;
  uint8_t *row;
} png_writing;

static void on_error(png_structp png, png_const_charp reason) {
  png_writing *writing = png_get_error_ptr(png);
  if (writing->status == CMI_OK) writing->status = cmi_fail(CMI_UNSUPPORTED, writing->message, "%s", reason);
  longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp reason) {
  (void)png;
  (void)reason;
}

static void append(png_structp png, png_bytep bytes, size_t count) {
  png_writing *writing = png_get_io_ptr(png);
  cmi_bytes *file = writing->file;
  if (count > writing->capacity - file->count) {
    const size_t capacity = 2 * (file->count + count);
    uint8_t *larger = realloc(file->bytes, capacity);
    if (larger == NULL) {
      writing->status = cmi_fail(CMI_NO_MEMORY, writing->message, "%zu bytes", capacity);
      png_error(png, "no memory");
    }
    file->bytes = larger;
    writing->capacity = capacity;
  }
  memcpy(file->bytes + file->count, bytes, count);
  file->count += count;
}

static void flush(png_structp png) { (void)png; }

static void write_image(
    png_writing *writing, const void *pixels, uint32_t width, uint32_t height, int channels, int bits) {
  if (setjmp(png_jmpbuf(writing->png))) return;
  png_structp png = writing->png;
  png_set_write_fn(png, writing, append, flush);
  png_set_IHDR(
      png, writing->info, width, height, bits, channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, writing->info);

  const size_t samples = (size_t)width * (size_t)channels;
  for (uint32_t row = 0; row < height; row++) {
    if (bits == 8) {
      png_write_row(png, (png_const_bytep)pixels + row * samples);
      continue;
    }
    const uint16_t *source = (const uint16_t *)pixels + row * samples;
    for (size_t i = 0; i < samples; i++) png_save_uint_16(writing->row + 2 * i, source[i]);
    png_write_row(png, writing->row);
  }
  png_write_end(png, writing->info);
}

cmi_status cmi_write_png(
    const void *pixels, int32_t width, int32_t height, int32_t channels, int32_t bits_per_sample, cmi_bytes *file,
    char *message) {
  *file = (cmi_bytes){0};
  png_writing writing = {.file = file, .message = message, .status = CMI_OK};
  writing.row = malloc((size_t)width * (size_t)channels * 2);
  writing.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writing, on_error, on_warning);
  if (writing.png != NULL) writing.info = png_create_info_struct(writing.png);
  if (writing.info == NULL || writing.row == NULL) {
    writing.status = cmi_fail(CMI_NO_MEMORY, message, "libpng could not start");
  } else {
    write_image(&writing, pixels, (uint32_t)width, (uint32_t)height, channels, bits_per_sample);
  }
  png_destroy_write_struct(&writing.png, &writing.info);
  free(writing.row);
  if (writing.status != CMI_OK) cmi_bytes_free(file);
  return writing.status;
}
