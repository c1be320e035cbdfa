// The guest's allocator, as the canonical ABI calls it.

#include "canonical.h"

#include <stdlib.h>

// Where empty lists point: aligned for every type, and inside the memory.
#define NOWHERE ((void *)16)

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
  (void)align;  // malloc aligns for every type
  if (new_size == 0) return NOWHERE;
  void *block = realloc(old_size ? old : NULL, new_size);
  if (!block) __builtin_trap();
  return block;
}

void *allocate(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) __builtin_trap();
  return cabi_realloc(NULL, 0, 8, bytes);
}

void release(void *ptr, uint32_t len) {
  if (len) free(ptr);
}
