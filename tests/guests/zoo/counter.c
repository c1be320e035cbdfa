// The resource `counter` of interface `kinds`; see zoo.wit. Its representation is a pointer to its number.

#include "canonical.h"

#define KINDS(name) EXPORT("guests:zoo/kinds@0.3.1#" name)
#define HANDLES(name) __attribute__((import_module("[export]guests:zoo/kinds@0.3.1"), import_name(name)))

HANDLES("[resource-new]counter") int32_t counter_new(uint32_t *counter);
HANDLES("[resource-rep]counter") uint32_t *counter_rep(int32_t handle);
HANDLES("[resource-drop]counter") void counter_drop(int32_t handle);

static uint32_t live;

KINDS("[constructor]counter")
int32_t counter_create(uint32_t start) {
  uint32_t *counter = allocate(1, sizeof *counter);
  *counter = start;
  live++;
  return counter_new(counter);
}

KINDS("[dtor]counter")
void counter_destroy(uint32_t *counter) {
  live--;
  release(counter, 1);
}

KINDS("[method]counter.value")
uint32_t counter_value(uint32_t *counter) { return *counter; }

KINDS("[method]counter.add")
uint32_t counter_add(uint32_t *counter, uint32_t amount) { return *counter += amount; }

// The owned handle comes as such; the borrowed one, being of a resource of the guest's own, as its representation.
KINDS("[static]counter.join")
int32_t counter_join(int32_t first, uint32_t *second) {
  uint32_t sum = *counter_rep(first) + *second;
  counter_drop(first);
  return counter_create(sum);
}

KINDS("live-counters")
uint32_t live_counters(void) { return live; }
