// NIfTI headers of both versions and byte orders, checked and brought to one form.
#ifndef CMI_NIFTI_HEADER_H
#define CMI_NIFTI_HEADER_H

#include <nifti2_io.h>

#include "cmedicalimaging.h"

typedef struct nifti_content {
  bool swapped;           // the file's byte order is the other one
  bool is_pair;           // the voxels lie in a file of their own
  size_t header_bytes;    // read so far
  uint64_t voxel_offset;  // of the first voxel from the beginning of the file that holds it
  int datatype;
  int64_t volumes;        // over dimensions 4 to 7
  double slope;
  double intercept;
  cmi_nifti_place place;
} nifti_content;

// What znzread gives for compressed data that are damaged.
extern const size_t cmi_nifti_unreadable;

// Reads and checks the header at the beginning of a file.
cmi_status cmi_nifti_header(znzFile file, nifti_content *content, char *message);

// The bytes of one sample; 0 for types that are not read.
int cmi_nifti_sample_bytes(int type);

#endif
