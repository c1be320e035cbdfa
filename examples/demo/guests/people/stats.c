// The exports of interface `stats`; see people.wit.

#include "canonical.h"

typedef struct {
  uint32_t count;
  double lowest;
  double highest;
  double mean;
} summary_t;

typedef struct {
  uint8_t is_some;
  summary_t value;
} summary_option_t;

_Static_assert(sizeof(summary_option_t) == 40, "canonical layout");

static summary_option_t summary_result;

static summary_t summary_of(const double *values, uint32_t count) {
  summary_t summary = {count, values[0], values[0], 0};
  for (uint32_t i = 0; i < count; i++) {
    if (values[i] < summary.lowest) summary.lowest = values[i];
    if (values[i] > summary.highest) summary.highest = values[i];
    summary.mean += values[i] / count;
  }
  return summary;
}

EXPORT("demo:people/stats@1.0.0#summarize")
summary_option_t *summarize(double *values, uint32_t count) {
  summary_result.is_some = count > 0;
  if (count) summary_result.value = summary_of(values, count);
  release(values, count);
  return &summary_result;
}

EXPORT("demo:people/stats@1.0.0#total")
int64_t total(int32_t *values, uint32_t count) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += values[i];
  release(values, count);
  return sum;
}
