// The image formats' libraries behind one uniform C face: bytes in, planar samples out, a status and a sentence. Volumes go
// by file name, as their libraries read and write them.
//
// Every function may be called from any thread. None keeps state, or leaves memory behind when it fails, and none prints, but
// for the JPEG and JPEG 2000 libraries that decode DICOM, which may complain of damage and of 12 bits.
#ifndef CMEDICALIMAGING_H
#define CMEDICALIMAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How a call ended. Everything but CMI_OK leaves the result empty and a reason in `message`.
typedef enum cmi_status {
  CMI_OK = 0,
  CMI_CORRUPT,      // truncated or damaged; the reason is the library's
  CMI_UNSUPPORTED,  // a valid file of a kind that is not read; the reason names the kind
  CMI_TOO_LARGE,    // more than CMI_MAXIMUM_EXTENT pixels a side or CMI_MAXIMUM_SAMPLES samples
  CMI_NO_MEMORY,
  CMI_NOT_WRITABLE  // the system's reason
} cmi_status;

enum {
  CMI_MESSAGE_CAPACITY = 256,       // characters that every `message` buffer must hold, the closing zero included
  CMI_MAXIMUM_EXTENT = 65535,       // pixels a side
  CMI_MAXIMUM_SAMPLES = 1 << 28     // pixels times channels: 1 GiB as float
};

// A decoded image. Samples lie channel by channel, each channel row by row, orientation tags applied, alpha dropped.
typedef struct cmi_image {
  int32_t width;
  int32_t height;
  int32_t channels;         // 1 grey, 3 red, green, blue
  int32_t bits_per_sample;  // in the file
  float minimum;            // the values that the samples can take: 0 and 255 for up to 8 bits, 0 and 65535 for 16 bits,
  float maximum;            // and the smallest and largest sample for floating point
  float *samples;           // width * height * channels values; freed by cmi_image_free
} cmi_image;

// Readers. `image` is overwritten. All three have the same type, so that formats can be told apart by a table.
typedef cmi_status (*cmi_reader)(const uint8_t *bytes, size_t count, cmi_image *image, char *message);
cmi_status cmi_read_png(const uint8_t *bytes, size_t count, cmi_image *image, char *message);
cmi_status cmi_read_jpeg(const uint8_t *bytes, size_t count, cmi_image *image, char *message);
cmi_status cmi_read_tiff(const uint8_t *bytes, size_t count, cmi_image *image, char *message);

// Frees the samples and empties the image. Harmless on an empty one.
void cmi_image_free(cmi_image *image);

// A file in memory; freed by cmi_bytes_free.
typedef struct cmi_bytes {
  uint8_t *bytes;
  size_t count;
} cmi_bytes;

// Writes a PNG file into memory. `pixels` holds height rows of width pixels of `channels` (1 or 3) interleaved samples of
// `bits_per_sample` (8 or 16) bits, 16-bit samples in the machine's byte order.
cmi_status cmi_write_png(
    const void *pixels, int32_t width, int32_t height, int32_t channels, int32_t bits_per_sample, cmi_bytes *file,
    char *message);

void cmi_bytes_free(cmi_bytes *file);

// A volume of one sample a voxel. Samples run along x first, then y, then z: (z * height + y) * width + x.
typedef struct cmi_volume {
  int32_t width;
  int32_t height;
  int32_t depth;
  int32_t bits_per_sample;  // in the file
  float minimum;            // the smallest and the largest sample
  float maximum;
  double affine[12];        // three rows of four: from voxel indices (x, y, z, 1) to millimetres right, anterior, superior
  float *samples;           // width * height * depth values; freed by cmi_volume_free
} cmi_volume;

// What a NIfTI header says about the place of its voxels, to be said again of other samples on the same grid.
typedef struct cmi_nifti_place {
  int32_t version;        // 1 or 2
  int32_t extents[3];     // voxels along x, y and z
  int32_t qform_code;
  int32_t sform_code;
  int32_t units;          // of lengths: 0 not told, 1 metres, 2 millimetres, 3 micrometres
  double spacing[4];      // pixdim: the handedness of the qform, and the distances along x, y and z
  double quaternion[3];   // b, c and d
  double offset[3];
  double sform[12];       // three rows of four
  double affine[12];      // what these come to, as in cmi_volume
} cmi_nifti_place;

// Reads a NIfTI-1 or NIfTI-2 file, gzip-compressed or not, in either byte order. Slope and intercept are applied; the affine is
// that of the sform, of the qform where there is none, and where there is neither the spacing alone, x towards the left, with
// the middle of the grid at the origin (as nibabel has it). `voxels_path` is where the voxels of a header with a file of its own
// lie, NULL where there is no such file. `index` chooses one of several volumes, counted from 0 over dimensions 4 to 7; -1
// takes the only one and refuses several. `volume` is overwritten.
cmi_status cmi_read_nifti(
    const char *path, const char *voxels_path, int64_t index, cmi_volume *volume, char *message);

// Reads the header alone.
cmi_status cmi_read_nifti_place(const char *path, cmi_nifti_place *place, char *message);

// Writes a NIfTI file of one volume. Samples become bytes as they are, rounded and limited to 0 ... 255, where
// `bits_per_sample` is 8, and stay floating point where it is 32. With a `place`, whose extents must be those of the volume,
// the header repeats it, in its version, and the volume's affine is not looked at; without one (NULL) the header is NIfTI-1's,
// or NIfTI-2's where a side has more than 32767 voxels. What is written of a file that fails stays behind.
cmi_status cmi_write_nifti(
    const char *path, bool compressed, const cmi_nifti_place *place, const cmi_volume *volume, char *message);

// Says that memory will be filled to its end, so that the system may hand it out in large pages. Harmless on small memory.
void cmi_will_fill(void *memory, size_t count);

// Frees the samples and empties the volume. Harmless on an empty one.
void cmi_volume_free(cmi_volume *volume);

// Decompresses a deflate stream without a wrapper, as zip files hold it, into exactly `result_count` bytes whose CRC-32 is
// `checksum`.
cmi_status cmi_inflate(
    const uint8_t *bytes, size_t count, uint8_t *result, size_t result_count, uint32_t checksum, char *message);

// Whether a file begins as DICOM does: with DICM after a preamble, or, without one, with an element of group 2 or 8.
// The first 132 bytes tell.
bool cmi_is_dicom(const uint8_t *bytes, size_t count);

// A DICOM file taken apart; closed by cmi_dicom_close. One thread at a time may use it.
typedef struct cmi_dicom cmi_dicom;

// Takes a file apart. Its bytes are copied; its pixels are decoded only by cmi_dicom_decode.
cmi_status cmi_dicom_open(const uint8_t *bytes, size_t count, cmi_dicom **file, char *message);
void cmi_dicom_close(cmi_dicom *file);

// The transfer syntax's UID; where the file does not tell, that of what it looks like.
const char *cmi_dicom_transfer_syntax(const cmi_dicom *file);

// A data element's value, as long as the file is open.
typedef struct cmi_dicom_value {
  const uint8_t *bytes;
  size_t count;
  bool is_big_endian;  // how its numbers are written
  uint32_t items;      // of a sequence, where these were asked for
} cmi_dicom_value;

// Looks an element up. `path` is a tag (group << 16 | element), or tag, item, tag of an element nested in that item of that
// sequence, and so on. A path that ends with an item, whatever its number, asks how many items there are.
bool cmi_dicom_find(cmi_dicom *file, const uint32_t *path, size_t depth, cmi_dicom_value *value);

// The pixels of a file, as they are stored: frame by frame, row by row, the samples of a pixel side by side, each an
// integer of `bytes_per_sample` bytes in the machine's byte order, without unused bits, the sign spread over them.
typedef struct cmi_dicom_pixels {
  int32_t columns;
  int32_t rows;
  int32_t frames;
  int32_t samples_per_pixel;  // 1 or 3
  int32_t bits_stored;        // 1 ... 32
  int32_t bytes_per_sample;   // 1, 2 or 4
  bool is_signed;
  bool is_real;  // 32-bit floating point in place of integers, all of them finite
  void *samples;  // freed by cmi_dicom_pixels_free
} cmi_dicom_pixels;

// Decodes the pixels: uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000. `pixels` is overwritten.
cmi_status cmi_dicom_decode(const cmi_dicom *file, cmi_dicom_pixels *pixels, char *message);

// Frees the samples and empties the pixels. Harmless on empty ones.
void cmi_dicom_pixels_free(cmi_dicom_pixels *pixels);

// A data element to be written. A sequence (of type SQ) is followed by its items, an item (tag FFFE,E000, without a type) by
// its elements.
typedef struct cmi_dicom_element {
  uint32_t tag;          // group << 16 | element
  char type[3];          // the value representation, for example "DS"
  const uint8_t *bytes;  // the value, little endian, padded to an even length
  size_t count;          // bytes; of a sequence its items, of an item its elements
} cmi_dicom_element;

// Writes a DICOM file, explicit and little endian. `elements` are those of the data set, in rising order of their tags, group 2
// apart, which is made here. What is no element (an unknown type, an odd or too long value, numbers that are not finite, tags out
// of order, items that are missing) is refused with CMI_UNSUPPORTED before anything is written; what is written of a file that
// fails stays behind.
cmi_status cmi_write_dicom(const char *path, const cmi_dicom_element *elements, size_t count, char *message);

#ifdef __cplusplus
}
#endif

#endif
