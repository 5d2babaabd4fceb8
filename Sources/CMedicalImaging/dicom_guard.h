// No exception leaves the shim: what is thrown becomes a status and a message.
#ifndef CMI_DICOM_GUARD_H
#define CMI_DICOM_GUARD_H

#include <cstdio>
#include <exception>
#include <new>

#include "dicom_file.h"

namespace norma {

template <typename Body>
cmi_status guarded(char *message, Body body) noexcept {
  cmi_status status = CMI_OK;
  const char *reason = "";
  try {
    body();
    return CMI_OK;
  } catch (const DicomFailure &failure) {
    snprintf(message, CMI_MESSAGE_CAPACITY, "%s", failure.what());
    return failure.status;
  } catch (const std::bad_alloc &) {
    status = CMI_NO_MEMORY;
    reason = "its pixels";
  } catch (...) {
    status = CMI_CORRUPT;
    reason = "the decoder fails";
  }
  snprintf(message, CMI_MESSAGE_CAPACITY, "%s", reason);
  return status;
}

}  // namespace norma

#endif
