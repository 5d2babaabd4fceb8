// Writing DICOM through GDCM. GDCM's Debian build ends the program by assertion where an element contradicts itself, so
// every element is checked before GDCM sees it.
#include <gdcmDataElement.h>
#include <gdcmFileMetaInformation.h>
#include <gdcmItem.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmWriter.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <mutex>

#include "dicom_codec.h"
#include "dicom_guard.h"

using namespace norma;

namespace {

constexpr int deepest = 32;  // sequences within sequences

struct Type {
  const char *name;
  gdcm::VR::VRType type;
  size_t unit;     // bytes of one value; 1 of texts
  bool is_long;    // whether lengths take four bytes
  bool is_real;
};

const Type types[] = {
    {"AE", gdcm::VR::AE, 1, false, false}, {"AS", gdcm::VR::AS, 1, false, false}, {"AT", gdcm::VR::AT, 4, false, false},
    {"CS", gdcm::VR::CS, 1, false, false}, {"DA", gdcm::VR::DA, 1, false, false}, {"DS", gdcm::VR::DS, 1, false, false},
    {"DT", gdcm::VR::DT, 1, false, false}, {"FD", gdcm::VR::FD, 8, false, true},  {"FL", gdcm::VR::FL, 4, false, true},
    {"IS", gdcm::VR::IS, 1, false, false}, {"LO", gdcm::VR::LO, 1, false, false}, {"LT", gdcm::VR::LT, 1, false, false},
    {"OB", gdcm::VR::OB, 1, true, false},  {"OF", gdcm::VR::OF, 4, true, true},   {"OW", gdcm::VR::OW, 2, true, false},
    {"PN", gdcm::VR::PN, 1, false, false}, {"SH", gdcm::VR::SH, 1, false, false}, {"SQ", gdcm::VR::SQ, 1, true, false},
    {"ST", gdcm::VR::ST, 1, false, false}, {"TM", gdcm::VR::TM, 1, false, false}, {"UI", gdcm::VR::UI, 1, false, false},
    {"UL", gdcm::VR::UL, 4, false, false}, {"US", gdcm::VR::US, 2, false, false},
};

[[noreturn]] void refuse(const cmi_dicom_element &element, const char *reason) {
  char text[CMI_MESSAGE_CAPACITY];
  snprintf(text, sizeof text, "its element (%04X,%04X) %s", element.tag >> 16, element.tag & 0xFFFF, reason);
  throw DicomFailure(CMI_UNSUPPORTED, text);
}

const Type &type_of(const cmi_dicom_element &element) {
  for (const Type &type : types) {
    if (strncmp(type.name, element.type, 3) == 0) return type;
  }
  refuse(element, "is of a type that is not written");
}

template <typename Number>
bool all_finite(const cmi_dicom_element &element) {
  for (size_t place = 0; place + sizeof(Number) <= element.count; place += sizeof(Number)) {
    Number number;
    memcpy(&number, element.bytes + place, sizeof number);
    if (!std::isfinite(number)) return false;
  }
  return true;
}

void check_value(const cmi_dicom_element &element, const Type &type) {
  if (element.count > 0 && element.bytes == nullptr) refuse(element, "has no value");
  if (element.count % 2 != 0 || element.count % type.unit != 0) {
    refuse(element, "has a length that its type does not allow");
  }
  if (element.count > (type.is_long ? (size_t)UINT32_MAX - 1 : (size_t)UINT16_MAX - 1)) refuse(element, "is too long");
  if (type.is_real && !(type.unit == 8 ? all_finite<double>(element) : all_finite<float>(element))) {
    refuse(element, "holds numbers that are not finite");
  }
  const bool is_bytes = type.type == gdcm::VR::OB || type.type == gdcm::VR::OW;
  if ((element.tag == tag_pixels && !is_bytes) || (element.tag == tag_float_pixels && type.type != gdcm::VR::OF)) {
    refuse(element, "is of another type than pixels are");
  }
}

struct Cursor {
  const cmi_dicom_element *next;
  const cmi_dicom_element *end;
};

uint32_t add(gdcm::DataSet &data_set, Cursor &cursor, uint32_t last, int depth);

gdcm::DataElement sequence(const cmi_dicom_element &element, Cursor &cursor, int depth) {
  if (depth > deepest) refuse(element, "is nested too deeply");
  gdcm::SmartPointer<gdcm::SequenceOfItems> items = new gdcm::SequenceOfItems;
  items->SetLengthToUndefined();
  for (size_t index = 0; index < element.count; index++) {
    if (cursor.next == cursor.end || cursor.next->tag != tag_item) refuse(element, "lacks items");
    const size_t count = (cursor.next++)->count;
    gdcm::Item item;
    item.SetVLToUndefined();
    for (size_t part = 0, last = 0; part < count; part++) {
      if (cursor.next == cursor.end) refuse(element, "lacks elements of an item");
      last = add(item.GetNestedDataSet(), cursor, (uint32_t)last, depth + 1);
    }
    items->AddItem(item);
  }
  gdcm::DataElement result(gdcm::Tag(element.tag));
  result.SetVR(gdcm::VR::SQ);
  result.SetValue(*items);
  result.SetVLToUndefined();
  return result;
}

// Adds the next element to a data set, with what is nested in it; its tag must follow `last`. Returns its tag.
uint32_t add(gdcm::DataSet &data_set, Cursor &cursor, uint32_t last, int depth) {
  const cmi_dicom_element &element = *cursor.next++;
  const uint32_t group = element.tag >> 16;
  if (group < 8 || group % 2 != 0 || group == 0xFFFE || (element.tag & 0xFFFF) == 0) refuse(element, "cannot be written");
  if (element.tag <= last) refuse(element, "is out of order");
  const Type &type = type_of(element);
  if (type.type == gdcm::VR::SQ) {
    data_set.Insert(sequence(element, cursor, depth));
  } else {
    check_value(element, type);
    gdcm::DataElement value(gdcm::Tag(element.tag));
    value.SetVR(type.type);
    value.SetByteValue((const char *)element.bytes, gdcm::VL((uint32_t)element.count));
    data_set.Insert(value);
  }
  return element.tag;
}

void write(const char *path, const cmi_dicom_element *elements, size_t count) {
  silence();
  static std::once_flag once;
  std::call_once(once, [] { gdcm::FileMetaInformation::SetSourceApplicationEntityTitle("NORMA"); });
  gdcm::Writer writer;
  gdcm::File &file = writer.GetFile();
  Cursor cursor = {elements, elements + count};
  for (uint32_t last = 0; cursor.next != cursor.end;) last = add(file.GetDataSet(), cursor, last, 0);
  for (const uint32_t tag : {0x00080016u, 0x00080018u}) {
    if (!file.GetDataSet().FindDataElement(gdcm::Tag(tag)) ||
        file.GetDataSet().GetDataElement(gdcm::Tag(tag)).IsEmpty()) {
      throw DicomFailure(CMI_UNSUPPORTED, "its class or its UID is missing");
    }
  }
  file.GetHeader().SetDataSetTransferSyntax(gdcm::TransferSyntax::ExplicitVRLittleEndian);
  errno = 0;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  if (!stream) throw DicomFailure(CMI_NOT_WRITABLE, strerror(errno));
  writer.SetStream(stream);
  const bool is_written = writer.Write();
  stream.close();
  if (!is_written || stream.fail()) {
    throw DicomFailure(CMI_NOT_WRITABLE, errno != 0 ? strerror(errno) : "the file cannot be written");
  }
}

}  // namespace

cmi_status cmi_write_dicom(const char *path, const cmi_dicom_element *elements, size_t count, char *message) {
  return guarded(message, [&] {
    try {
      write(path, elements, count);
    } catch (const gdcm::Exception &) {
      throw DicomFailure(CMI_NOT_WRITABLE, "GDCM fails");
    }
  });
}
