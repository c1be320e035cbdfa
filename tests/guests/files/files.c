// One file operation, named by the arguments: prints what came of it, or the name of the error.
//
// Built as a preview 1 command and, through the adapter, as a component that exports wasi:cli/run.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *error_name(int error) {
    switch (error) {
    case EACCES: return "EACCES";
    case EBADF: return "EBADF";
    case EEXIST: return "EEXIST";
    case EINVAL: return "EINVAL";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENOENT: return "ENOENT";
    case ENOTCAPABLE: return "ENOTCAPABLE";
    case ENOTDIR: return "ENOTDIR";
    case ENOTEMPTY: return "ENOTEMPTY";
    case EPERM: return "EPERM";
    case EROFS: return "EROFS";
    case EXDEV: return "EXDEV";
    default: return strerror(error);
    }
}

static int finish(int result) {
    puts(result < 0 ? error_name(errno) : "ok");
    return 0;
}

static int cat(const char *path) {
    static char buffer[65536];
    int fd = open(path, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
    if (count < 0) return finish(-1);
    fwrite(buffer, 1, (size_t)count, stdout);
    puts("");
    return 0;
}

static int put(const char *path, const char *text, int flags) {
    int fd = open(path, O_WRONLY | flags, 0666);
    return finish(fd < 0 ? -1 : (int)write(fd, text, strlen(text)));
}

static int show(const char *path, int (*look)(const char *, struct stat *)) {
    struct stat s;
    if (look(path, &s) < 0) return finish(-1);
    const char *kind = S_ISDIR(s.st_mode) ? "directory" : S_ISREG(s.st_mode) ? "file" : S_ISLNK(s.st_mode) ? "link" : "other";
    printf("%s %d\n", kind, S_ISDIR(s.st_mode) ? 0 : (int)s.st_size);
    return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int list(const char *path) {
    char *names[1000];
    size_t count = 0;
    DIR *directory = opendir(path);
    if (!directory) return finish(-1);
    for (struct dirent *entry; count < 1000 && (entry = readdir(directory));)
        if (entry->d_name[0] != '.') names[count++] = strdup(entry->d_name);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) printf(i ? " %s" : "%s", names[i]);
    puts("");
    return 0;
}

static int show_link(const char *path) {
    char target[4096];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return finish(-1);
    target[length] = 0;
    puts(target);
    return 0;
}

static int seek(const char *path) {
    char part[4] = {0};
    int fd = open(path, O_RDWR);
    if (fd < 0 || lseek(fd, -4, SEEK_END) < 0 || read(fd, part, 3) < 0) return finish(-1);
    printf("%s %d\n", part, (int)lseek(fd, 0, SEEK_CUR));
    return 0;
}

static void say(const char *what, long long result) {
    if (result < 0) printf("%s: %s\n", what, error_name(errno));
    else printf("%s: %lld\n", what, result);
}

static int seeks(const char *path) {
    char part[8] = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    say("write", write(fd, "0123456789", 10));
    say("before the start", lseek(fd, -1, SEEK_SET));
    say("from the end", lseek(fd, -3, SEEK_END));
    say("read", read(fd, part, 8));
    say("at the end", read(fd, part, 8));
    say("back", lseek(fd, -5, SEEK_CUR));
    say("far", lseek(fd, 20, SEEK_SET));
    say("write far", write(fd, "x", 1));
    say("pread", pread(fd, part, 4, 8));
    say("size", lseek(fd, 0, SEEK_END));
    say("shorter", ftruncate(fd, 4));
    say("position stays", lseek(fd, 0, SEEK_CUR));
    printf("%s %d\n", part, part[2] == 0 && part[3] == 0);
    say("close", close(fd));
    say("close again", close(fd));
    say("read closed", read(fd, part, 1));
    say("write closed", write(fd, part, 1));
    return 0;
}

static int unlinked(const char *path) {
    char part[8] = {0};
    struct stat s;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    say("unlink", unlink(path));
    say("gone", stat(path, &s));
    say("write", write(fd, "still", 5));
    say("seek", lseek(fd, 0, SEEK_SET));
    say("read", read(fd, part, 8));
    say("stat", fstat(fd, &s));
    printf("%s %d\n", part, (int)s.st_size);
    say("close", close(fd));
    return 0;
}

static int moved(const char *from, const char *to) {
    char part[8] = {0};
    int fd = open(from, O_RDWR | O_CREAT | O_TRUNC, 0666);
    say("rename", rename(from, to));
    say("write", write(fd, "moved", 5));
    say("old name", open(from, O_RDONLY));
    int second = open(to, O_RDONLY);
    say("read", read(second, part, 8));
    say("write what is read-only", write(second, part, 1));
    puts(part);
    say("close", close(fd) + close(second));
    return 0;
}

static int cookies(const char *path) {
    long places[100];
    char *names[100];
    size_t count = 0, same = 0;
    DIR *directory = opendir(path);
    if (!directory) return finish(-1);
    for (struct dirent *entry; count < 100; count++) {
        places[count] = telldir(directory);
        if (!(entry = readdir(directory))) break;
        names[count] = strdup(entry->d_name);
    }
    for (size_t i = count; i-- > 0;) {
        seekdir(directory, places[i]);
        struct dirent *entry = readdir(directory);
        same += entry && !strcmp(entry->d_name, names[i]);
    }
    rewinddir(directory);
    printf("%d %d %d\n", (int)count, (int)same, readdir(directory) != 0);
    return 0;
}

static int times(const char *path) {
    struct stat s;
    struct timespec given[2] = {{1000, 5}, {2000000000, 7}};
    say("set", utimensat(AT_FDCWD, path, given, 0));
    say("stat", stat(path, &s));
    printf("%lld.%ld %lld.%ld\n", (long long)s.st_atim.tv_sec, s.st_atim.tv_nsec, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    return 0;
}

static int wrong(const char *folder, const char *file) {
    char part[1];
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    say("read a folder", read(fd, part, 1));
    say("write a folder", write(fd, part, 1));
    say("open a folder to write", open(folder, O_WRONLY));
    say("open a file as a folder", open(file, O_RDONLY | O_DIRECTORY));
    say("list a file", opendir(file) ? 0 : -1);
    say("below a file", openat(fd, "../file.txt/x", O_RDONLY));
    say("sync a folder", fsync(fd));
    say("seek a folder", lseek(fd, 0, SEEK_SET));
    say("number that is none", fsync(77));
    say("write the input", write(0, part, 1));
    say("read the output", read(1, part, 1));
    say("seek the output", lseek(1, 0, SEEK_SET));
    say("empty name", open("", O_RDONLY));
    return 0;
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "", *a = count > 2 ? arguments[2] : "", *b = count > 3 ? arguments[3] : "";
    if (!strcmp(what, "cat")) return cat(a);
    if (!strcmp(what, "write")) return put(a, b, O_CREAT | O_TRUNC);
    if (!strcmp(what, "append")) return put(a, b, O_APPEND);
    if (!strcmp(what, "create")) return put(a, b, O_CREAT | O_EXCL);
    if (!strcmp(what, "truncate")) return finish(truncate(a, atoi(b)));
    if (!strcmp(what, "stat")) return show(a, stat);
    if (!strcmp(what, "lstat")) return show(a, lstat);
    if (!strcmp(what, "list")) return list(a);
    if (!strcmp(what, "mkdir")) return finish(mkdir(a, 0777));
    if (!strcmp(what, "rmdir")) return finish(rmdir(a));
    if (!strcmp(what, "unlink")) return finish(unlink(a));
    if (!strcmp(what, "rename")) return finish(rename(a, b));
    if (!strcmp(what, "link")) return finish(link(a, b));
    if (!strcmp(what, "symlink")) return finish(symlink(a, b));
    if (!strcmp(what, "readlink")) return show_link(a);
    if (!strcmp(what, "touch")) return finish(utimensat(AT_FDCWD, a, 0, 0));
    if (!strcmp(what, "sync")) return finish(fsync(open(a, O_RDWR)));
    if (!strcmp(what, "seek")) return seek(a);
    if (!strcmp(what, "seeks")) return seeks(a);
    if (!strcmp(what, "unlinked")) return unlinked(a);
    if (!strcmp(what, "moved")) return moved(a, b);
    if (!strcmp(what, "cookies")) return cookies(a);
    if (!strcmp(what, "times")) return times(a);
    if (!strcmp(what, "wrong")) return wrong(a, b);
    return 2;
}
