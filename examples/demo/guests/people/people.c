// The exports of world `people` that stand at its root; see people.wit.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canonical.h"

typedef struct {
  uint32_t id;
  string_t name;
  list_t tags;
  bool active;
} user_t;

enum role { VISITOR, MEMBER, ADMIN };

typedef struct {
  uint32_t id;
  string_t display;
  list_t tags;
  uint32_t tag_count;
  uint8_t role;
  bool active;
} profile_t;

typedef struct {
  int32_t dividend;
  int32_t divisor;
  string_t reason;
} division_error_t;

typedef struct {
  uint8_t is_err;
  union {
    int32_t ok;
    division_error_t err;
  };
} division_t;

_Static_assert(sizeof(user_t) == 24 && sizeof(profile_t) == 28 && sizeof(division_t) == 20, "canonical layout");

// One call is in flight at a time, so results can share a place.
static list_t list_result;
static string_t string_result;
static division_t division_result;

static void release_tags(list_t tags) {
  string_t *tag = tags.ptr;
  for (uint32_t i = 0; i < tags.len; i++) release(tag[i].ptr, tag[i].len);
  release(tags.ptr, tags.len);
}

static void release_user(user_t *user) {
  release(user->name.ptr, user->name.len);
  release_tags(user->tags);
}

// ---------------------------------------------------------------------------------------------- numbers

EXPORT("compute")
int32_t compute(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

static const char *division_problem(int32_t a, int32_t b) {
  if (b == 0) return "division by zero";
  if (a == INT32_MIN && b == -1) return "the quotient does not fit";
  return NULL;
}

EXPORT("try-divide")
division_t *try_divide(int32_t a, int32_t b) {
  const char *problem = division_problem(a, b);
  division_result.is_err = problem != NULL;
  if (problem)
    division_result.err = (division_error_t){a, b, format("%s", problem)};
  else
    division_result.ok = a / b;
  return &division_result;
}

EXPORT("cabi_post_try-divide")
void try_divide_post(division_t *result) {
  if (result->is_err) release(result->err.reason.ptr, result->err.reason.len);
}

EXPORT("count-calls")
uint32_t count_calls(void) {
  static uint32_t calls;
  return ++calls;
}

// ---------------------------------------------------------------------------------------------- users

static bool equals(string_t text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

static enum role role_of(const user_t *user) {
  const string_t *tag = user->tags.ptr;
  for (uint32_t i = 0; i < user->tags.len; i++)
    if (equals(tag[i], "admin")) return ADMIN;
  return user->tags.len ? MEMBER : VISITOR;
}

static profile_t profile_of(const user_t *user) {
  return (profile_t){
      .id = user->id,
      .display = format("%.*s (#%u)", (int)user->name.len, user->name.ptr, (unsigned)user->id),
      .tags = user->tags,
      .tag_count = user->tags.len,
      .role = (uint8_t)role_of(user),
      .active = user->active,
  };
}

EXPORT("transform-users")
list_t *transform_users(user_t *users, uint32_t count) {
  profile_t *profiles = allocate(count, sizeof *profiles);
  for (uint32_t i = 0; i < count; i++) {
    profiles[i] = profile_of(&users[i]);  // the tags move
    release(users[i].name.ptr, users[i].name.len);
  }
  release(users, count);
  list_result = (list_t){profiles, count};
  return &list_result;
}

EXPORT("cabi_post_transform-users")
void transform_users_post(list_t *result) {
  profile_t *profiles = result->ptr;
  for (uint32_t i = 0; i < result->len; i++) {
    release(profiles[i].display.ptr, profiles[i].display.len);
    release_tags(profiles[i].tags);
  }
  release(profiles, result->len);
}

EXPORT("filter-active")
list_t *filter_active(user_t *users, uint32_t count) {
  user_t *kept = allocate(count, sizeof *kept);
  uint32_t active = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (users[i].active)
      kept[active++] = users[i];
    else
      release_user(&users[i]);
  }
  release(users, count);
  if (!active) release(kept, count);
  list_result = (list_t){kept, active};
  return &list_result;
}

EXPORT("cabi_post_filter-active")
void filter_active_post(list_t *result) {
  user_t *users = result->ptr;
  for (uint32_t i = 0; i < result->len; i++) release_user(&users[i]);
  release(users, result->len);
}

// ---------------------------------------------------------------------------------------------- echoes

// What came in goes out: the very same memory.
EXPORT("echo")
string_t *echo(char *ptr, uint32_t len) {
  string_result = (string_t){ptr, len};
  return &string_result;
}

EXPORT("cabi_post_echo")
void echo_post(string_t *result) { release(result->ptr, result->len); }

EXPORT("echo-bytes")
list_t *echo_bytes(uint8_t *ptr, uint32_t len) {
  list_result = (list_t){ptr, len};
  return &list_result;
}

EXPORT("cabi_post_echo-bytes")
void echo_bytes_post(list_t *result) { release(result->ptr, result->len); }

EXPORT("echo-numbers")
list_t *echo_numbers(int32_t *ptr, uint32_t len) {
  list_result = (list_t){ptr, len};
  return &list_result;
}

EXPORT("cabi_post_echo-numbers")
void echo_numbers_post(list_t *result) { release(result->ptr, result->len); }

// ---------------------------------------------------------------------------------------------- what goes wrong

__attribute__((noinline, optnone)) static uint32_t descend(uint32_t depth) {
  if (depth == 0) __builtin_trap();
  return descend(depth - 1) + 1;
}

EXPORT("crash")
uint32_t crash(uint32_t depth) { return descend(depth); }

EXPORT("complain")
void complain(char *ptr, uint32_t len) {
  fprintf(stderr, "%.*s\n", (int)len, ptr);
  release(ptr, len);
}
