#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "image.h"

// One reading. The error manager comes first, so that libjpeg's pointer to it is a pointer to the reading.
typedef struct {
  struct jpeg_error_mgr errors;
  jmp_buf jump;
  struct jpeg_decompress_struct jpeg;
  const uint8_t *bytes;
  size_t count;
  cmi_image *image;
  char *message;
  cmi_status status;
  uint8_t *row;
} jpeg_reading;

static bool is_kind_not_read(int code) {
  return code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL
      || code == JERR_NOT_COMPILED || code == JERR_CONVERSION_NOTIMPL;
}

static void on_error(j_common_ptr jpeg) {
  jpeg_reading *reading = (jpeg_reading *)jpeg->err;
  char reason[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, reason);
  const cmi_status status = is_kind_not_read(jpeg->err->msg_code) ? CMI_UNSUPPORTED : CMI_CORRUPT;
  reading->status = cmi_fail(status, reading->message, "%s", reason);
  longjmp(reading->jump, 1);
}

// Level -1 is a warning: libjpeg would go on and invent the missing pixels. Only the two about application markers leave
// the pixels alone.
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
  on_error(jpeg);
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static int exif_orientation(const struct jpeg_decompress_struct *jpeg) {
  static const char preamble[6] = "Exif\0";
  for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker != NULL; marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1 || marker->data_length < sizeof preamble) continue;
    if (memcmp(marker->data, preamble, sizeof preamble) != 0) continue;
    return cmi_exif_orientation(marker->data + sizeof preamble, marker->data_length - sizeof preamble);
  }
  return 1;
}

// a * b / 255, rounded.
static unsigned scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

// Inks to light, without a colour profile: red = (255 - cyan) (255 - black) / 255. Adobe's programs store inks inverted and
// say so by their marker.
static void light_from_inks(uint8_t *row, size_t width, bool inverted) {
  for (size_t column = 0; column < width; column++) {
    const uint8_t *inks = row + 4 * column;
    const unsigned black = inverted ? inks[3] : 255u - inks[3];
    for (int i = 0; i < 3; i++) row[3 * column + (size_t)i] = (uint8_t)scaled(inverted ? inks[i] : 255u - inks[i], black);
  }
}

static void fill_row(const cmi_image *image, size_t row, const uint8_t *pixels) {
  const size_t width = (size_t)image->width, plane = width * (size_t)image->height, channels = (size_t)image->channels;
  for (size_t channel = 0; channel < channels; channel++) {
    float *restrict target = image->samples + channel * plane + row * width;
    const uint8_t *restrict source = pixels + channel;
    for (size_t column = 0; column < width; column++) target[column] = source[column * channels];
  }
}

static void read_image(jpeg_reading *reading) {
  if (setjmp(reading->jump)) return;
  struct jpeg_decompress_struct *jpeg = &reading->jpeg;
  jpeg_create_decompress(jpeg);
  jpeg_mem_src(jpeg, (unsigned char *)reading->bytes, (unsigned long)reading->count);
  jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->data_precision != 8) {
    reading->status = cmi_fail(
        CMI_UNSUPPORTED, reading->message, "it has %d bits per sample; 8 are read", jpeg->data_precision);
    return;
  }
  const bool inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  const bool grey = jpeg->jpeg_color_space == JCS_GRAYSCALE;
  jpeg->out_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  const int channels = grey ? 1 : 3;
  const uint32_t width = jpeg->image_width, height = jpeg->image_height;
  reading->status = cmi_check_size(width, height, (uint32_t)channels, reading->count, reading->message);
  if (reading->status != CMI_OK) return;

  jpeg_start_decompress(jpeg);
  reading->row = malloc((size_t)width * 4);
  if (reading->row == NULL) {
    reading->status = cmi_fail(CMI_NO_MEMORY, reading->message, "%u x %u pixels", width, height);
    return;
  }
  reading->status = cmi_image_allocate(reading->image, width, height, channels, 8, 255, reading->message);
  if (reading->status != CMI_OK) return;
  while (jpeg->output_scanline < height) {
    const size_t row = jpeg->output_scanline;
    jpeg_read_scanlines(jpeg, &reading->row, 1);
    if (inks) light_from_inks(reading->row, width, jpeg->saw_Adobe_marker);
    fill_row(reading->image, row, reading->row);
  }
  const int orientation = exif_orientation(jpeg);
  jpeg_finish_decompress(jpeg);
  reading->status = cmi_image_orient(reading->image, orientation, reading->message);
}

cmi_status cmi_read_jpeg(const uint8_t *bytes, size_t count, cmi_image *image, char *message) {
  *image = (cmi_image){0};
  jpeg_reading reading = {.bytes = bytes, .count = count, .image = image, .message = message, .status = CMI_OK};
  reading.jpeg.err = jpeg_std_error(&reading.errors);
  reading.errors.error_exit = on_error;
  reading.errors.emit_message = on_message;
  reading.errors.output_message = on_output;
  read_image(&reading);
  jpeg_destroy_decompress(&reading.jpeg);
  free(reading.row);
  if (reading.status != CMI_OK) cmi_image_free(image);
  return reading.status;
}
