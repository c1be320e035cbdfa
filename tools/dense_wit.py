"""WIT packages in binary form that are one kind of declaration and nothing else: `python -m tools.dense_wit [KIND]…`.

In: a kind and a size. Out: the bytes of a package of about that size, for tests; run by itself, what reading it takes
of each, and how that compares to what `wippywasm.wit.decode_limits` charges.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial

from tools import dense
from tools.dense import (
    COMPONENT,
    FUNC,
    KINDS,
    RECORD,
    Items,
    Make,
    instance_of,
    label,
    leb,
    prim,
    section,
    text,
    vec,
)
from wippywasm.wit import decode


def in_package(kind: bytes, *before: bytes) -> bytes:
    """A package with the interface or world `x`, whose type is the last of the declarations."""
    sort = b"\5" if kind[0] == 0x42 else b"\4"
    export = b"\4\0" + text("a:b/x") + sort + leb(len(before))
    of_package = b"\x41" + vec([*[b"\1" + b for b in before], b"\1" + kind, export])
    return COMPONENT + section(7, vec([of_package])) + section(11, b"\1\0\1x\3\0\0")


def within(kind: bytes, make: Callable[[int], list[bytes]], head: list[bytes], *before: bytes) -> Make:
    """A package with one interface (0x42) or world (0x41) of as many declarations as the size has room for."""

    def of(size: int) -> bytes:
        parts, left, n = list(head), size, 0
        while left > 0:
            more = make(n)
            parts += more
            left -= sum(map(len, more))
            n += 1
        return in_package(kind + vec(parts), *before)

    return of


def interface(make: Callable[[int], list[bytes]], *head: bytes) -> Make:
    return within(b"\x42", make, list(head))


def world(make: Callable[[int], list[bytes]], *head: bytes) -> Make:
    return within(b"\x41", make, list(head))


def named(make: Items) -> Make:
    """An interface of types, each with a name."""
    return interface(lambda n: [b"\1" + make(n), b"\4\0" + label(n) + b"\3\0" + leb(2 * n)])


def wide(of: Items, part: Items, most: int) -> Make:
    return named(lambda n: of(n) + vec([part(n * most + i) for i in range(most)]))


WIDE_FUNC = b"\x40" + vec([label(k) + prim(k) for k in range(100)]) + b"\1\0"


def path(n: int) -> bytes:
    """The full name of an interface."""
    return text(f"a:b/c{n:x}")


def index(n: int) -> bytes:
    """A type index where a primitive may stand: a signed LEB128."""
    return bytes([n]) if n < 64 else bytes([n & 0x7F | 0x80]) + index(n >> 7)


def documented(part: bytes) -> Make:
    """A package with nothing but documentation."""

    def of(size: int) -> bytes:
        docs = b'{"docs":"' + part * (size // len(part)) + b'"}'
        return in_package(instance_of()) + section(0, text("package-docs") + b"\1" + docs)

    return of


def function(n: int) -> bytes:
    return b"\4\0" + label(n) + b"\1\0"


OF_COMPONENTS = [
    *("records of 10,000", "records of 1", "variants of 1", "enums of 10,000", "enums of 1", "flags of 1"),
    *("tuples of 10,000", "tuples of 1", "lists", "options", "results", "maps", "streams", "primitives"),
    *("functions", "functions of 1", "functions of 1,000", "component types", "component types with both"),
    *("instance types", "instance types with a function", "instance types with a resource"),
    *("instance types with a record", "instance types of functions", "instance types of resources"),
    *("instance types, nested", "instance types of lists"),
    *("custom sections", "custom sections with a name", "empty sections"),
]
"""Kinds of `tools.dense` that a package may have as well."""

PACKAGES: dict[str, Make] = {
    **{kind: KINDS[kind] for kind in OF_COMPONENTS},
    "resources": interface(lambda n: [b"\4\0" + label(n) + b"\3\1"]),
    "names for a record": interface(lambda n: [b"\4\0" + label(n) + b"\3\0\0"], b"\1" + RECORD),
    "named records": named(lambda n: b"\x72\1" + label(n) + prim(n)),
    "named records of 100": wide(lambda n: b"\x72", lambda n: label(n) + prim(n), 100),
    "named variants of 100": wide(lambda n: b"\x71", lambda n: label(n) + b"\0\0", 100),
    "named enums": named(lambda n: b"\x6d\1" + label(n)),
    "named enums of 100": wide(lambda n: b"\x6d", label, 100),
    "named flags": named(lambda n: b"\x6e\1" + label(n)),
    "named tuples": named(lambda n: b"\x6f\1\x7d"),
    "named tuples of 100": wide(lambda n: b"\x6f", prim, 100),
    "named lists": named(lambda n: b"\x70\x7d"),
    "named options": named(lambda n: b"\x6b\x7d"),
    "named results": named(lambda n: b"\x6a\0\0"),
    "named streams": named(lambda n: b"\x66\0"),
    "named primitives": named(prim),
    "functions of one type": interface(lambda n: [function(n)], b"\1" + FUNC),
    "functions of own types": interface(lambda n: [b"\1" + FUNC, b"\4\0" + label(n) + b"\1" + leb(n)]),
    "functions with a parameter": interface(
        lambda n: [b"\1\x40\1" + label(n) + prim(n) + b"\1\0", b"\4\0" + label(n) + b"\1" + leb(n)]
    ),
    "functions of wide types": interface(
        lambda n: [
            b"\1" + WIDE_FUNC,
            b"\4\0" + label(n) + b"\1" + leb(n),
        ]
    ),
    "functions of one wide type": interface(lambda n: [function(n)], b"\1" + WIDE_FUNC),
    "lists that functions use": interface(
        lambda n: [b"\1\x70\x7d", b"\1\x40\1\1a" + index(2 * n) + b"\1\0", b"\4\0" + label(n) + b"\1" + leb(2 * n + 1)]
    ),
    "unused types": interface(lambda n: [b"\1\x7d"]),
    "unused lists": interface(lambda n: [b"\1\x70\x7d"]),
    "unused functions": interface(lambda n: [b"\1" + FUNC]),
    "unused instances": interface(lambda n: [b"\1" + instance_of()]),
    "aliases of resources": interface(lambda n: [b"\4\0" + label(n) + b"\3\0\0"], b"\4\0\1r\3\1"),
    "imported functions": world(lambda n: [b"\3\0" + label(n) + b"\1\0"], b"\1" + FUNC),
    "imported resources": world(lambda n: [b"\3\0" + label(n) + b"\3\1"]),
    "imported records": world(lambda n: [b"\3\0" + label(n) + b"\3\0\0"], b"\1" + RECORD),
    "imported instances": world(lambda n: [b"\3\0" + label(n) + b"\5\0"], b"\1" + instance_of()),
    "imported interfaces": world(lambda n: [b"\3\0" + path(n) + b"\5\0"], b"\1" + instance_of()),
    "imported interfaces of packages": world(
        lambda n: [b"\3\0" + text(f"a:b{n:x}/c") + b"\5\0"], b"\1" + instance_of()
    ),
    "imported functions of interfaces": world(
        lambda n: [b"\3\0" + label(n) + b"\5\0"], b"\1" + instance_of(b"\1" + FUNC, *[function(k) for k in range(20)])
    ),
    "imported and exported interfaces": world(
        lambda n: [b"\3\0" + path(n) + b"\5\0", b"\4\0" + path(n) + b"\5\0"],
        b"\1" + instance_of(b"\1" + FUNC, function(0)),
    ),
    "aliases": world(lambda n: [b"\2\3\0\0\1r"], b"\1" + instance_of(b"\4\0\1r\3\1"), b"\3\0\1i\5\0"),
    "documentation": documented(b" a \\n"),
    "documentation of blocks": documented(b"\\n/**"),
    "attributes": world(lambda n: [b"\3\2" + label(n) + b"\1\2\1a\5\0"], b"\1" + instance_of()),
    "implements": world(lambda n: [b"\3\2" + label(n) + b"\1\0" + path(n) + b"\5\0"], b"\1" + instance_of()),
}


unlimited = partial(dense.unlimited, importlib.import_module("wippywasm.wit.decode"))


def _line(wasm: bytes) -> str:
    real = dense.report(wasm, decode)
    with unlimited():
        return f"{real}; without limits {dense.charges(wasm, decode)}"


if __name__ == "__main__":
    sys.exit(dense.main(__doc__, PACKAGES, [20_000, 240_000], _line))
