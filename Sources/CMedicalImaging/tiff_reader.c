#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "tiff_file.h"

// What the first directory says about its samples.
typedef struct {
  uint32_t width, height;
  uint16_t bits, samples_per_pixel, format, photometric, planar, compression, orientation;
  uint16_t *colours[3];  // the palette's columns, each 2^bits entries; owned by libtiff
  int colour_shift;      // palette entries to 8 bits
} tiff_layout;

// A decoded strip or tile: `rows` x `columns` pixels of the image from (row, column), in lines of `stride` bytes.
typedef struct {
  const uint8_t *bytes;
  size_t stride;
  uint32_t row, column, rows, columns;
  uint16_t plane;  // of planes stored separately; 0 otherwise
} tiff_block;

static const char *colour_space(uint16_t photometric) {
  switch (photometric) {
    case PHOTOMETRIC_MASK: return "transparency mask";
    case PHOTOMETRIC_SEPARATED: return "CMYK";
    case PHOTOMETRIC_YCBCR: return "YCbCr";
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB: return "CIE L*a*b*";
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV: return "CIE Log2";
    default: return "unknown";
  }
}

static bool is_grey(const tiff_layout *layout) {
  return layout->photometric == PHOTOMETRIC_MINISBLACK || layout->photometric == PHOTOMETRIC_MINISWHITE;
}

static int stored_channels(const tiff_layout *layout) { return layout->photometric == PHOTOMETRIC_RGB ? 3 : 1; }

static cmi_status read_palette(TIFF *tiff, tiff_layout *layout, char *message) {
  uint16_t **colours = layout->colours;
  if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]) != 1) {
    return cmi_fail(CMI_CORRUPT, message, "it has no colour map");
  }
  // Entries have 16 bits, but some writers fill in only 8.
  for (int i = 0; i < 3; i++) {
    for (int entry = 0; entry < 1 << layout->bits; entry++) {
      if (colours[i][entry] > 255) layout->colour_shift = 8;
    }
  }
  return CMI_OK;
}

static cmi_status read_layout(TIFF *tiff, tiff_layout *layout, char *message) {
  *layout = (tiff_layout){0};
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout->width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout->height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout->bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout->samples_per_pixel);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout->format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout->planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &layout->orientation);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout->compression);
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout->photometric) != 1) {
    return cmi_fail(CMI_CORRUPT, message, "it has no photometric interpretation");
  }
  if (!TIFFIsCODECConfigured(layout->compression)) {
    return cmi_fail(CMI_UNSUPPORTED, message, "its compression scheme (number %u) is not read", layout->compression);
  }
  if (layout->photometric == PHOTOMETRIC_YCBCR && layout->compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    layout->photometric = PHOTOMETRIC_RGB;
  }
  const bool palette = layout->photometric == PHOTOMETRIC_PALETTE;
  if (!is_grey(layout) && !palette && layout->photometric != PHOTOMETRIC_RGB) {
    return cmi_fail(
        CMI_UNSUPPORTED, message, "its colour space (%s) is not read; store it as grey or RGB",
        colour_space(layout->photometric));
  }
  const uint16_t bits = layout->bits;
  const bool whole = layout->format == SAMPLEFORMAT_UINT || layout->format == SAMPLEFORMAT_VOID;
  const bool packed = (bits == 1 || bits == 2 || bits == 4) && stored_channels(layout) == 1;
  const bool read = whole ? packed || bits == 8 || (bits == 16 && !palette)
                          : layout->format == SAMPLEFORMAT_IEEEFP && bits == 32 && is_grey(layout);
  if (!read) {
    const char *kind = whole ? "unsigned" : layout->format == SAMPLEFORMAT_INT ? "signed"
        : layout->format == SAMPLEFORMAT_IEEEFP ? "floating-point" : "complex";
    return cmi_fail(
        CMI_UNSUPPORTED, message, "its %u-bit %s samples are not read; store it as 8 or 16 bit unsigned, or grey as "
        "32-bit floating point", bits, kind);
  }
  if (layout->samples_per_pixel < stored_channels(layout)) {
    return cmi_fail(CMI_CORRUPT, message, "an RGB image with %u samples per pixel", layout->samples_per_pixel);
  }
  return palette ? read_palette(tiff, layout, message) : CMI_OK;
}

static float sample_at(const uint8_t *line, size_t index, uint16_t bits) {
  if (bits == 8) return line[index];
  if (bits == 16) {
    uint16_t sample;
    memcpy(&sample, line + 2 * index, sizeof sample);
    return sample;
  }
  if (bits == 32) {
    float sample;
    memcpy(&sample, line + 4 * index, sizeof sample);
    return sample;
  }
  const size_t position = index * bits;  // packed from the highest bit down
  return (float)(line[position / 8] >> (8 - bits - position % 8) & ((1 << bits) - 1));
}

static void fill(cmi_image *image, const tiff_layout *layout, const tiff_block *block) {
  const size_t width = (size_t)image->width, plane = width * (size_t)image->height;
  const bool separate = layout->planar == PLANARCONFIG_SEPARATE;
  const size_t pitch = separate ? 1 : layout->samples_per_pixel;
  const size_t channels = separate ? 1 : (size_t)stored_channels(layout);
  const float scale = layout->bits < 8 ? 255.0f / (float)((1 << layout->bits) - 1) : 1;
  for (uint32_t row = 0; row < block->rows; row++) {
    const uint8_t *line = block->bytes + row * block->stride;
    for (uint32_t column = 0; column < block->columns; column++) {
      float *target = image->samples + (block->row + row) * width + block->column + column;
      for (size_t channel = 0; channel < channels; channel++) {
        const float sample = sample_at(line, column * pitch + channel, layout->bits);
        if (layout->photometric == PHOTOMETRIC_PALETTE) {
          for (int i = 0; i < 3; i++) {
            target[(size_t)i * plane] = (float)(layout->colours[i][(int)sample] >> layout->colour_shift);
          }
        } else {
          target[(block->plane + channel) * plane] = sample * scale;
        }
      }
    }
  }
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static cmi_status short_block(const tiff_file *file) {
  return file->failed ? CMI_CORRUPT : cmi_fail(CMI_CORRUPT, file->message, "the file ends early");
}

static cmi_status read_strips(
    TIFF *tiff, const tiff_file *file, const tiff_layout *layout, uint16_t planes, cmi_image *image) {
  uint32_t rows_per_strip = layout->height;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows_per_strip);
  rows_per_strip = smaller(rows_per_strip, layout->height);
  const tmsize_t capacity = TIFFStripSize(tiff), stride = TIFFScanlineSize(tiff);
  if (rows_per_strip == 0 || capacity <= 0 || stride <= 0 || file->failed) return short_block(file);
  uint8_t *bytes = malloc((size_t)capacity);
  if (bytes == NULL) return cmi_fail(CMI_NO_MEMORY, file->message, "%lld bytes", (long long)capacity);
  cmi_status status = CMI_OK;
  for (uint16_t plane = 0; plane < planes && status == CMI_OK; plane++) {
    for (uint32_t row = 0; row < layout->height && status == CMI_OK; row += rows_per_strip) {
      const uint32_t rows = smaller(rows_per_strip, layout->height - row);
      const tmsize_t count = TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, row, plane), bytes, capacity);
      if (file->failed || count < (tmsize_t)rows * stride) {
        status = short_block(file);
      } else {
        fill(image, layout, &(tiff_block){bytes, (size_t)stride, row, 0, rows, layout->width, plane});
      }
    }
  }
  free(bytes);
  return status;
}

static cmi_status read_tiles(
    TIFF *tiff, const tiff_file *file, const tiff_layout *layout, uint16_t planes, cmi_image *image) {
  uint32_t width = 0, height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  cmi_status status = cmi_check_size(width, height, layout->samples_per_pixel, file->count, file->message);
  if (status != CMI_OK) return status;
  const tmsize_t capacity = TIFFTileSize(tiff), stride = TIFFTileRowSize(tiff);
  if (capacity <= 0 || stride <= 0 || file->failed) return short_block(file);
  uint8_t *bytes = malloc((size_t)capacity);
  if (bytes == NULL) return cmi_fail(CMI_NO_MEMORY, file->message, "%lld bytes", (long long)capacity);
  for (uint16_t plane = 0; plane < planes; plane++) {
    for (uint32_t row = 0; row < layout->height && status == CMI_OK; row += height) {
      for (uint32_t column = 0; column < layout->width && status == CMI_OK; column += width) {
        const tmsize_t count =
            TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, column, row, 0, plane), bytes, capacity);
        if (file->failed || count < capacity) {
          status = short_block(file);
        } else {
          const uint32_t rows = smaller(height, layout->height - row);
          const uint32_t columns = smaller(width, layout->width - column);
          fill(image, layout, &(tiff_block){bytes, (size_t)stride, row, column, rows, columns, plane});
        }
      }
    }
  }
  free(bytes);
  return status;
}

// The range of floating-point samples is what occurs; MinIsWhite becomes MinIsBlack by reflecting the range.
static cmi_status settle_values(cmi_image *image, const tiff_layout *layout, char *message) {
  const size_t count = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
  if (layout->bits == 32) {
    image->minimum = image->maximum = image->samples[0];
    for (size_t i = 0; i < count; i++) {
      const float sample = image->samples[i];
      if (!isfinite(sample)) return cmi_fail(CMI_UNSUPPORTED, message, "it holds samples that are not finite numbers");
      if (sample < image->minimum) image->minimum = sample;
      if (sample > image->maximum) image->maximum = sample;
    }
  }
  if (layout->photometric == PHOTOMETRIC_MINISWHITE) {
    for (size_t i = 0; i < count; i++) image->samples[i] = image->minimum + (image->maximum - image->samples[i]);
  }
  return CMI_OK;
}

static cmi_status read_image(TIFF *tiff, tiff_file *file, cmi_image *image) {
  const unsigned pages = TIFFNumberOfDirectories(tiff);
  if (file->failed) return CMI_CORRUPT;
  if (pages != 1) {
    return cmi_fail(CMI_UNSUPPORTED, file->message, "it has %u pages; give one image per file", pages);
  }
  tiff_layout layout;
  cmi_status status = read_layout(tiff, &layout, file->message);
  if (status != CMI_OK) return status;
  const int channels = is_grey(&layout) ? 1 : 3;
  status = cmi_check_size(layout.width, layout.height, layout.samples_per_pixel, file->count, file->message);
  if (status != CMI_OK) return status;
  const float maximum = layout.bits == 16 ? 65535 : 255;
  status = cmi_image_allocate(image, layout.width, layout.height, channels, layout.bits, maximum, file->message);
  if (status != CMI_OK) return status;

  const uint16_t planes = layout.planar == PLANARCONFIG_SEPARATE ? (uint16_t)stored_channels(&layout) : 1;
  file->reading_pixels = true;
  status = TIFFIsTiled(tiff) ? read_tiles(tiff, file, &layout, planes, image)
                             : read_strips(tiff, file, &layout, planes, image);
  if (status == CMI_OK) status = settle_values(image, &layout, file->message);
  if (status == CMI_OK) status = cmi_image_orient(image, layout.orientation, file->message);
  return status;
}

cmi_status cmi_read_tiff(const uint8_t *bytes, size_t count, cmi_image *image, char *message) {
  *image = (cmi_image){0};
  message[0] = '\0';
  tiff_file file = {.bytes = bytes, .count = count, .message = message};
  TIFF *tiff = cmi_tiff_open(&file);
  if (tiff == NULL) return file.failed ? CMI_CORRUPT : cmi_fail(CMI_CORRUPT, message, "it holds no image");
  const cmi_status status = read_image(tiff, &file, image);
  TIFFClose(tiff);
  if (status != CMI_OK) cmi_image_free(image);
  return status;
}
