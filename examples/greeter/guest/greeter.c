// The exports of world `greeter`; see greeter.wit.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define EXPORT(name) __attribute__((export_name(name)))

// A string as it lies in memory. Arguments are the guest's to free; a result is read before `cabi_post_…` frees it.
typedef struct {
  char *ptr;
  size_t len;
} string_t;

static string_t result;  // one call is in flight at a time

// ---------------------------------------------------------------------------------------------- memory

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
  if (new_size == 0) return (void *)align;
  void *block = realloc(old_size ? old : NULL, new_size);
  if (!block) __builtin_trap();
  return block;
}

static void free_result(void) {
  if (result.len) free(result.ptr);
  result = (string_t){0};
}

static void append(const char *text, size_t len) {
  if (len == 0) return;
  result.ptr = cabi_realloc(result.ptr, result.len, 1, result.len + len);
  memcpy(result.ptr + result.len, text, len);
  result.len += len;
}

static char *terminated(const char *text, size_t len) {
  char *copy = cabi_realloc(NULL, 0, 1, len + 1);
  memcpy(copy, text, len);
  copy[len] = 0;
  return copy;
}

// ---------------------------------------------------------------------------------------------- exports

EXPORT("greet")
string_t *greet(char *name, size_t len) {
  append("Hello, ", 7);
  append(name, len);
  append("!", 1);
  if (len) free(name);
  return &result;
}

EXPORT("cabi_post_greet")
void post_greet(string_t *text) {
  (void)text;
  free_result();
}

EXPORT("add")
int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

EXPORT("fibonacci")
uint64_t fibonacci(uint32_t n) {
  uint64_t a = 0, b = 1;
  while (n--) {
    uint64_t next = a + b;
    a = b;
    b = next;
  }
  return a;
}

static void say(const char *line) {
  printf("%s\n", line);
  append(line, strlen(line));
  append("\n", 1);
}

// libc's opendir would look for the mounts when an instance starts, whoever calls what: an entry that greets would need the
// imports of one that lists files. So files are asked for here, when they are wanted.

// The mount that a path lies in, and what is left of the path; -1 where there is none.
static int find_mount(char *path, char **rest) {
  __wasi_prestat_t mount;
  for (__wasi_fd_t fd = 3; __wasi_fd_prestat_get(fd, &mount) == 0; fd++) {
    size_t len = mount.u.dir.pr_name_len;
    char name[256];
    if (len >= sizeof name || __wasi_fd_prestat_dir_name(fd, (uint8_t *)name, len) != 0) continue;
    if (strncmp(path, name, len) != 0 || (path[len] && path[len] != '/')) continue;
    *rest = path[len] && path[len + 1] ? path + len + 1 : ".";
    return (int)fd;
  }
  return -1;
}

static void list_entry(__wasi_fd_t folder, const char *name) {
  char line[512];
  __wasi_filestat_t found;
  bool known = __wasi_path_filestat_get(folder, 0, name, &found) == 0;
  const char *kind = !known ? "?" : found.filetype == __WASI_FILETYPE_DIRECTORY ? "dir" : "file";
  snprintf(line, sizeof line, "%-6s %8llu  %s", kind, known ? (unsigned long long)found.size : 0, name);
  say(line);
}

static void list_folder(__wasi_fd_t folder) {
  static uint8_t buffer[8192];
  __wasi_dircookie_t cookie = __WASI_DIRCOOKIE_START;
  for (size_t used = sizeof buffer; used == sizeof buffer;) {
    if (__wasi_fd_readdir(folder, buffer, sizeof buffer, cookie, &used) != 0) return;
    for (size_t at = 0; at + sizeof(__wasi_dirent_t) <= used;) {
      __wasi_dirent_t entry;
      memcpy(&entry, buffer + at, sizeof entry);
      at += sizeof entry;
      if (at + entry.d_namlen > used) break;  // cut off: it comes first in the next buffer
      char *name = terminated((char *)buffer + at, entry.d_namlen);
      if (strcmp(name, ".") && strcmp(name, "..")) list_entry(folder, name);
      free(name);
      at += entry.d_namlen;
      cookie = entry.d_next;
    }
  }
}

EXPORT("list-files")
string_t *list_files(char *ptr, size_t len) {
  char *path = terminated(ptr, len), *rest;
  int mount = find_mount(path, &rest);
  __wasi_fd_t folder;
  if (mount >= 0 && __wasi_path_open(mount, 0, rest, __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR, 0, 0, &folder) == 0) {
    list_folder(folder);
    (void)!__wasi_fd_close(folder);
  } else {
    char line[512];
    snprintf(line, sizeof line, "cannot read %s", path);
    say(line);
  }
  fflush(stdout);
  free(path);
  if (len) free(ptr);
  return &result;
}

EXPORT("cabi_post_list-files")
void post_list_files(string_t *text) {
  (void)text;
  free_result();
}
