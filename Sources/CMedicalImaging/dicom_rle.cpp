// DICOM's own run-length coding (PS3.5, annex G): one segment of packed bytes for each byte of a sample, the most
// significant first. GDCM 3.0 puts samples of more than eight bits in several channels together wrongly.
#include "dicom_codec.h"

namespace norma {

namespace {

constexpr size_t head = 64;  // the number of segments, and fifteen offsets

// Unpacks one segment into every `stride`-th byte; false where it ends early.
bool unpack(const uint8_t *source, const uint8_t *end, uint8_t *target, size_t count, size_t stride) {
  size_t done = 0;
  while (done < count) {
    if (source == end) return false;
    const int control = (int8_t)*source++;
    if (control == -128) continue;
    const size_t length = (size_t)(control >= 0 ? control + 1 : 1 - control);
    const size_t taken = control >= 0 ? length : 1;
    if (taken > (size_t)(end - source)) return false;
    for (size_t index = 0; index < length && done < count; index++, done++) {
      target[done * stride] = source[control >= 0 ? index : 0];
    }
    source += taken;
  }
  return true;
}

}  // namespace

Frame decode_rle(const std::vector<uint8_t> &bytes, const PixelLayout &layout) {
  const uint32_t width = layout.bits_allocated / 8, segments = layout.samples * width;
  const size_t plane = (size_t)layout.columns * layout.rows;
  const uint16_t probe = 1;
  const bool is_little_endian = *(const uint8_t *)&probe == 1;
  if (width == 0) throw DicomFailure(CMI_UNSUPPORTED, "its single bits are run-length coded");
  if (bytes.size() < head || read_number(bytes.data(), 4, false) != segments) {
    throw DicomFailure(
        CMI_CORRUPT, "a run-length coded frame does not hold the " + std::to_string(segments) + " segments of its samples");
  }
  Frame frame = {std::vector<uint8_t>(plane * segments), width};
  for (uint32_t segment = 0; segment < segments; segment++) {
    const size_t first = read_number(bytes.data() + 4 + 4 * segment, 4, false);
    const size_t next = segment + 1 < segments ? read_number(bytes.data() + 8 + 4 * segment, 4, false) : bytes.size();
    if (first < head || first > next || next > bytes.size()) {
      throw DicomFailure(CMI_CORRUPT, "a run-length coded frame is damaged");
    }
    const uint32_t sample = segment / width, significance = width - 1 - segment % width;
    uint8_t *target = frame.bytes.data() + sample * width + (is_little_endian ? significance : width - 1 - significance);
    if (!unpack(bytes.data() + first, bytes.data() + next, target, plane, segments)) {
      throw DicomFailure(CMI_CORRUPT, "a run-length coded frame ends early");
    }
  }
  return frame;
}

}  // namespace norma
