// The canonical ABI as C sees it: how strings and lists lie in memory, and who frees them.
//
// A host puts arguments into memory that it gets from `cabi_realloc`; they are the guest's from then on.
// A result stays the guest's until the host has read it and calls the matching `cabi_post_…`.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct {
  char *ptr;
  uint32_t len;
} string_t;

typedef struct {
  void *ptr;
  uint32_t len;
} list_t;

// Memory for `count` elements of `size` bytes, or a trap. What it gives for nothing is aligned, and never freed.
void *allocate(size_t count, size_t size);

// Frees what holds `len` elements; an empty list owns no memory.
void release(void *ptr, uint32_t len);
