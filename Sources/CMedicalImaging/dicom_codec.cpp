// Compressed frames, through GDCM's codecs. GDCM's Debian build ends the program by assertion where a header does not fit
// its image, so what a compressed image says of itself is compared with the header before.
#include "dicom_codec.h"

#include <gdcmFragment.h>
#include <gdcmImage.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmTrace.h>

#include <cstring>
#include <mutex>

namespace norma {

namespace {

const std::string uncompressed = "1.2.840.10008.1.2";
const std::string jpeg_family = "1.2.840.10008.1.2.4.";

struct Syntax {
  const char *ending;  // after jpeg_family
  const char *name;
  Compression compression;  // none: not read
};

const Syntax syntaxes[] = {
    {"50", "JPEG Baseline", Compression::jpeg},
    {"51", "JPEG Extended", Compression::jpeg},
    {"57", "JPEG Lossless", Compression::jpeg},
    {"70", "JPEG Lossless SV1", Compression::jpeg},
    {"80", "JPEG-LS Lossless", Compression::jpeg_ls},
    {"81", "JPEG-LS Near-Lossless", Compression::jpeg_ls},
    {"90", "JPEG 2000 Lossless", Compression::jpeg_2000},
    {"91", "JPEG 2000", Compression::jpeg_2000},
    {"92", "JPEG 2000 Part 2 Lossless", Compression::none},
    {"93", "JPEG 2000 Part 2", Compression::none},
    {"94", "JPIP Referenced", Compression::none},
    {"95", "JPIP Referenced Deflate", Compression::none},
    {"100", "MPEG2 Main Level", Compression::none},
    {"101", "MPEG2 High Level", Compression::none},
    {"102", "MPEG-4 AVC/H.264 High Profile", Compression::none},
    {"103", "MPEG-4 AVC/H.264 BD-compatible", Compression::none},
    {"104", "MPEG-4 AVC/H.264 for 2D video", Compression::none},
    {"105", "MPEG-4 AVC/H.264 for 3D video", Compression::none},
    {"106", "MPEG-4 AVC/H.264 Stereo", Compression::none},
    {"107", "HEVC/H.265 Main", Compression::none},
    {"108", "HEVC/H.265 Main 10", Compression::none},
    {"110", "JPEG XL Lossless", Compression::none},
    {"111", "JPEG XL JPEG Recompression", Compression::none},
    {"112", "JPEG XL", Compression::none},
    {"201", "High-Throughput JPEG 2000 Lossless", Compression::none},
    {"202", "High-Throughput JPEG 2000 RPCL Lossless", Compression::none},
    {"203", "High-Throughput JPEG 2000", Compression::none},
};

// What a compressed image says of itself.
struct Stream {
  uint32_t columns, rows, samples, bits;
};

[[noreturn]] void damaged(const std::string &reason) { throw DicomFailure(CMI_CORRUPT, reason); }

uint32_t word(const std::vector<uint8_t> &bytes, size_t place) { return read_number(bytes.data() + place, 2, true); }
uint32_t quad(const std::vector<uint8_t> &bytes, size_t place) { return read_number(bytes.data() + place, 4, true); }

// Whether a segment of JPEG holds nothing that decoding needs: an application's, or a comment.
bool is_aside(uint32_t marker) { return (marker >= 0xFFE0 && marker <= 0xFFEF) || marker == 0xFFFE; }

// The frame header of JPEG (ITU-T T.81, B.2.2) or JPEG-LS (T.87, C.2.2). All goes to `plain` but the segments of
// applications, which may tell of colours in ways that GDCM ends the program for.
Stream jpeg_header(const std::vector<uint8_t> &bytes, std::vector<uint8_t> *plain) {
  Stream stream = {};
  if (bytes.size() < 4 || word(bytes, 0) != 0xFFD8) damaged("a compressed frame is no JPEG image");
  plain->assign(bytes.begin(), bytes.begin() + 2);
  for (size_t place = 2; place + 10 <= bytes.size();) {
    const uint32_t marker = word(bytes, place);
    if (marker == 0xFFFF) {
      place += 1;  // fill
      continue;
    }
    const size_t length = 2 + word(bytes, place + 2);
    if (marker < 0xFFC0 || length < 4 || length > bytes.size() - place) break;
    if (marker == 0xFFDA) {
      plain->insert(plain->end(), bytes.begin() + (long)place, bytes.end());
      if (stream.columns == 0) break;
      return stream;
    }
    const bool is_frame = marker == 0xFFF7 || (marker >= 0xFFC0 && marker <= 0xFFCF && marker != 0xFFC4 &&
                                               marker != 0xFFC8 && marker != 0xFFCC);
    if (is_frame) stream = {word(bytes, place + 7), word(bytes, place + 5), bytes[place + 9], bytes[place + 4]};
    const auto begin = bytes.begin() + (long)place;
    if (!is_aside(marker)) plain->insert(plain->end(), begin, begin + (long)length);
    place += length;
  }
  damaged("a compressed frame has no complete JPEG header");
}

// The size segment of JPEG 2000 (ITU-T T.800, A.5.1), of a bare code stream or one in a JP2 file.
Stream jpeg_2000_header(const std::vector<uint8_t> &bytes) {
  for (size_t place = 0; place + 44 <= bytes.size() && place < 4096; place++) {
    if (quad(bytes, place) != 0xFF4FFF51) continue;
    const uint32_t samples = word(bytes, place + 40), bits = (bytes[place + 42] & 0x7F) + 1u;
    const uint32_t right = quad(bytes, place + 8), bottom = quad(bytes, place + 12);
    const uint32_t left = quad(bytes, place + 16), top = quad(bytes, place + 20);
    if (left >= right || top >= bottom) damaged("a compressed frame has no pixels");
    return {right - left, bottom - top, samples, bits};
  }
  damaged("a compressed frame is no JPEG 2000 image");
}

// Whether the end marker stands within the last bytes, behind which there may be padding.
void check_end(const std::vector<uint8_t> &bytes) {
  const size_t first = bytes.size() > 64 ? bytes.size() - 64 : 0;
  for (size_t place = bytes.size() - 1; place > first; place--) {
    if (bytes[place - 1] == 0xFF && bytes[place] == 0xD9) return;
  }
  damaged("a compressed frame ends early");
}

void check_stream(const Stream &stream, const PixelLayout &layout) {
  if (stream.columns != layout.columns || stream.rows != layout.rows || stream.samples != layout.samples) {
    damaged(
        "a compressed frame has " + std::to_string(stream.columns) + " x " + std::to_string(stream.rows) +
        " pixels of " + std::to_string(stream.samples) + " samples where the header declares " +
        std::to_string(layout.columns) + " x " + std::to_string(layout.rows) + " of " + std::to_string(layout.samples));
  }
  if (stream.bits < 1 || stream.bits > layout.bits_allocated) {
    damaged(
        "a compressed frame has " + std::to_string(stream.bits) + " bits where the header allocates " +
        std::to_string(layout.bits_allocated));
  }
}

// What makes GDCM leave colours as they are stored.
gdcm::PhotometricInterpretation photometric(const PixelLayout &layout) {
  if (layout.samples == 1) return gdcm::PhotometricInterpretation::MONOCHROME2;
  return layout.photometric.rfind("YBR_FULL", 0) == 0 ? gdcm::PhotometricInterpretation::YBR_FULL
                                                       : gdcm::PhotometricInterpretation::RGB;
}

}  // namespace

void silence() {
  static std::once_flag once;
  std::call_once(once, [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
  });
}

Compression compression(const std::string &transfer_syntax) {
  if (transfer_syntax == uncompressed || transfer_syntax == uncompressed + ".1" ||
      transfer_syntax == uncompressed + ".1.99" || transfer_syntax == uncompressed + ".2") {
    return Compression::none;
  }
  if (transfer_syntax == uncompressed + ".5") return Compression::rle;
  std::string name = "transfer syntax " + transfer_syntax;
  if (transfer_syntax.rfind(jpeg_family, 0) == 0) {
    for (const Syntax &syntax : syntaxes) {
      if (transfer_syntax.compare(jpeg_family.size(), std::string::npos, syntax.ending) != 0) continue;
      if (syntax.compression != Compression::none) return syntax.compression;
      name = std::string(syntax.name) + " (" + name + ")";
    }
  }
  throw DicomFailure(
      CMI_UNSUPPORTED, "its pixels are compressed as " + name + "; convert it to one that is not compressed");
}

Frame decode_frame(
    Compression compression, const std::string &transfer_syntax, const std::vector<uint8_t> &bytes,
    const PixelLayout &layout) {
  silence();
  std::vector<uint8_t> plain;
  const Stream stream = compression == Compression::jpeg_2000 ? jpeg_2000_header(bytes) : jpeg_header(bytes, &plain);
  check_stream(stream, layout);
  check_end(bytes);
  const uint32_t width = stream.bits <= 8 ? 1 : stream.bits <= 16 ? 2 : 4;
  gdcm::Image image;
  image.SetNumberOfDimensions(2);
  image.SetDimension(0, layout.columns);
  image.SetDimension(1, layout.rows);
  image.SetPixelFormat(gdcm::PixelFormat(
      (uint16_t)layout.samples, (uint16_t)(8 * width), (uint16_t)stream.bits, (uint16_t)(stream.bits - 1),
      layout.is_signed));
  image.SetPlanarConfiguration(0);
  image.SetPhotometricInterpretation(photometric(layout));
  image.SetTransferSyntax(gdcm::TransferSyntax::GetTSType(transfer_syntax.c_str()));

  gdcm::Fragment fragment;
  const std::vector<uint8_t> &content = compression == Compression::jpeg ? plain : bytes;
  fragment.SetByteValue((const char *)content.data(), (uint32_t)content.size());
  gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = new gdcm::SequenceOfFragments;
  fragments->AddFragment(fragment);
  gdcm::DataElement element(gdcm::Tag(0x7FE0, 0x0010));
  element.SetVR(gdcm::VR::OB);
  element.SetValue(*fragments);
  image.SetDataElement(element);

  Frame frame = {std::vector<uint8_t>(layout.frame_samples() * width), width};
  if (image.GetBufferLength() != frame.bytes.size() || !image.GetBuffer((char *)frame.bytes.data())) {
    damaged("a compressed frame cannot be decoded");
  }
  return frame;
}

}  // namespace norma
