// How much memory a piece of work holds at most, where the address sanitizer tells of each allocation.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

// Begins to count; false, and nothing is counted, where the program was built without the sanitizer.
bool callocations_begin(void);

// The most bytes held at once since callocations_begin, above what was held then. All threads count.
int64_t callocations_peak(void);

#endif
