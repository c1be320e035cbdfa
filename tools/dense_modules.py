"""Core modules that are one kind of item and nothing else, for tests and `tools.dense_table`.

In: a kind and a size. Out: the bytes of a module, a file of its own, of about that size.
"""

from __future__ import annotations

from tools.dense import (
    BODY,
    CORE_FUNC,
    CORE_TYPES,
    MANY,
    MODULE,
    Items,
    Make,
    label,
    leb,
    numbered,
    packed,
    section,
    text,
    usual,
    vec,
)
from tools.dense_wit import PACKAGES

ONE_FUNCTION = CORE_TYPES + section(3, b"\1\0")
ONE_BODY = section(10, vec([BODY]))
ONE_MEMORY = section(5, b"\1\0\1")


def of(number: int, make: Items, head: bytes = b"", tail: bytes = b"", most: int = MANY) -> Make:
    """A module with a section of as many items as the size has room for, or `most`."""
    return lambda size: MODULE + head + packed(number, make, size, most) + tail


def functions(size: int) -> bytes:
    count = size // (1 + len(BODY))
    return MODULE + CORE_TYPES + section(3, vec([b"\0"] * count)) + section(10, vec([BODY] * count))


def exported_functions(size: int) -> bytes:
    """Functions of their own, each exported."""
    count = size // (len(label(9_999)) + 8)
    names = numbered(count, lambda n: label(n) + b"\0" + leb(n))
    return (
        MODULE
        + CORE_TYPES
        + section(3, vec([b"\0"] * count))
        + section(7, vec(names))
        + section(10, vec([BODY] * count))
    )


def customs(body: bytes) -> Make:
    return lambda size: MODULE + section(0, body) * (size // len(section(0, body)))


def embedding(kind: str) -> Make:
    """A module with a WIT package beside it, as bindings generators leave it."""
    return lambda size: MODULE + section(0, text("component-type") + PACKAGES[kind](size))


def producers(size: int) -> bytes:
    fields = [label(n) + vec([label(k) + b"\0" for k in range(100)]) for n in range(size // 400)]
    return MODULE + section(0, text("producers") + vec(fields))


def names(size: int) -> bytes:
    entries = numbered(size // 5, lambda n: leb(n) + label(n))
    return MODULE + section(0, text("name") + section(1, vec(entries)))


MODULES: dict[str, Make] = {
    "types": of(1, lambda _: CORE_FUNC),
    "types of references": of(1, lambda n: b"\x60" + vec([b"\x63" + leb(n - 1 & 0x3F)] * 4 if n else []) + b"\0"),
    "structs": of(1, lambda _: b"\x5f\0"),
    "imports": of(2, lambda n: b"\0" + label(n) + b"\0\0", CORE_TYPES),
    "imports of modules": of(2, lambda n: label(n) + b"\0\0\0", CORE_TYPES),
    "imports of interfaces": of(2, lambda n: text(f"a:b/c{n:x}") + b"\0\0\0", CORE_TYPES),
    "imports of preview 1": of(2, lambda n: text("wasi_snapshot_preview1") + label(n) + b"\0\0", CORE_TYPES),
    "imports of memories": of(2, lambda n: b"\0" + label(n) + b"\2\0" + leb(n), most=65_000),
    "imports of globals": of(2, lambda n: b"\0" + label(n) + b"\3\x7f\0"),
    "exports": of(7, lambda n: label(n) + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports of six letters": of(7, lambda n: label(n + 20_000_000) + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports, usual names": of(7, lambda n: usual(n) + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports of long names": of(7, lambda n: text("a" * 1_000 + f"{n:x}") + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports of helpers": of(7, lambda n: text(f"__{n:x}") + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports of methods": of(7, lambda n: text(f"[method]r.m{n:x}") + b"\0\0", ONE_FUNCTION, ONE_BODY),
    "exports of memories": of(7, lambda n: label(n) + b"\2\0", ONE_MEMORY),
    "exports of functions of their own": exported_functions,
    "globals": of(6, lambda _: b"\x7f\0\x41\0\x0b"),
    "memories": of(5, lambda n: b"\0" + leb(n), most=65_000),
    "tables": of(4, lambda n: b"\x70\0" + leb(n)),
    "tags": of(13, lambda _: b"\0\0", CORE_TYPES),
    "functions": functions,
    "custom sections": customs(b"\0"),
    "custom sections with a name": customs(text("name")),
    "custom sections of packages": customs(text("component-type")),
    "data segments": of(11, lambda _: b"\1\0"),
    "active data segments": of(11, lambda _: b"\0\x41\0\x0b\0", ONE_MEMORY),
    "element segments": of(9, lambda _: b"\1\0\0", ONE_FUNCTION, ONE_BODY),
    "an element segment": of(9, lambda _: b"\1\0" + vec([b"\0"] * 10_000), ONE_FUNCTION, ONE_BODY),
    "producers": producers,
    "names": names,
    **{f"package of {kind}": embedding(kind) for kind in PACKAGES},
}
