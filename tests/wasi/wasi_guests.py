"""Guests for these tests: core modules whose imports are WASI 0.2 by the shipped WIT, and preview 1 in the raw.

In: module text. Out: what `load` takes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from wippywasm.wasi.preview1.signatures import SIGNATURES
from wippywasm.wit import host_wit_path

PACKAGES = ("io", "clocks", "cli", "random", "filesystem", "sockets")


def world(items: str, version: str = "0.2.12") -> str:
    """WIT text of a world with those imports and exports; `{v}` in them is `version`, which WASI has there."""
    return f"package test:guest;\nworld w {{ {items.format(v=version)} }}\n" + "\n".join(
        nested(name).replace("0.2.12", version) for name in PACKAGES
    )


def nested(name: str) -> str:
    """A shipped package in the form that stands within another file."""
    text = (host_wit_path() / "deps" / f"wasi-{name}.wit").read_text()
    header = re.search(r"^package ([^;]+);", text, re.MULTILINE)
    assert header is not None
    stable = re.sub(r"@unstable\([^)]*\)", "", text[header.end() :])
    return f"package {header[1]} {{\n{stable}\n}}"


ALLOCATOR = """
  (memory (export "memory") 2) (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
"""
"""A memory, and an allocator that never frees."""


def preview1_module() -> str:
    """A module that exports every function of preview 1 under its own name; and `peek`, `poke`, `memory_grow`."""
    imports = "\n".join(
        f'(import "wasi_snapshot_preview1" "{name}" (func ${name} {_type(name)}))' for name in SIGNATURES
    )
    calls = "\n".join(
        f'(func (export "{name}") {_type(name)} '
        f"{' '.join(f'(local.get {i})' for i in range(len(SIGNATURES[name].params)))} (call ${name}))"
        for name in SIGNATURES
    )
    return f"""(module {imports} (memory (export "memory") 2) {calls}
      (func (export "peek") (param i32) (result i64) (i64.load (local.get 0)))
      (func (export "poke") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
      (func (export "memory_grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


def _type(name: str) -> str:
    t = SIGNATURES[name]
    return f"(param {' '.join(t.params)}) (result {' '.join(t.results)})"


class Caller(Protocol):
    """Calls an export of a preview 1 module."""

    def __call__(self, name: str, /, *args: int) -> Any: ...


OK = 0
"""What a call of preview 1 gives where it works."""


class Raw:
    """Preview 1 as a program sees it: calls by name, and the memory."""

    def __init__(self, call: Caller) -> None:
        self.call = call

    def write(self, pointer: int, data: bytes) -> None:
        padded = data + self.read(pointer + len(data), -len(data) % 8)
        for i, (word,) in enumerate(struct.iter_unpack("<q", padded)):
            self.call("poke", pointer + 8 * i, word)

    def read(self, pointer: int, length: int) -> bytes:
        words = (self.call("peek", pointer + i) for i in range(0, length, 8))
        return b"".join(struct.pack("<q", word) for word in words)[:length]

    def u32(self, pointer: int) -> int:
        return int.from_bytes(self.read(pointer, 4), "little")

    def u64(self, pointer: int) -> int:
        return int.from_bytes(self.read(pointer, 8), "little")

    def path(self, text: str | bytes, at: int = 1000) -> tuple[int, int]:
        """Put a path into memory; its pointer and length."""
        data = text.encode() if isinstance(text, str) else text
        self.write(at, data)
        return at, len(data)

    def vector(self, *buffers: tuple[int, int], at: int = 40) -> tuple[int, int]:
        """Put a list of buffers into memory; its pointer and length."""
        self.write(at, b"".join(struct.pack("<II", *b) for b in buffers))
        return at, len(buffers)


Start: TypeAlias = Callable[..., Raw]
"""The fixture that starts one, with the options of `Wasi`."""


def opened(guest: Raw, path: str, *, rights: int = 2 | 64, oflags: int = 0, fdflags: int = 0) -> int:
    """Open a path below the first mount; its descriptor."""
    assert guest.call("path_open", 3, 0, *guest.path(path), oflags, rights, 0, fdflags, 0) == OK
    return guest.u32(0)


def subscription(userdata: int, tag: int, subject: int, timeout: int = 0, flags: int = 0) -> bytes:
    """One of `poll_oneoff`: `tag` is 0 for a clock, 1 for reading, 2 for writing."""
    return struct.pack("<QB7xI4xQ8xH6x", userdata, tag, subject, timeout, flags)
