// A TIFF file in memory, opened through libtiff without its process-wide error handlers.
#ifndef CMI_TIFF_FILE_H
#define CMI_TIFF_FILE_H

#include <stdbool.h>
#include <tiffio.h>

#include "cmedicalimaging.h"

typedef struct {
  const uint8_t *bytes;
  uint64_t count;
  uint64_t offset;
  char *message;
  bool failed;           // libtiff reported an error; its reason is in `message`
  bool reading_pixels;   // from here on a warning means damaged pixels, not an unknown tag
} tiff_file;

// Opens the file; NULL after an error, or where it holds no directory at all. Closed by TIFFClose.
TIFF *cmi_tiff_open(tiff_file *file);

#endif
