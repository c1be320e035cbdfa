"""Compiled code on disk, kept between runs.

In: a key and bytes. Out: the same bytes later, or None. A cache that can't be read or written costs time, no more.

Whoever can write here can run code in this process, so nothing is believed that another user could have written: the
directory and every entry must belong to this user and be writable by nobody else, and an entry starts with a digest
over its key and content. `WIPPYWASM_CACHE_DIR` names the directory, `WIPPYWASM_CACHE=0` turns the cache off.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from wippywasm.dataclass import dataclass

MAGIC = b"wippywasm 2\n"
MAX_BYTES = 1 << 30
"""When the entries together are larger, those used longest ago go first."""
KEEP = 0.8
"""How much of `MAX_BYTES` is left after that, so that not every write cleans up."""
_UNFINISHED = ".new-"
ABANDONED = 600.0
"""Seconds without a write after which the process that writes an entry must have ended: by a signal, say."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def default_directory() -> Path | None:
    """Where the environment wants the cache, else the user's own cache folder; None when it is turned off."""
    if os.environ.get("WIPPYWASM_CACHE") == "0":
        return None
    chosen = os.environ.get("WIPPYWASM_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "wippywasm"
    except RuntimeError:  # no home
        return None


def entry_key(content: bytes, settings: Iterable[str]) -> str:
    """The name of an entry: everything that its bytes depend on, this machine's processor included."""
    digest = hashlib.sha256()
    for part in (*settings, platform.system(), platform.machine(), _processor()):
        digest.update(f"{len(part)}:{part};".encode())
    digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _processor() -> str:
    """What tells one machine's instruction set from another's."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    return next((line for line in text.splitlines() if line.lower().startswith(("flags", "features"))), "")


_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""A pipe in the place of an entry must not hold us up."""


@dataclass(frozen=True)
class DiskCache:
    """The entries of one directory. Safe for several threads and processes at once."""

    directory: Path
    max_bytes: int = MAX_BYTES

    def load(self, key: str) -> bytes | None:
        """The content stored under `key`, if it is there, is ours, and is whole."""
        path = self.directory / key
        try:
            if not self._trusted_directory():
                return None
            with open(os.open(path, _FLAGS), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or not _only_ours(status):
                    return None
                data = file.read()
            content = _unseal(key, data)
            if content is not None:
                os.utime(path)
        except OSError:
            return None
        return content

    def store(self, key: str, content: bytes) -> bool:
        """Keep `content`, replacing whatever is there; tells whether it could."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted_directory():
                return False
            self._write(key, content)
            self._evict()
        except OSError:
            return False
        return True

    def _write(self, key: str, content: bytes) -> None:
        import tempfile  # for entries that are not there yet

        seal = _seal(key, content)  # takes long: not between the making of a file and its end
        handle, temporary = tempfile.mkstemp(prefix=_UNFINISHED, dir=self.directory)  # created with mode 0600
        try:
            with open(handle, "wb") as file:
                file.write(seal)
                file.write(content)
            os.replace(temporary, self.directory / key)
        except BaseException:
            os.unlink(temporary)
            raise

    def _trusted_directory(self) -> bool:
        return _only_ours(os.stat(self.directory))

    def _evict(self) -> None:
        """Delete what ended processes left, and the entries used longest ago while all together are too large."""
        entries = []
        with os.scandir(self.directory) as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                if entry.name.startswith(_UNFINISHED) and time.time() - status.st_mtime > ABANDONED:
                    os.unlink(entry)
                else:
                    entries.append((status.st_mtime, status.st_size, entry.path))
        total = sum(size for _, size, _ in entries)
        if total <= self.max_bytes:
            return
        for _, size, path in sorted(entries):
            if total <= self.max_bytes * KEEP:
                break
            os.unlink(path)
            total -= size


def _only_ours(status: os.stat_result) -> bool:
    """Whether nobody but this user (and root) can have written there. Where files have no owners, all are ours."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE


def _seal(key: str, content: bytes) -> bytes:
    digest = hashlib.sha256(key.encode())
    digest.update(content)
    return MAGIC + digest.digest()


def _unseal(key: str, data: bytes) -> bytes | None:
    start = len(MAGIC) + hashlib.sha256().digest_size
    content = data[start:]
    return content if data[:start] == _seal(key, content) else None
