// Pixels as they are stored (DICOM PS3.5, chapter 8 and annexes A and D; PS3.3, C.7.6.3): sizes checked, frames found,
// samples brought into one form.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "dicom_codec.h"
#include "dicom_guard.h"

extern "C" {
#include "image.h"
}

using namespace norma;

namespace {

PixelLayout layout_of(const cmi_dicom *file) {
  PixelLayout layout = {};
  layout.columns = file->required(tag_columns, "number of columns");
  layout.rows = file->required(tag_rows, "number of rows");
  layout.samples = file->number(tag_samples_per_pixel, 1);
  layout.bits_allocated = file->required(tag_bits_allocated, "number of bits allocated");
  layout.bits_stored = file->number(tag_bits_stored, layout.bits_allocated);
  layout.high_bit = file->number(tag_high_bit, layout.bits_stored - 1);
  layout.is_signed = file->number(tag_pixel_representation, 0) == 1;
  layout.is_planar = file->number(tag_planar_configuration, 0) == 1;
  layout.photometric = file->text(tag_photometric);
  const long frames = strtol(file->text(tag_frame_count).c_str(), nullptr, 10);
  layout.frames = frames < 1 ? 1 : (uint32_t)std::min(frames, (long)UINT32_MAX);
  return layout;
}

void check(PixelLayout *layout, size_t file_bytes) {
  const uint32_t allocated = layout->bits_allocated;
  if (layout->samples != 1 && layout->samples != 3) {
    throw DicomFailure(CMI_UNSUPPORTED, "it has " + std::to_string(layout->samples) + " samples per pixel");
  }
  if (allocated != 1 && allocated != 8 && allocated != 16 && allocated != 32) {
    throw DicomFailure(
        CMI_UNSUPPORTED, "its samples take " + std::to_string(allocated) + " bits; 1, 8, 16 and 32 are read");
  }
  if (layout->bits_stored < 1 || layout->bits_stored > allocated) {
    throw DicomFailure(
        CMI_CORRUPT, "it stores " + std::to_string(layout->bits_stored) + " of " + std::to_string(allocated) + " bits");
  }
  if (layout->high_bit + 1 < layout->bits_stored || layout->high_bit >= allocated) {
    layout->high_bit = layout->bits_stored - 1;  // no other place makes sense
  }
  char message[CMI_MESSAGE_CAPACITY];
  const cmi_status status = cmi_check_size(layout->columns, layout->rows, layout->samples, file_bytes, message);
  if (status != CMI_OK) throw DicomFailure(status, message);
  if (layout->frames > (size_t)CMI_MAXIMUM_SAMPLES / layout->frame_samples()) {
    throw DicomFailure(
        CMI_TOO_LARGE, std::to_string(layout->frames) + " frames of " + std::to_string(layout->columns) + " x " +
                           std::to_string(layout->rows) + " pixels");
  }
}

// MARK: Frames

// The fragments of each frame, put together (PS3.5, A.4).
std::vector<std::vector<uint8_t>> frames_of(const cmi_dicom *file, const Element &pixels, const PixelLayout &layout) {
  std::vector<Bytes> fragments = parse_fragments(pixels);
  const Bytes table = fragments.empty() ? Bytes{} : fragments.front();
  if (!fragments.empty()) fragments.erase(fragments.begin());
  if (fragments.size() < layout.frames) {
    throw DicomFailure(
        CMI_CORRUPT, "it declares " + std::to_string(layout.frames) + " frames and holds " +
                         std::to_string(fragments.size()) + " compressed ones");
  }
  std::vector<uint64_t> offsets;
  const Element *extended = file->find(tag_extended_offsets);
  if (extended != nullptr && extended->value.count() / 8 == layout.frames) {
    for (const uint8_t *place = extended->value.begin; place + 8 <= extended->value.end; place += 8) {
      offsets.push_back(read_number(place, 4, false) | (uint64_t)read_number(place + 4, 4, false) << 32);
    }
  } else if (table.count() / 4 == layout.frames) {
    for (const uint8_t *place = table.begin; place + 4 <= table.end; place += 4) {
      offsets.push_back(read_number(place, 4, false));
    }
  }
  std::vector<std::vector<uint8_t>> frames;
  for (const Bytes &fragment : fragments) {
    const uint64_t offset = (uint64_t)(fragment.begin - fragments.front().begin);
    // Without offsets, each fragment is a frame, or those are that begin as a compressed image does.
    const bool begins_image = fragment.count() > 2 && fragment.begin[0] == 0xFF &&
                              (fragment.begin[1] == 0xD8 || fragment.begin[1] == 0x4F);
    const bool begins_frame = layout.frames == 1                   ? false
                              : fragments.size() == layout.frames ? true
                              : !offsets.empty() ? std::find(offsets.begin(), offsets.end(), offset) != offsets.end()
                                                 : begins_image;
    if (frames.empty() || begins_frame) frames.emplace_back();
    frames.back().insert(frames.back().end(), fragment.begin, fragment.end);
  }
  if (frames.size() != layout.frames) {
    throw DicomFailure(
        CMI_CORRUPT, "it declares " + std::to_string(layout.frames) + " frames and its fragments make " +
                         std::to_string(frames.size()));
  }
  return frames;
}

// MARK: Uncompressed pixels

void check_bytes(size_t found, size_t wanted) {
  if (found >= wanted) return;
  throw DicomFailure(
      CMI_CORRUPT, "its pixel data end early: " + std::to_string(found) + " of " + std::to_string(wanted) + " bytes");
}

// Uncompressed pixels with two pixels' luma beside one pair of chroma, spread over both.
Frame spread_422(const Element &pixels, const PixelLayout &layout) {
  const size_t pixel_count = (size_t)layout.columns * layout.rows * layout.frames;
  if (layout.columns % 2 != 0 || layout.bits_allocated != 8) {
    throw DicomFailure(CMI_UNSUPPORTED, layout.photometric + " with an odd number of columns or more than 8 bits");
  }
  check_bytes(pixels.value.count(), 2 * pixel_count);
  Frame frame = {std::vector<uint8_t>(3 * pixel_count), 1};
  for (size_t pixel = 0; pixel < pixel_count; pixel++) {
    const uint8_t *pair = pixels.value.begin + pixel / 2 * 4;
    uint8_t *target = frame.bytes.data() + 3 * pixel;
    target[0] = pair[pixel % 2];
    target[1] = pair[2];
    target[2] = pair[3];
  }
  return frame;
}

// Whether all frames lie in the file as they are wanted: in the machine's byte order, samples side by side.
bool is_as_wanted(const Element &pixels, const PixelLayout &layout) {
  const uint16_t probe = 1;
  const bool is_little_endian = *(const uint8_t *)&probe == 1;
  return layout.bits_allocated >= 8 && layout.samples == 1 && is_little_endian && !pixels.encoding.is_big_endian;
}

// All frames brought into that form.
Frame native_frames(const Element &pixels, const PixelLayout &layout) {
  if (layout.samples == 3 && layout.photometric.find("_422") != std::string::npos) return spread_422(pixels, layout);
  const size_t count = layout.frame_samples() * layout.frames;
  const uint8_t *source = pixels.value.begin;
  if (layout.bits_allocated == 1) {
    check_bytes(pixels.value.count(), (count + 7) / 8);
    Frame frame = {std::vector<uint8_t>(count), 1};
    for (size_t index = 0; index < count; index++) frame.bytes[index] = source[index / 8] >> (index % 8) & 1;
    return frame;
  }
  const size_t width = layout.bits_allocated / 8;
  check_bytes(pixels.value.count(), count * width);
  Frame frame = {std::vector<uint8_t>(count * width), (uint32_t)width};
  const bool is_big_endian = pixels.encoding.is_big_endian;
  // Bytes within big-endian words come in pairs the other way round.
  const bool is_paired = width == 1 && is_big_endian && pixels.is_words && pixels.value.count() % 2 == 0;
  const size_t plane = (size_t)layout.columns * layout.rows;
  for (size_t index = 0; index < count; index++) {
    size_t place = index;
    if (layout.is_planar && layout.samples > 1) {
      const size_t within = index % (plane * layout.samples);
      place = index - within + within / plane + within % plane * layout.samples;
    }
    const uint32_t value = read_number(source + (is_paired ? index ^ 1 : index * width), (int)width, is_big_endian);
    if (width == 1) {
      frame.bytes[place] = (uint8_t)value;
    } else if (width == 2) {
      const uint16_t word = (uint16_t)value;
      memcpy(frame.bytes.data() + place * 2, &word, 2);
    } else {
      memcpy(frame.bytes.data() + place * 4, &value, 4);
    }
  }
  return frame;
}

// MARK: Bits

template <typename Source, typename Target>
void convert(const uint8_t *source, Target *target, size_t count, uint32_t shift, uint32_t bits, bool is_signed) {
  const uint32_t mask = bits == 32 ? UINT32_MAX : (1u << bits) - 1, sign = 1u << (bits - 1);
  for (size_t index = 0; index < count; index++) {
    Source sample;
    memcpy(&sample, source + index * sizeof sample, sizeof sample);
    const uint32_t value = (uint32_t)sample >> shift & mask;
    target[index] = (Target)(is_signed && (value & sign) != 0 ? value | ~mask : value);
  }
}

template <typename Target>
void convert(
    const uint8_t *source, uint32_t width, Target *target, size_t count, uint32_t shift, const PixelLayout &layout) {
  if (width == 1) {
    convert<uint8_t>(source, target, count, shift, layout.bits_stored, layout.is_signed);
  } else if (width == 2) {
    convert<uint16_t>(source, target, count, shift, layout.bits_stored, layout.is_signed);
  } else {
    convert<uint32_t>(source, target, count, shift, layout.bits_stored, layout.is_signed);
  }
}

// Writes samples of `width` bytes from index `first` on: the stored bits alone, the sign spread.
void store(
    const uint8_t *source, uint32_t width, cmi_dicom_pixels *pixels, size_t first, size_t count, uint32_t shift,
    const PixelLayout &layout) {
  if (pixels->bytes_per_sample == 1) {
    convert(source, width, (uint8_t *)pixels->samples + first, count, shift, layout);
  } else if (pixels->bytes_per_sample == 2) {
    convert(source, width, (uint16_t *)pixels->samples + first, count, shift, layout);
  } else {
    convert(source, width, (uint32_t *)pixels->samples + first, count, shift, layout);
  }
}

void describe(const PixelLayout &layout, cmi_dicom_pixels *result) {
  result->columns = (int32_t)layout.columns;
  result->rows = (int32_t)layout.rows;
  result->frames = (int32_t)layout.frames;
  result->samples_per_pixel = (int32_t)layout.samples;
  result->bits_stored = (int32_t)layout.bits_stored;
  result->is_signed = layout.is_signed;
}

// MARK: Floating point

// Float pixel data (PS3.3, C.7.6.24), as parametric maps have them.
void decode_real(const cmi_dicom *file, const Element &pixels, cmi_dicom_pixels *result) {
  PixelLayout layout = layout_of(file);
  check(&layout, std::max(file->bytes.size(), file->inflated.size()));
  if (layout.samples != 1 || layout.bits_allocated != 32 || layout.photometric.rfind("MONOCHROME", 0) != 0) {
    throw DicomFailure(CMI_UNSUPPORTED, "its pixels are floating-point numbers, but not grey ones of 32 bits");
  }
  const Frame frame = native_frames(pixels, layout);
  for (size_t place = 0; place < frame.bytes.size(); place += sizeof(float)) {
    float value;
    memcpy(&value, frame.bytes.data() + place, sizeof value);
    if (!std::isfinite(value)) throw DicomFailure(CMI_UNSUPPORTED, "it holds numbers that are not finite");
  }
  result->samples = malloc(frame.bytes.size());
  if (result->samples == nullptr) throw std::bad_alloc();
  memcpy(result->samples, frame.bytes.data(), frame.bytes.size());
  result->bytes_per_sample = sizeof(float);
  result->is_real = true;
  describe(layout, result);
}

void decode(const cmi_dicom *file, cmi_dicom_pixels *result) {
  const Element *pixels = file->find(tag_pixels);
  if (pixels == nullptr) {
    if (const Element *reals = file->find(tag_float_pixels)) return decode_real(file, *reals, result);
    if (file->find(tag_double_pixels) != nullptr) {
      throw DicomFailure(CMI_UNSUPPORTED, "its pixels are floating-point numbers of double precision");
    }
    throw DicomFailure(CMI_UNSUPPORTED, "it holds no pixels");
  }
  const Compression kind = compression(file->transfer_syntax);
  PixelLayout layout = layout_of(file);
  check(&layout, std::max(file->bytes.size(), file->inflated.size()));
  if (pixels->is_undefined != (kind != Compression::none)) {
    throw DicomFailure(CMI_CORRUPT, "its transfer syntax and the form of its pixel data contradict each other");
  }
  const size_t frame_samples = layout.frame_samples();
  result->bytes_per_sample = (int32_t)std::max(1u, layout.bits_allocated / 8);
  // Nothing is allocated before what is to fill it is known to be there.
  Frame native;
  std::vector<std::vector<uint8_t>> compressed;
  const bool is_direct = kind == Compression::none && is_as_wanted(*pixels, layout);
  if (is_direct) {
    check_bytes(pixels->value.count(), frame_samples * layout.frames * (layout.bits_allocated / 8));
  } else if (kind == Compression::none) {
    native = native_frames(*pixels, layout);
  } else {
    compressed = frames_of(file, *pixels, layout);
  }
  result->samples = malloc(frame_samples * layout.frames * (size_t)result->bytes_per_sample);
  if (result->samples == nullptr) throw std::bad_alloc();
  if (kind == Compression::none) {
    const uint32_t shift = layout.bits_allocated == 1 ? 0 : layout.high_bit + 1 - layout.bits_stored;
    const uint8_t *source = is_direct ? pixels->value.begin : native.bytes.data();
    const uint32_t width = is_direct ? layout.bits_allocated / 8 : native.bytes_per_sample;
    store(source, width, result, 0, frame_samples * layout.frames, shift, layout);
  }
  for (size_t index = 0; index < compressed.size(); index++) {
    const Frame frame = kind == Compression::rle ? decode_rle(compressed[index], layout)
                                                 : decode_frame(kind, file->transfer_syntax, compressed[index], layout);
    const uint32_t shift = kind == Compression::rle ? layout.high_bit + 1 - layout.bits_stored : 0;
    store(frame.bytes.data(), frame.bytes_per_sample, result, index * frame_samples, frame_samples, shift, layout);
  }
  describe(layout, result);
}

}  // namespace

cmi_status cmi_dicom_decode(const cmi_dicom *file, cmi_dicom_pixels *pixels, char *message) {
  *pixels = {};
  const cmi_status status = guarded(message, [&] { decode(file, pixels); });
  if (status != CMI_OK) cmi_dicom_pixels_free(pixels);
  return status;
}

void cmi_dicom_pixels_free(cmi_dicom_pixels *pixels) {
  free(pixels->samples);
  *pixels = {};
}
