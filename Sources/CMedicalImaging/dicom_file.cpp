// Opening DICOM files and looking elements up: preamble, file meta information, transfer syntax (DICOM PS3.10).
#include "dicom_file.h"

#include <zlib.h>

#include <cstring>
#include <memory>

#include "dicom_guard.h"

using namespace norma;

namespace {

constexpr size_t preamble = 128;
constexpr size_t largest_inflated = (size_t)1 << 31;

bool has_preamble(const uint8_t *bytes, size_t count) {
  return count >= preamble + 4 && memcmp(bytes + preamble, "DICM", 4) == 0;
}

// How the element at the front is written, when it is one of group 2 or 8, with which files without a preamble begin.
bool guess(const uint8_t *bytes, size_t count, Encoding *encoding) {
  if (count < 16) return false;
  for (const bool is_big_endian : {false, true}) {
    const uint32_t group = read_number(bytes, 2, is_big_endian), element = read_number(bytes + 2, 2, is_big_endian);
    if ((group != 2 && group != 8) || element > 0x1FFF) continue;
    const bool is_explicit = bytes[4] >= 'A' && bytes[4] <= 'Z' && bytes[5] >= 'A' && bytes[5] <= 'Z';
    if (!is_explicit && read_number(bytes + 4, 4, is_big_endian) > count) continue;
    *encoding = {is_explicit, is_big_endian};
    return true;
  }
  return false;
}

void inflate_data_set(cmi_dicom *file, const uint8_t *bytes, size_t count) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream *)> guard(&stream, inflateEnd);
  stream.next_in = const_cast<uint8_t *>(bytes);
  stream.avail_in = (uInt)count;
  int status = Z_OK;
  std::vector<uint8_t> chunk(1 << 16);
  while (status == Z_OK) {
    stream.next_out = chunk.data();
    stream.avail_out = (uInt)chunk.size();
    status = inflate(&stream, Z_NO_FLUSH);
    file->inflated.insert(file->inflated.end(), chunk.data(), stream.next_out);
    if (file->inflated.size() > largest_inflated) throw DicomFailure(CMI_TOO_LARGE, "more than 2 GiB uncompressed");
  }
  if (status != Z_STREAM_END) throw DicomFailure(CMI_CORRUPT, "its compressed data set is damaged or ends early");
}

void parse(cmi_dicom *file) {
  const uint8_t *cursor = file->bytes.data(), *end = cursor + file->bytes.size();
  if (has_preamble(cursor, file->bytes.size())) cursor += preamble + 4;
  Encoding found;
  if (guess(cursor, (size_t)(end - cursor), &found) && read_number(cursor, 2, found.is_big_endian) == 2) {
    // The file meta information ends with the first element of another group; it is always little endian.
    const uint8_t *last = cursor;
    while (end - last >= 8 && read_number(last, 2, false) == 2) {
      const bool is_long = found.is_explicit && (memcmp(last + 4, "OB", 2) == 0 || memcmp(last + 4, "UN", 2) == 0);
      if (is_long && end - last < 12) break;
      const size_t head = is_long ? 12 : 8;
      const size_t length = is_long              ? read_number(last + 8, 4, false)
                            : found.is_explicit ? read_number(last + 6, 2, false)
                                                : read_number(last + 4, 4, false);
      if (length > (size_t)(end - last) - head) {
        throw DicomFailure(CMI_CORRUPT, "the file ends within its meta information");
      }
      last += head + length;
    }
    file->meta = parse_data_set(cursor, last, found, false, 0);
    cursor = last;
  }
  file->transfer_syntax = file->text(tag_transfer_syntax);
  const std::string &syntax = file->transfer_syntax;
  if (syntax == "1.2.840.10008.1.2.1.99") {
    inflate_data_set(file, cursor, (size_t)(end - cursor));
    cursor = file->inflated.data();
    end = cursor + file->inflated.size();
  }
  file->encoding = {syntax != "1.2.840.10008.1.2", syntax == "1.2.840.10008.1.2.2"};
  // What the first element shows counts more than what is declared, or not declared.
  if (guess(cursor, (size_t)(end - cursor), &found)) file->encoding = found;
  file->data_set = parse_data_set(cursor, end, file->encoding, false, 0);
  if (syntax.empty()) {
    file->transfer_syntax = file->encoding.is_big_endian  ? "1.2.840.10008.1.2.2"
                            : file->encoding.is_explicit ? "1.2.840.10008.1.2.1"
                                                         : "1.2.840.10008.1.2";
  }
}

}  // namespace

const Element *cmi_dicom::find(uint32_t tag) const {
  const DataSet &elements = tag >> 16 == 2 ? meta : data_set;
  const auto place = elements.find(tag);
  return place == elements.end() ? nullptr : &place->second;
}

std::string cmi_dicom::text(uint32_t tag) const {
  const Element *element = find(tag);
  if (element == nullptr) return {};
  std::string text(element->value.begin, element->value.end);
  while (!text.empty() && (text.back() == ' ' || text.back() == 0)) text.pop_back();
  return text;
}

uint32_t cmi_dicom::number(uint32_t tag, uint32_t otherwise) const {
  const Element *element = find(tag);
  if (element == nullptr || element->value.count() < 2) return otherwise;
  return read_number(element->value.begin, 2, encoding.is_big_endian);
}

uint32_t cmi_dicom::required(uint32_t tag, const char *name) const {
  const uint32_t absent = UINT32_MAX, value = number(tag, absent);
  if (value == absent) throw DicomFailure(CMI_CORRUPT, std::string("it does not tell its ") + name);
  return value;
}

bool cmi_is_dicom(const uint8_t *bytes, size_t count) {
  Encoding encoding;
  return has_preamble(bytes, count) || guess(bytes, count, &encoding);
}

cmi_status cmi_dicom_open(const uint8_t *bytes, size_t count, cmi_dicom **file, char *message) {
  *file = nullptr;
  return guarded(message, [&] {
    auto opened = std::make_unique<cmi_dicom>();
    opened->bytes.assign(bytes, bytes + count);
    parse(opened.get());
    *file = opened.release();
  });
}

void cmi_dicom_close(cmi_dicom *file) { delete file; }

const char *cmi_dicom_transfer_syntax(const cmi_dicom *file) { return file->transfer_syntax.c_str(); }

bool cmi_dicom_find(cmi_dicom *file, const uint32_t *path, size_t depth, cmi_dicom_value *value) {
  *value = {};
  char message[CMI_MESSAGE_CAPACITY];
  bool is_found = false;
  guarded(message, [&] {
    const Element *element = depth == 0 ? nullptr : file->find(path[0]);
    for (size_t level = 1; element != nullptr && level < depth; level += 2) {
      const uint8_t *key = element->value.begin;
      if (file->items.find(key) == file->items.end()) file->items.emplace(key, parse_items(*element));
      const std::vector<DataSet> &items = file->items.find(key)->second;
      value->items = (uint32_t)items.size();
      is_found = level + 1 == depth;
      if (is_found || path[level] >= items.size()) return;
      const auto place = items[path[level]].find(path[level + 1]);
      element = place == items[path[level]].end() ? nullptr : &place->second;
    }
    if (element == nullptr) return;
    *value = {element->value.begin, element->value.count(), element->encoding.is_big_endian, 0};
    is_found = true;
  });
  return is_found;
}
