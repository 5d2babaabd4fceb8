// Decoding one compressed frame.
#ifndef CMI_DICOM_CODEC_H
#define CMI_DICOM_CODEC_H

#include <string>
#include <vector>

#include "dicom_file.h"

namespace norma {

// What pixels look like, from the header.
struct PixelLayout {
  uint32_t columns, rows, frames, samples;
  uint32_t bits_allocated, bits_stored, high_bit;
  bool is_signed, is_planar;
  std::string photometric;
  size_t frame_samples() const { return (size_t)columns * rows * samples; }
};

// A decoded frame: interleaved samples of `bytes_per_sample` bytes in the machine's byte order.
struct Frame {
  std::vector<uint8_t> bytes;
  uint32_t bytes_per_sample;
};

enum class Compression { none, rle, jpeg, jpeg_ls, jpeg_2000 };

// How a transfer syntax compresses pixels. Throws DicomFailure, which names it, where it is not read.
Compression compression(const std::string &transfer_syntax);

// Decodes a run-length coded frame. Throws DicomFailure as decode_frame does.
Frame decode_rle(const std::vector<uint8_t> &bytes, const PixelLayout &layout);

// Decodes a frame of any other compression. Throws DicomFailure for a frame that is damaged, or another than the header
// declares.
Frame decode_frame(
    Compression compression, const std::string &transfer_syntax, const std::vector<uint8_t> &bytes,
    const PixelLayout &layout);

// Keeps GDCM from printing.
void silence();

}  // namespace norma

#endif
