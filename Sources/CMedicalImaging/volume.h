// What the readers of volumes share: filling a volume within the size limits.
#ifndef CMI_VOLUME_H
#define CMI_VOLUME_H

#include "cmedicalimaging.h"

// Gives `volume` samples of a size within the limits of cmedicalimaging.h, and not more voxels of `bytes_per_sample` than a
// file of `file_bytes` can encode.
cmi_status cmi_volume_allocate(
    cmi_volume *volume, int32_t width, int32_t height, int32_t depth, int bytes_per_sample, uint64_t file_bytes,
    char *message);

#endif
