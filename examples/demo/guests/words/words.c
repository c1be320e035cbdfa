// A core module without libc, WASI or component: its types are in the `wit:` field of the entries that call it.
//
// Memory is handed out from a bump allocator that starts over when a result has been read.

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define PAGE 65536

extern unsigned char __heap_base;
static uintptr_t top = (uintptr_t)&__heap_base;

typedef struct {
  void *ptr;
  uint32_t len;
} list_t;

typedef struct {
  const char *ptr;
  uint32_t len;
} string_t;

static list_t result;

static void make_room(uintptr_t end) {
  uintptr_t size = __builtin_wasm_memory_size(0) * PAGE;
  if (end <= size) return;
  if (__builtin_wasm_memory_grow(0, (end - size + PAGE - 1) / PAGE) == SIZE_MAX) __builtin_trap();
}

static void *allocate(size_t bytes, size_t align) {
  uintptr_t start = (top + align - 1) & ~(uintptr_t)(align - 1);
  if (bytes > UINTPTR_MAX - start - PAGE) __builtin_trap();
  make_room(start + bytes);
  top = start + bytes;
  return (void *)start;
}

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
  char *block = allocate(new_size, align);
  for (size_t i = 0; i < old_size && i < new_size; i++) block[i] = ((char *)old)[i];
  return block;
}

static void start_over(void) { top = (uintptr_t)&__heap_base; }

static char upper(char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; }

// ASCII letters at the starts of words become capitals; other bytes, and so all of UTF-8, stay as they are.
EXPORT("title-case")
list_t *title_case(char *text, uint32_t len) {
  for (uint32_t i = 0; i < len; i++)
    if (i == 0 || text[i - 1] == ' ') text[i] = upper(text[i]);
  result = (list_t){text, len};
  return &result;
}

EXPORT("cabi_post_title-case")
void title_case_post(list_t *unused) {
  (void)unused;
  start_over();
}

// The words between spaces; they point into the text itself.
static uint32_t cut(const char *text, uint32_t len, string_t *words) {
  uint32_t count = 0;
  for (uint32_t start = 0, i = 0; i <= len; i++) {
    if (i < len && text[i] != ' ') continue;
    if (i > start) {
      if (words) words[count] = (string_t){text + start, i - start};
      count++;
    }
    start = i + 1;
  }
  return count;
}

EXPORT("split-words")
list_t *split_words(const char *text, uint32_t len) {
  uint32_t count = cut(text, len, NULL);
  string_t *words = allocate(count * sizeof *words, _Alignof(string_t));
  cut(text, len, words);
  result = (list_t){words, count};
  return &result;
}

EXPORT("cabi_post_split-words")
void split_words_post(list_t *unused) {
  (void)unused;
  start_over();
}

EXPORT("sum-of-squares")
int64_t sum_of_squares(const int32_t *values, uint32_t count) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += (int64_t)values[i] * values[i];
  start_over();
  return sum;
}
