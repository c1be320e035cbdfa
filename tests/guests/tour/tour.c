// The tour in C: what a command does with its surroundings. tests/guests/tour/tour.wit says what each word does.
//
// Built as a preview 1 command and, through the adapter, as a component that exports wasi:cli/run.

#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failed(const char *what) {
    fprintf(stderr, "tour: %s: %s\n", what, strerror(errno));
    return 1;
}

static int arguments(int count, char **words) {
    for (int i = 0; i < count; i++) puts(words[i]);
    return 0;
}

static int environment(int count, char **names) {
    for (int i = 0; i < count; i++) {
        const char *value = getenv(names[i]);
        printf(value ? "%s=%s\n" : "%s is not set\n", names[i], value);
    }
    return 0;
}

static int upper(void) {
    static char line[65536];
    while (fgets(line, sizeof line, stdin)) {
        for (char *at = line; *at; at++) *at = (char)toupper((unsigned char)*at);
        fputs(line, stdout);
        fflush(stdout);
    }
    return 0;
}

static int copy(const char *from, const char *to) {
    static char part[65536];
    FILE *source = fopen(from, "rb");
    if (!source) return failed(from);
    FILE *target = fopen(to, "wb");
    if (!target) return failed(to);
    for (size_t count; (count = fread(part, 1, sizeof part, source));)
        if (fwrite(part, 1, count, target) < count) return failed(to);
    fclose(source);
    return fclose(target) ? failed(to) : 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int list(const char *path) {
    char *names[1000];
    size_t count = 0;
    DIR *directory = opendir(path);
    if (!directory) return failed(path);
    for (struct dirent *entry; count < 1000 && (entry = readdir(directory));)
        if (entry->d_name[0] != '.') names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) puts(names[i]);
    return 0;
}

static int pause_for(long milliseconds) {
    struct timespec before, after, length = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&length, 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long passed = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    puts(passed >= milliseconds ? "slept" : "woke too early");
    return 0;
}

static int spin(void) {
    puts("ready");
    fflush(stdout);
    for (volatile unsigned turns = 0;; turns++) {}
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "", *a = count > 2 ? words[2] : "", *b = count > 3 ? words[3] : "";
    if (!strcmp(word, "arguments")) return arguments(count - 2, words + 2);
    if (!strcmp(word, "environment")) return environment(count - 2, words + 2);
    if (!strcmp(word, "upper")) return upper();
    if (!strcmp(word, "copy")) return copy(a, b);
    if (!strcmp(word, "list")) return list(a);
    if (!strcmp(word, "remove")) return remove(a) ? failed(a) : 0;
    if (!strcmp(word, "sleep")) return pause_for(atol(a));
    if (!strcmp(word, "exit")) exit(atoi(a));
    if (!strcmp(word, "crash")) abort();
    if (!strcmp(word, "spin")) return spin();
    fprintf(stderr, "tour: what is '%s'?\n", word);
    return 2;
}
