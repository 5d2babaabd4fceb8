#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

// One reading. It lives in the frame of the caller of setjmp's frame, so that its fields survive the jump.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t offset;
  cmi_image *image;
  char *message;
  cmi_status status;  // what a jump means
  png_structp png;
  png_infop info;
  uint8_t *pixels;
  png_bytepp rows;
} png_reading;

// Keeps the library's reason unless the status was set by somebody who knew more, and jumps back.
static void on_error(png_structp png, png_const_charp reason) {
  png_reading *reading = png_get_error_ptr(png);
  if (reading->status == CMI_OK) reading->status = cmi_fail(CMI_CORRUPT, reading->message, "%s", reason);
  longjmp(png_jmpbuf(png), 1);
}

// libpng warns about metadata (colour profiles, text); damage to pixels is an error to it.
static void on_warning(png_structp png, png_const_charp reason) {
  (void)png;
  (void)reason;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  png_reading *reading = png_get_io_ptr(png);
  if (count > reading->count - reading->offset) png_error(png, "the file ends early");
  memcpy(target, reading->bytes + reading->offset, count);
  reading->offset += count;
}

// An animation control chunk announces frames beside the one that would be read.
static int on_unknown_chunk(png_structp png, png_unknown_chunkp chunk) {
  png_reading *reading = png_get_user_chunk_ptr(png);
  if (memcmp(chunk->name, "acTL", 4) == 0 && chunk->size >= 4) {
    const unsigned frames = png_get_uint_32(chunk->data);
    if (frames > 1) {
      reading->status = cmi_fail(
          CMI_UNSUPPORTED, reading->message, "it is an animation of %u frames; give one image per file", frames);
      png_error(png, "animation");
    }
  }
  return 1;
}

static void fill(const png_reading *reading, int depth) {
  const cmi_image *image = reading->image;
  const size_t width = (size_t)image->width, height = (size_t)image->height, channels = (size_t)image->channels;
  for (size_t channel = 0; channel < channels; channel++) {
    for (size_t row = 0; row < height; row++) {
      const uint8_t *restrict source = reading->rows[row];
      float *restrict target = image->samples + (channel * height + row) * width;
      for (size_t column = 0; column < width; column++) {
        const size_t i = column * channels + channel;
        target[column] = depth == 16 ? (float)((unsigned)source[2 * i] << 8 | source[2 * i + 1]) : source[i];
      }
    }
  }
}

// Everything that may jump. A failure of our own sets the status and returns.
static void read_image(png_reading *reading) {
  if (setjmp(png_jmpbuf(reading->png))) return;
  png_structp png = reading->png;
  png_set_read_fn(png, reading, read_bytes);
  png_set_read_user_chunk_fn(png, reading, on_unknown_chunk);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "acTL", 1);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the limits here are cmi_check_size's
  png_read_info(png, reading->info);

  const uint32_t width = png_get_image_width(png, reading->info), height = png_get_image_height(png, reading->info);
  const int bits = png_get_bit_depth(png, reading->info), colour = png_get_color_type(png, reading->info);
  const int channels = colour & PNG_COLOR_MASK_COLOR ? 3 : 1;
  reading->status = cmi_check_size(width, height, (uint32_t)channels, reading->count, reading->message);
  if (reading->status != CMI_OK) return;

  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (colour == PNG_COLOR_TYPE_GRAY && bits < 8) png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, reading->info);

  const size_t row_bytes = png_get_rowbytes(png, reading->info);
  reading->pixels = malloc(row_bytes * height);
  reading->rows = malloc(height * sizeof(png_bytep));
  if (reading->pixels == NULL || reading->rows == NULL) {
    reading->status = cmi_fail(CMI_NO_MEMORY, reading->message, "%u x %u pixels", width, height);
    return;
  }
  for (size_t row = 0; row < height; row++) reading->rows[row] = reading->pixels + row * row_bytes;
  png_read_image(png, reading->rows);
  png_read_end(png, reading->info);

  const int depth = bits == 16 ? 16 : 8;
  reading->status = cmi_image_allocate(
      reading->image, width, height, channels, bits, depth == 16 ? 65535 : 255, reading->message);
  if (reading->status != CMI_OK) return;
  fill(reading, depth);
  png_bytep exif = NULL;
  png_uint_32 exif_size = 0;
  if (png_get_eXIf_1(png, reading->info, &exif_size, &exif) != 0 && exif != NULL) {
    reading->status = cmi_image_orient(reading->image, cmi_exif_orientation(exif, exif_size), reading->message);
  }
}

cmi_status cmi_read_png(const uint8_t *bytes, size_t count, cmi_image *image, char *message) {
  *image = (cmi_image){0};
  png_reading reading = {.bytes = bytes, .count = count, .image = image, .message = message, .status = CMI_OK};
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
  if (reading.png != NULL) reading.info = png_create_info_struct(reading.png);
  if (reading.info == NULL) {
    reading.status = cmi_fail(CMI_NO_MEMORY, message, "libpng could not start");
  } else {
    read_image(&reading);
  }
  png_destroy_read_struct(&reading.png, &reading.info, NULL);
  free(reading.pixels);
  free(reading.rows);
  if (reading.status != CMI_OK) cmi_image_free(image);
  return reading.status;
}
