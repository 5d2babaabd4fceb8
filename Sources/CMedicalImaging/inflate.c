#include <limits.h>
#include <zlib.h>

#include "image.h"

static uInt at_most(size_t count) { return count < UINT_MAX ? (uInt)count : UINT_MAX; }

// Decompresses until the stream ends, `*left` bytes of the result are filled, or there is no more to take in.
static int run(z_stream *stream, const uint8_t *bytes, size_t count, uint8_t *result, size_t *left) {
  int state = Z_OK;
  size_t given = 0, filled = 0;
  while (state == Z_OK) {
    const uInt in = at_most(count - given), out = at_most(*left);
    stream->next_in = (Bytef *)(uintptr_t)(bytes + given);  // never written to
    stream->avail_in = in;
    stream->next_out = result + filled;
    stream->avail_out = out;
    state = inflate(stream, Z_NO_FLUSH);
    given += in - stream->avail_in;
    filled += out - stream->avail_out;
    *left -= out - stream->avail_out;
  }
  return state;
}

cmi_status cmi_inflate(
    const uint8_t *bytes, size_t count, uint8_t *result, size_t result_count, uint32_t checksum, char *message) {
  z_stream stream = {0};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return cmi_fail(CMI_NO_MEMORY, message, "decompression");
  size_t left = result_count;
  const int state = run(&stream, bytes, count, result, &left);
  inflateEnd(&stream);
  if (state != Z_STREAM_END || left != 0) return cmi_fail(CMI_CORRUPT, message, "its compressed data are damaged");
  uLong found = crc32(0, NULL, 0);
  for (size_t done = 0; done < result_count;) {
    const uInt taken = at_most(result_count - done);
    found = crc32(found, result + done, taken);
    done += taken;
  }
  if ((uint32_t)found != checksum) return cmi_fail(CMI_CORRUPT, message, "its checksum is another");
  return CMI_OK;
}
