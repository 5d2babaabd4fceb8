// GDCM's JPEG libraries (IJG's, one per sample width) print what they find wrong with a file to standard error, and GDCM lets
// nobody choose another way. They are asked for their error manager by name; where symbols of the program come before those of
// shared libraries, as on Linux, the functions here are found, let the library fill the manager, and take the printing out.
// Elsewhere they are never called. What goes wrong is told by the codec's result in either case.
#include <dlfcn.h>

#include <cstdlib>

namespace {

// The beginning of struct jpeg_error_mgr, the same since release 6b.
struct ErrorManager {
  void (*error_exit)(void *);
  void (*emit_message)(void *, int);
  void (*output_message)(void *);
};

void say_nothing(void *) {}

ErrorManager *quiet(const char *name, ErrorManager *manager) {
  using Filling = ErrorManager *(*)(ErrorManager *);
  auto fill = reinterpret_cast<Filling>(dlsym(RTLD_NEXT, name));
  if (fill == nullptr) std::abort();  // whoever called this linked the library
  ErrorManager *filled = fill(manager);
  filled->output_message = say_nothing;
  return filled;
}

}  // namespace

#define NORMA_QUIET(name)                                                                          \
  extern "C" __attribute__((visibility("default"), used)) ErrorManager *name(ErrorManager *manager) { \
    return quiet(#name, manager);                                                                  \
  }

NORMA_QUIET(gdcmjpeg8_jpeg_std_error)
NORMA_QUIET(gdcmjpeg12_jpeg_std_error)
NORMA_QUIET(gdcmjpeg16_jpeg_std_error)
