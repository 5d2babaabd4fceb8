#include "tiff_file.h"

#include <stdio.h>
#include <string.h>

#if TIFFLIB_VERSION < 20221213
#error "libtiff 4.5 or later is needed: earlier ones report errors through handlers shared by the whole process."
#endif

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t count) {
  tiff_file *file = handle;
  const uint64_t left = file->offset < file->count ? file->count - file->offset : 0;
  const uint64_t taken = count < 0 ? 0 : (uint64_t)count < left ? (uint64_t)count : left;
  if (taken > 0) memcpy(target, file->bytes + file->offset, taken);
  file->offset += taken;
  return (tmsize_t)taken;
}

static tmsize_t write_bytes(thandle_t handle, void *source, tmsize_t count) {
  (void)handle, (void)source, (void)count;
  return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  tiff_file *file = handle;
  const uint64_t start = whence == SEEK_CUR ? file->offset : whence == SEEK_END ? file->count : 0;
  file->offset = start + offset;
  return file->offset;
}

static int close_nothing(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size(thandle_t handle) { return ((tiff_file *)handle)->count; }

// Keeps the first reason: later ones are its consequences.
static int on_error(TIFF *tiff, void *user_data, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)module;
  tiff_file *file = user_data;
  if (!file->failed) vsnprintf(file->message, CMI_MESSAGE_CAPACITY, format, arguments);
  file->failed = true;
  return 1;
}

static int on_warning(TIFF *tiff, void *user_data, const char *module, const char *format, va_list arguments) {
  const tiff_file *file = user_data;
  return file->reading_pixels ? on_error(tiff, user_data, module, format, arguments) : 1;
}

TIFF *cmi_tiff_open(tiff_file *file) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (options == NULL) {
    snprintf(file->message, CMI_MESSAGE_CAPACITY, "no memory");
    file->failed = true;
    return NULL;
  }
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, file);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, file);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)CMI_MAXIMUM_SAMPLES * (tmsize_t)sizeof(float));
  TIFF *tiff = TIFFClientOpenExt(
      "image", "rm", file, read_bytes, write_bytes, seek, close_nothing, size, NULL, NULL, options);
  TIFFOpenOptionsFree(options);
  return tiff;
}
