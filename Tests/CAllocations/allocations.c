#include "callocations.h"

#include <stdatomic.h>
#include <stddef.h>

// From sanitizer/allocator_interface.h, which is there only with the sanitizer.
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *)) __attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

static _Atomic int64_t held, most;

static void allocated(const volatile void *place, size_t count) {
  (void)place;
  const int64_t now = atomic_fetch_add(&held, (int64_t)count) + (int64_t)count;
  int64_t before = atomic_load(&most);
  while (before < now && !atomic_compare_exchange_weak(&most, &before, now)) {
  }
}

static void freed(const volatile void *place) {
  if (place != NULL) atomic_fetch_sub(&held, (int64_t)__sanitizer_get_allocated_size(place));
}

bool callocations_begin(void) {
  static atomic_bool is_installed;
  if (__sanitizer_install_malloc_and_free_hooks == NULL || __sanitizer_get_allocated_size == NULL) return false;
  if (!atomic_exchange(&is_installed, true)) __sanitizer_install_malloc_and_free_hooks(allocated, freed);
  atomic_store(&held, 0);
  atomic_store(&most, 0);
  return true;
}

int64_t callocations_peak(void) { return atomic_load(&most); }
