// Data elements, sequences and fragments (DICOM PS3.5, chapters 7 and A.4). Nothing here is read beyond the file's end, and
// nothing is allocated that the file's own bytes do not pay for.
#include <cstring>

#include "dicom_file.h"

namespace norma {

namespace {

constexpr int deepest = 32;  // sequences within sequences

std::string name(uint32_t tag) {
  char text[16];
  snprintf(text, sizeof text, "(%04X,%04X)", tag >> 16, tag & 0xFFFF);
  return text;
}

[[noreturn]] void ends_within(uint32_t tag) {
  throw DicomFailure(CMI_CORRUPT, "the file ends within its element " + name(tag));
}

uint32_t read_tag(const uint8_t *bytes, bool is_big_endian) {
  return read_number(bytes, 2, is_big_endian) << 16 | read_number(bytes + 2, 2, is_big_endian);
}

bool is_type(const uint8_t *bytes) {
  return bytes[0] >= 'A' && bytes[0] <= 'Z' && bytes[1] >= 'A' && bytes[1] <= 'Z';
}

// Whether lengths of this type take four bytes after two that are reserved.
bool is_long(const uint8_t *type) {
  static const char types[] = "OBODOFOLOVOWSQSVUCUNURUTUV";
  for (const char *known = types; *known != 0; known += 2) {
    if (memcmp(known, type, 2) == 0) return true;
  }
  return false;
}

struct Header {
  uint32_t tag = 0;
  uint32_t length = 0;
  bool is_unknown = false;  // of type UN, whose sequences are written without types
  bool is_words = false;    // of type OW
  const uint8_t *value = nullptr;
};

Header read_header(const uint8_t *cursor, const uint8_t *end, Encoding encoding) {
  Header header;
  header.tag = read_tag(cursor, encoding.is_big_endian);
  const bool is_item = header.tag == tag_item || header.tag == tag_item_end || header.tag == tag_sequence_end;
  if (is_item || !encoding.is_explicit || !is_type(cursor + 4)) {
    header.length = read_number(cursor + 4, 4, encoding.is_big_endian);
    header.value = cursor + 8;
  } else if (is_long(cursor + 4)) {
    if (end - cursor < 12) ends_within(header.tag);
    header.is_unknown = memcmp(cursor + 4, "UN", 2) == 0;
    header.is_words = memcmp(cursor + 4, "OW", 2) == 0;
    header.length = read_number(cursor + 8, 4, encoding.is_big_endian);
    header.value = cursor + 12;
  } else {
    header.length = read_number(cursor + 6, 2, encoding.is_big_endian);
    header.value = cursor + 8;
  }
  return header;
}

// Passes the items of a sequence of undefined length, or its fragments, and the element that ends it.
const uint8_t *pass(const uint8_t *cursor, const uint8_t *end, Encoding encoding, uint32_t tag, int depth) {
  if (depth > deepest) throw DicomFailure(CMI_CORRUPT, "its sequences are nested too deeply");
  for (;;) {
    if (end - cursor < 8) ends_within(tag);
    const Header item = read_header(cursor, end, encoding);
    if (item.tag == tag_sequence_end) return item.value;
    if (item.tag != tag_item) {
      throw DicomFailure(CMI_CORRUPT, "the sequence " + name(tag) + " holds something that is no item");
    }
    cursor = item.value;
    if (item.length == UINT32_MAX) {
      parse_data_set(cursor, end, encoding, true, depth + 1);
    } else {
      if (item.length > (size_t)(end - cursor)) ends_within(tag);
      cursor += item.length;
    }
  }
}

}  // namespace

uint32_t read_number(const uint8_t *bytes, int count, bool is_big_endian) {
  uint32_t number = 0;
  for (int index = 0; index < count; index++) {
    number |= (uint32_t)bytes[index] << 8 * (is_big_endian ? count - 1 - index : index);
  }
  return number;
}

DataSet parse_data_set(const uint8_t *&cursor, const uint8_t *end, Encoding encoding, bool stops, int depth) {
  if (depth > deepest) throw DicomFailure(CMI_CORRUPT, "its sequences are nested too deeply");
  DataSet elements;
  while (end - cursor >= 8) {
    const Header header = read_header(cursor, end, encoding);
    cursor = header.value;
    if (header.tag == tag_item_end && stops) return elements;
    if (header.tag == 0 && header.length == 0) continue;  // padding
    Element element;
    element.encoding = header.is_unknown ? Encoding{false, false} : encoding;
    element.is_undefined = header.length == UINT32_MAX;
    element.is_words = header.is_words;
    element.value.begin = cursor;
    if (element.is_undefined) {
      cursor = pass(cursor, end, element.encoding, header.tag, depth + 1);
    } else {
      if (header.length > (size_t)(end - cursor)) ends_within(header.tag);
      cursor += header.length;
    }
    element.value.end = cursor;
    elements.emplace(header.tag, element);
  }
  if (stops) throw DicomFailure(CMI_CORRUPT, "the file ends within an item of a sequence");
  for (; cursor < end; cursor++) {
    if (*cursor != 0) throw DicomFailure(CMI_CORRUPT, "the file ends within the head of an element");
  }
  return elements;
}

std::vector<DataSet> parse_items(const Element &sequence) {
  std::vector<DataSet> items;
  const uint8_t *cursor = sequence.value.begin, *end = sequence.value.end;
  while (end - cursor >= 8) {
    const Header item = read_header(cursor, end, sequence.encoding);
    if (item.tag != tag_item) break;
    cursor = item.value;
    if (item.length == UINT32_MAX) {
      items.push_back(parse_data_set(cursor, end, sequence.encoding, true, 0));
    } else {
      if (item.length > (size_t)(end - cursor)) throw DicomFailure(CMI_CORRUPT, "an item is longer than its sequence");
      items.push_back(parse_data_set(cursor, cursor + item.length, sequence.encoding, false, 0));
    }
  }
  return items;
}

std::vector<Bytes> parse_fragments(const Element &pixels) {
  std::vector<Bytes> fragments;
  const uint8_t *cursor = pixels.value.begin, *end = pixels.value.end;
  while (end - cursor >= 8) {
    const Header item = read_header(cursor, end, pixels.encoding);
    if (item.tag != tag_item || item.length > (size_t)(end - item.value)) break;
    fragments.push_back({item.value, item.value + item.length});
    cursor = item.value + item.length;
  }
  return fragments;
}

}  // namespace norma
