// A DICOM file taken apart into its data elements, for the sources that read its pixels.
#ifndef CMI_DICOM_FILE_H
#define CMI_DICOM_FILE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "cmedicalimaging.h"

namespace norma {

// Why reading ends: what a cmi_ function returns, and its message.
struct DicomFailure : std::runtime_error {
  DicomFailure(cmi_status status, const std::string &reason) : std::runtime_error(reason), status(status) {}
  cmi_status status;
};

enum : uint32_t {
  tag_transfer_syntax = 0x00020010,
  tag_samples_per_pixel = 0x00280002,
  tag_photometric = 0x00280004,
  tag_planar_configuration = 0x00280006,
  tag_frame_count = 0x00280008,
  tag_rows = 0x00280010,
  tag_columns = 0x00280011,
  tag_bits_allocated = 0x00280100,
  tag_bits_stored = 0x00280101,
  tag_high_bit = 0x00280102,
  tag_pixel_representation = 0x00280103,
  tag_extended_offsets = 0x7FE00001,
  tag_float_pixels = 0x7FE00008,
  tag_double_pixels = 0x7FE00009,
  tag_pixels = 0x7FE00010,
  tag_item = 0xFFFEE000,
  tag_item_end = 0xFFFEE00D,
  tag_sequence_end = 0xFFFEE0DD
};

struct Bytes {
  const uint8_t *begin = nullptr;
  const uint8_t *end = nullptr;
  size_t count() const { return (size_t)(end - begin); }
};

// How data elements are written.
struct Encoding {
  bool is_explicit = true;  // with the type of each value
  bool is_big_endian = false;
};

struct Element {
  Bytes value;
  Encoding encoding;          // of what is nested in it
  bool is_undefined = false;  // of undefined length: a sequence, or pixel data in fragments
  bool is_words = false;      // of type OW: 16-bit words, whatever they hold
};

using DataSet = std::map<uint32_t, Element>;

// The data elements between two places; with `stops`, up to the end of an item, where the cursor is left.
// Throws DicomFailure where the bytes end within an element.
DataSet parse_data_set(const uint8_t *&cursor, const uint8_t *end, Encoding encoding, bool stops, int depth);

// The items of a sequence.
std::vector<DataSet> parse_items(const Element &sequence);

// The fragments of pixel data, the table of offsets first.
std::vector<Bytes> parse_fragments(const Element &pixels);

uint32_t read_number(const uint8_t *bytes, int count, bool is_big_endian);

}  // namespace norma

// The handle of cmedicalimaging.h.
struct cmi_dicom {
  std::vector<uint8_t> bytes;     // the file
  std::vector<uint8_t> inflated;  // its data set, where that is compressed as a whole
  norma::DataSet meta;
  norma::DataSet data_set;
  norma::Encoding encoding;
  std::string transfer_syntax;
  std::map<const uint8_t *, std::vector<norma::DataSet>> items;  // of the sequences that were looked into

  const norma::Element *find(uint32_t tag) const;
  std::string text(uint32_t tag) const;                             // without padding; empty where it is absent
  uint32_t number(uint32_t tag, uint32_t otherwise) const;          // the first 16-bit word
  uint32_t required(uint32_t tag, const char *name) const;          // the same, or DicomFailure
};

#endif
