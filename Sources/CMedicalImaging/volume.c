#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // for madvise
#endif
#include "volume.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "image.h"

static const uint64_t most_deflated = 1032;  // deflate shrinks at best 1,032 : 1

cmi_status cmi_volume_allocate(
    cmi_volume *volume, int32_t width, int32_t height, int32_t depth, int bytes_per_sample, uint64_t file_bytes,
    char *message) {
  if (width <= 0 || height <= 0 || depth <= 0) {
    return cmi_fail(CMI_CORRUPT, message, "it declares %d x %d x %d voxels", width, height, depth);
  }
  const uint64_t slice = (uint64_t)width * (uint64_t)height;
  if (width > CMI_MAXIMUM_EXTENT || height > CMI_MAXIMUM_EXTENT || depth > CMI_MAXIMUM_EXTENT ||
      slice > CMI_MAXIMUM_SAMPLES || slice * (uint64_t)depth > CMI_MAXIMUM_SAMPLES) {
    return cmi_fail(CMI_TOO_LARGE, message, "%d x %d x %d voxels", width, height, depth);
  }
  const uint64_t count = slice * (uint64_t)depth;
  if (count * (uint64_t)bytes_per_sample / most_deflated > file_bytes) {
    return cmi_fail(
        CMI_CORRUPT, message, "it declares %d x %d x %d voxels, more than its %llu bytes can hold", width, height, depth,
        (unsigned long long)file_bytes);
  }
  volume->samples = malloc(count * sizeof(float));
  if (volume->samples == NULL) return cmi_fail(CMI_NO_MEMORY, message, "%d x %d x %d voxels", width, height, depth);
  cmi_will_fill(volume->samples, count * sizeof(float));
  volume->width = width;
  volume->height = height;
  volume->depth = depth;
  volume->bits_per_sample = 8 * bytes_per_sample;
  return CMI_OK;
}

void cmi_will_fill(void *memory, size_t count) {
#ifdef MADV_HUGEPAGE
  // Page by page, the system takes longer to hand memory out than a volume takes to be read. Large pages lie at their multiples.
  const uintptr_t page = 1 << 21, first = ((uintptr_t)memory + page - 1) / page * page;
  const uintptr_t last = ((uintptr_t)memory + count) / page * page;
  if (last > first) madvise((void *)first, last - first, MADV_HUGEPAGE);
#else
  (void)memory, (void)count;
#endif
}

void cmi_volume_free(cmi_volume *volume) {
  free(volume->samples);
  *volume = (cmi_volume){0};
}
