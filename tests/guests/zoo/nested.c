// The exports of interface `kinds` whose types nest: options, results, lists; see zoo.wit.

#include "canonical.h"

#define KINDS(name) EXPORT("guests:zoo/kinds@0.3.1#" name)
#define POST(name) EXPORT("cabi_post_guests:zoo/kinds@0.3.1#" name)

// ---------------------------------------------------------------------------------------------- option

typedef struct {
  uint8_t outer;
  uint8_t pad[3];
  uint8_t inner;
  uint32_t value;
} option_t;

_Static_assert(sizeof(option_t) == 12, "canonical layout");

static option_t option;

KINDS("climb")
option_t *climb(uint32_t outer, uint32_t inner, uint32_t value) {
  option = (option_t){.outer = 1, .inner = (uint8_t)outer, .value = inner ? value + 1 : 0};
  return &option;
}

// ---------------------------------------------------------------------------------------------- result

typedef struct {
  uint8_t is_err;
  union {
    uint32_t number;
    string_t text;
  };
} result_t;

_Static_assert(sizeof(result_t) == 12, "canonical layout");

static result_t swapped;

KINDS("swap")
result_t *swap(uint32_t is_err, uint32_t first, uint32_t len) {
  swapped.is_err = !is_err;
  if (is_err)
    swapped.number = first;
  else
    swapped.text = (string_t){(char *)(uintptr_t)first, len};
  return &swapped;
}

POST("swap")
void swap_post(result_t *result) {
  if (result->is_err) release(result->text.ptr, result->text.len);
}

static list_t list;

KINDS("swap-all")
list_t *swap_all(result_t *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) values[i].is_err = !values[i].is_err;
  list = (list_t){values, count};
  return &list;
}

POST("swap-all")
void swap_all_post(list_t *result) {
  result_t *values = result->ptr;
  for (uint32_t i = 0; i < result->len; i++)
    if (!values[i].is_err) release(values[i].text.ptr, values[i].text.len);
  release(values, result->len);
}

KINDS("agree")
uint32_t agree(uint32_t yes) { return !yes; }

// ---------------------------------------------------------------------------------------------- list of lists

static void release_rows(list_t *rows, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) release(rows[i].ptr, rows[i].len);
  release(rows, count);
}

static list_t column(const list_t *rows, uint32_t count, uint32_t index) {
  int32_t *cells = allocate(count, sizeof *cells);
  for (uint32_t i = 0; i < count; i++) cells[i] = ((const int32_t *)rows[i].ptr)[index];
  return (list_t){cells, count};
}

// As wide as the first row; a shorter one traps.
KINDS("transpose")
list_t *transpose(list_t *rows, uint32_t count) {
  uint32_t width = count ? rows[0].len : 0;
  for (uint32_t i = 0; i < count; i++)
    if (rows[i].len < width) __builtin_trap();
  list_t *columns = allocate(width, sizeof *columns);
  for (uint32_t i = 0; i < width; i++) columns[i] = column(rows, count, i);
  release_rows(rows, count);
  list = (list_t){columns, width};
  return &list;
}

POST("transpose")
void transpose_post(list_t *result) { release_rows(result->ptr, result->len); }
