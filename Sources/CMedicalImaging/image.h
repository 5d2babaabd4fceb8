// What the readers share: filling an image within the size limits, and naming what went wrong.
#ifndef CMI_IMAGE_H
#define CMI_IMAGE_H

#include "cmedicalimaging.h"

// Writes a printf-style reason into a message buffer of CMI_MESSAGE_CAPACITY characters and returns `status`.
cmi_status cmi_fail(cmi_status status, char *message, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Whether an image of this size may be allocated: within the extents and samples of cmedicalimaging.h, and not more pixels
// than a file of `file_bytes` can encode.
cmi_status cmi_check_size(uint64_t width, uint64_t height, uint32_t channels, size_t file_bytes, char *message);

// Gives `image` zeroed samples of a size that cmi_check_size accepts, with the range 0 ... `maximum`.
cmi_status cmi_image_allocate(
    cmi_image *image, uint32_t width, uint32_t height, int channels, int bits_per_sample, float maximum, char *message);

// Applies an Exif or TIFF orientation (1 ... 8; anything else leaves the image alone), so that the first sample is the top
// left one as displayed.
cmi_status cmi_image_orient(cmi_image *image, int orientation, char *message);

// The orientation in an Exif block (a little TIFF file of tags, without the "Exif" preamble); 1 where it says nothing.
int cmi_exif_orientation(const uint8_t *bytes, size_t count);

#endif
