// The exports of interface `kinds` that take and give plain values; see zoo.wit.

#include <string.h>

#include "canonical.h"

#define KINDS(name) EXPORT("guests:zoo/kinds@0.3.1#" name)
#define POST(name) EXPORT("cabi_post_guests:zoo/kinds@0.3.1#" name)

// ---------------------------------------------------------------------------------------------- numbers

KINDS("negate")
uint32_t negate(uint32_t value) { return !value; }

KINDS("next-char")
uint32_t next_char(uint32_t value) { return value + 1; }

typedef struct {
  float a;
  double b;
} halves_t;

static halves_t halves;

KINDS("half")
halves_t *half(float a, double b) {
  halves = (halves_t){a / 2, b / 2};
  return &halves;
}

typedef struct {
  uint8_t a;
  int8_t b;
  uint16_t c;
  int16_t d;
  uint32_t e;
  int32_t f;
  uint64_t g;
  int64_t h;
  float i;
  double j;
  uint8_t k;
  uint32_t l;
} numbers_t;

_Static_assert(sizeof(numbers_t) == 56, "canonical layout");

static numbers_t numbers;

KINDS("negate-all")
numbers_t *negate_all(uint32_t a, int32_t b, uint32_t c, int32_t d, uint32_t e, int32_t f, uint64_t g, int64_t h,
                      float i, double j, uint32_t k, uint32_t l) {
  numbers = (numbers_t){(uint8_t)~a, (int8_t)-b, (uint16_t)~c, (int16_t)-d, ~e, -f, ~g, -h, -i, -j, !k, l ^ 1};
  return &numbers;
}

KINDS("ping")
void ping(void) {}

// One more parameter than is passed in registers: all of them come in memory, which is the guest's to free.
typedef struct {
  uint32_t terms[16];
  uint64_t last;
} many_t;

KINDS("add-many")
uint64_t add_many(many_t *many) {
  uint64_t sum = many->last;
  for (int i = 0; i < 16; i++) sum += many->terms[i];
  release(many, 1);
  return sum;
}

// ---------------------------------------------------------------------------------------------- named cases

enum { NOTHING, CIRCLE, RECTANGLE, LABEL, SERIAL };

typedef struct {
  uint8_t tag;
  union {
    double circle;
    float rectangle[2];
    string_t label;
    uint64_t serial;
  };
} shape_t;

_Static_assert(sizeof(shape_t) == 16, "canonical layout");

static shape_t shape;

static float float_of(uint64_t bits) {
  uint32_t low = (uint32_t)bits;
  float value;
  memcpy(&value, &low, sizeof value);
  return value;
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static string_t twice(char *ptr, uint32_t len) {
  string_t text = {allocate(len, 2), 2 * len};
  memcpy(text.ptr, ptr, len);
  memcpy(text.ptr + len, ptr, len);
  release(ptr, len);
  return text;
}

// The first payload slot is an i64, since the cases join f64, f32, a pointer and u64; the second joins f32 and a length.
KINDS("double")
shape_t *double_shape(uint32_t tag, uint64_t first, uint32_t second) {
  shape.tag = (uint8_t)tag;
  if (tag == CIRCLE) shape.circle = 2 * double_of(first);
  if (tag == LABEL) shape.label = twice((char *)(uintptr_t)first, second);
  if (tag == SERIAL) shape.serial = first + 1;
  if (tag == RECTANGLE) {
    shape.rectangle[0] = 2 * float_of(first);
    shape.rectangle[1] = 2 * float_of(second);
  }
  return &shape;
}

POST("double")
void double_shape_post(shape_t *result) {
  if (result->tag == LABEL) release(result->label.ptr, result->label.len);
}

KINDS("next-color")
uint32_t next_color(uint32_t value) { return (value + 1) % 3; }

KINDS("invert")
uint32_t invert(uint32_t value) { return ~value & 0x1FF; }
