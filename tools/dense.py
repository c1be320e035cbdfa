"""Components that are one kind of definition and nothing else: `python -m tools.dense [-s SIZE]… [KIND]…`.

In: a kind and a size. Out: the bytes of a component of about that size, for tests; run by itself, what decoding and
planning takes of each, and how that compares to what `wippywasm.binary.limits` charges.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import ClassVar, NamedTuple
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from wippywasm import binary  # noqa: E402
from wippywasm.binary.component import Component  # noqa: E402
from wippywasm.budget import Budget  # noqa: E402
from wippywasm.errors import WippyError  # noqa: E402
from wippywasm.plan import plan_component  # noqa: E402
from wippywasm.plan.growth import Growth  # noqa: E402

decoder = importlib.import_module("wippywasm.binary.decode")

COMPONENT = b"\0asm\x0d\0\1\0"
MODULE = b"\0asm\1\0\0\0"
CORE_FUNC = b"\x60\0\0"
FUNC = b"\x40\0\1\0"
PRIMS = bytes([*range(0x73, 0x80)])
MANY = 10_000_000


def leb(value: int) -> bytes:
    """An unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def section(number: int, body: bytes) -> bytes:
    return bytes([number]) + leb(len(body)) + body


def vec(items: list[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def text(value: str) -> bytes:
    return leb(len(value)) + value.encode()


def label(number: int) -> bytes:
    """The shortest label that no other number has."""
    letters = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(97 + last) + letters
    return text(letters)


def usual(number: int) -> bytes:
    return text(f"get-the-value-of-{number:x}")


Items = Callable[[int], bytes]
"""The definition of a number."""
Make = Callable[[int], bytes]
"""A component of about that size."""


def filled(number: int, make: Items, size: int, head: bytes = b"") -> bytes:
    """A component with a section of as many definitions as the size has room for; `head` is before it."""
    left, items = size - len(head), list[bytes]()
    for n in count():
        left -= len(item := make(n))
        if left < 0:
            break
        items.append(item)
    return COMPONENT + head + section(number, vec(items))


def wide(kind: bytes, most: int, part: Items, ending: bytes = b"") -> Make:
    """Types that are as wide as may be, all of whose parts differ."""

    def make(size: int) -> bytes:
        def one(n: int) -> bytes:
            return kind + vec([part(n * most + i) for i in range(most)]) + ending

        width = len(one(0))
        if width <= size:
            return filled(7, one, size)
        parts = max(1, most * size // width)
        return COMPONENT + section(7, vec([kind + vec([part(i) for i in range(parts)]) + ending]))

    return make


def sections(number: int, body: Items, size: int, head: bytes = b"") -> bytes:
    """As many sections of their own as the size has room for."""
    out = bytearray(COMPONENT + head)
    for n in count():
        more = section(number, body(n))
        if len(out) + len(more) > size:
            return bytes(out)
        out += more
    raise AssertionError


def prim(n: int) -> bytes:
    return PRIMS[n % 13 : n % 13 + 1]


def mix(n: int) -> bytes:
    """Two primitives, as many different pairs as there are."""
    return prim(n) + prim(n // 13)


def of(number: int, make: Items, head: bytes = b"") -> Make:
    return lambda size: filled(number, make, size, head)


def types(make: Items, head: bytes = b"") -> Make:
    return of(7, make, head)


def core_types(make: Items) -> Make:
    return of(3, make)


def imports(kind: bytes, head: bytes = b"", name: Items = label) -> Make:
    return of(10, lambda n: b"\0" + name(n) + kind, head)


def exports(item: bytes, head: bytes) -> Make:
    return of(11, lambda n: b"\0" + label(n) + item, head)


def packed(number: int, make: Items, size: int, most: int = MANY) -> bytes:
    """A section of as many items as the size has room for, or `most`."""
    inner = bytearray()
    n = 0
    while len(inner) < size and n < most:
        inner += make(n)
        n += 1
    return section(number, leb(n) + bytes(inner))


def module(number: int, make: Items, head: bytes = b"", most: int = MANY) -> Make:
    """A component of a module with such a section."""

    def of(size: int) -> bytes:
        return COMPONENT + section(1, MODULE + head + packed(number, make, size, most))

    return of


RESOURCE = section(7, b"\1\x3f\x7f\0")
ABSTRACT = section(10, b"\1\0\1r\3\1")
FUNC_TYPE = section(7, vec([FUNC]))
RECORD = b"\x72\1\1a\x7d"
OF_RECORD = section(7, vec([RECORD]))
HOST_FUNC = FUNC_TYPE + section(10, b"\1\0\1f\1\0")
BORROW, METHOD = b"\x68\0", b"\x40\1\4self\1\1\0"
OF_METHOD = ABSTRACT + section(7, vec([BORROW, METHOD, FUNC]))
CORE_TYPES = section(1, vec([CORE_FUNC]))
BODY = b"\2\0\x0b"
EXPORTING = section(1, MODULE + CORE_TYPES + section(3, b"\1\0") + section(7, b"\1\1f\0\0") + section(10, b"\1" + BODY))
CORE = EXPORTING + section(2, b"\1\0\0\0") + section(6, b"\1\0\0\1\0\1f")
BAG = HOST_FUNC + section(5, b"\1\1\1\0\1f\1\0")


def instance_of(*declarations: bytes) -> bytes:
    return b"\x42" + vec(list(declarations))


WITH_FUNC = instance_of(b"\1" + FUNC, b"\4\0\1f\1\0")
WITH_RESOURCE = instance_of(b"\4\0\1r\3\1")
WITH_METHOD = instance_of(b"\4\0\1r\3\1", b"\1" + BORROW, b"\1" + METHOD, b"\4\0" + text("[method]r.a") + b"\1\2")


def imported_functions(number: int) -> bytes:
    """So many imports of functions with the usual names."""
    return FUNC_TYPE + section(10, vec(numbered(number, lambda n: b"\0" + usual(n) + b"\1\0")))


def interface(methods: int, functions: int, *, own: bool = False) -> bytes:
    """An instance type as WIT's interfaces have it: methods of a resource, and functions.

    `own` gives each of them a type of its own, as tools write it.
    """
    parts = [b"\4\0" + text("descriptor") + b"\3\1", b"\1" + BORROW]
    names = [f"[method]descriptor.read-via-stream-{m}" for m in range(methods)]
    names += [f"get-directories-{f}" for f in range(functions)]
    for n, name in enumerate(names):
        if own or n in (0, methods):
            receiver = [text("self") + b"\1"] * (n < methods)
            wide = numbered(6 * own, lambda k: text(f"value-{n}-{k}") + prim(n + k))  # noqa: B023 - called at once
            parts.append(b"\1\x40" + vec([*receiver, text("value") + b"\x79", *wide]) + b"\0\x73")
        last = 1 + (n + 1 if own else 1 + (n >= methods > 0))
        parts.append(b"\4\0" + text(name) + b"\1" + leb(last))
    return instance_of(*parts)


def world(interfaces: int, methods: int, functions: int, *, exported: bool = False, own: bool = False) -> bytes:
    """A component without code that imports interfaces as WIT has them, and may export them again."""
    out = bytearray(COMPONENT)
    for i in range(interfaces):
        out += section(7, vec([interface(methods, functions, own=own)]))
        out += section(10, vec([b"\0" + text(f"wasi:filesystem/types-{i}@0.2.3") + b"\5" + leb(i)]))
    for i in range(interfaces * exported):
        out += section(11, vec([b"\0" + text(f"test:exports/types-{i}@0.2.3") + b"\5" + leb(i) + b"\0"]))
    return bytes(out)


def worlds(methods: int, functions: int, *, exported: bool = False) -> Make:
    def make(size: int) -> bytes:
        one = len(world(100, methods, functions, exported=exported)) // 100
        return world(max(1, size // one), methods, functions, exported=exported)

    return make


def shared(*declarations: bytes) -> Make:
    """Interfaces whose types are one."""
    head = section(7, vec([instance_of(*declarations)]))
    return of(10, lambda n: b"\0" + text(f"a:b/c{n:x}") + b"\5\0", head)


def many(number: int, body: bytes) -> Make:
    return lambda size: sections(number, lambda _: body, size)


def group(member: bytes) -> Make:
    """One recursive group, as large as the size."""
    return lambda size: COMPONENT + section(3, b"\1\x4e" + vec([member] * (size // len(member))))


def functions_of(index: bytes, types: int) -> Make:
    """A module with nothing but functions whose type has that index."""

    def make(size: int) -> bytes:
        count = size // (len(index + BODY))
        declared = section(1, vec([CORE_FUNC] * types)) + section(3, vec([index] * count))
        return COMPONENT + section(1, MODULE + declared + section(10, vec([BODY] * count)))

    return make


TAKING = (
    section(
        1,
        MODULE
        + section(1, b"\1\x60\1\x7f\0")
        + section(3, b"\1\0")
        + section(7, b"\1\1f\0\0")
        + section(10, b"\1" + BODY),
    )
    + section(2, b"\1\0\0\0")
    + section(6, b"\1\0\0\1\0\1f")
)


def own_lifts(functions: int, lifts: int = 1) -> bytes:
    """So many types of functions, each lifted so many times."""
    types = section(7, vec(numbered(functions, lambda n: b"\x40\1" + label(n) + b"\x7d\1\0")))
    lifted = numbered(functions * lifts, lambda n: b"\0\0\0\0" + leb(n % functions))
    return COMPONENT + TAKING + types + section(8, vec(lifted))


def numbered(count: int, make: Items) -> list[bytes]:
    return [make(k) for k in range(count)]


def wide_fields() -> list[bytes]:
    return numbered(100, lambda n: label(n) + prim(n))


def hyphens(count: int) -> Items:
    """Labels of so many fragments."""
    return lambda n: text(f"a{n:x}" + "-a" * count)


KINDS: dict[str, Make] = {
    "records of 10,000": wide(b"\x72", 10_000, lambda n: label(n) + prim(n)),
    "records of 100": wide(b"\x72", 100, lambda n: label(n) + prim(n)),
    "records of 2": types(lambda n: b"\x72\2" + label(n) + prim(n) + label(n + 1) + prim(n // 7)),
    "records of 1": types(lambda n: b"\x72\1" + label(n) + prim(n)),
    "records, equal": types(lambda _: RECORD),
    "variants of 10,000": wide(b"\x71", 10_000, lambda n: label(n) + b"\0\0"),
    "variants of 10,000, payloads": wide(b"\x71", 10_000, lambda n: label(n) + b"\1" + prim(n) + b"\0"),
    "variants of 1": types(lambda n: b"\x71\1" + label(n) + b"\0\0"),
    "enums of 10,000": wide(b"\x6d", 10_000, label),
    "enums of 1": types(lambda n: b"\x6d\1" + label(n)),
    "flags of 32": wide(b"\x6e", 32, label),
    "flags of 1": types(lambda n: b"\x6e\1" + label(n)),
    "tuples of 10,000": wide(b"\x6f", 10_000, lambda n: prim(n * n // 10_000)),
    "tuples of 1": types(lambda _: b"\x6f\1\x7d"),
    "tuples of 4": types(lambda n: b"\x6f\4" + mix(n) + mix(n // 169)),
    "lists": types(lambda _: b"\x70\x7d"),
    "fixed lists": types(lambda n: b"\x67" + prim(n) + leb(n % 100_000 + 1)),
    "options": types(lambda n: b"\x6b" + prim(n)),
    "results": types(lambda n: b"\x6a\1" + prim(n) + b"\1" + prim(n // 13)),
    "maps": types(lambda n: b"\x63\x7d" + prim(n)),
    "streams": types(lambda _: b"\x66\0"),
    "own": types(lambda _: b"\x69\0", RESOURCE),
    "borrow": types(lambda _: b"\x68\0", RESOURCE),
    "primitives": types(prim),
    "functions": types(lambda _: FUNC),
    "functions of 1": types(lambda n: b"\x40\1" + label(n) + prim(n) + b"\1\0"),
    "functions of 1,000": wide(b"\x40", 1_000, lambda n: label(n) + prim(n), b"\1\0"),
    "instance types": types(lambda _: b"\x42\0"),
    "instance types with a function": types(lambda n: instance_of(b"\1" + FUNC, b"\4\0" + label(n) + b"\1\0")),
    "instance types with a resource": types(lambda n: instance_of(b"\4\0" + label(n) + b"\3\1")),
    "instance types with a record": types(lambda n: instance_of(b"\1" + RECORD, b"\4\0" + label(n) + b"\3\0\0")),
    "instance types of functions": types(
        lambda n: instance_of(b"\1" + FUNC, *numbered(1_000, lambda k: b"\4\0" + label(n + k) + b"\1\0"))
    ),
    "instance types of resources": types(
        lambda n: instance_of(*numbered(1_000, lambda k: b"\4\0" + label(n + k) + b"\3\1"))
    ),
    "instance types, nested": types(lambda _: instance_of(b"\1" + instance_of(b"\1" + instance_of()))),
    "instance types of lists": types(lambda _: instance_of(*[b"\1\x70\x7d"] * 1_000)),
    "instance types of aliases": types(lambda _: instance_of(*[b"\2\3\2\1\0"] * 1_000), FUNC_TYPE),
    "instance types of core types": types(lambda _: instance_of(*[b"\0" + CORE_FUNC] * 1_000)),
    "component types": types(lambda _: b"\x41\0"),
    "component types with both": types(
        lambda n: b"\x41" + vec([b"\3\0" + label(n) + b"\3\1", b"\4\0" + label(n) + b"\3\0\0"])
    ),
    "resources": types(lambda _: b"\x3f\x7f\0"),
    "imports of functions": imports(b"\1\0", FUNC_TYPE),
    "imports of functions, usual names": imports(b"\1\0", FUNC_TYPE, usual),
    "imports of resources": imports(b"\3\1"),
    "imports of types": imports(b"\3\0\0", OF_RECORD),
    "imports of instances": imports(b"\5\0", section(7, vec([instance_of()]))),
    "imports of instances with a function": imports(b"\5\0", section(7, vec([WITH_FUNC]))),
    "imports of interfaces with a function": imports(
        b"\5\0", section(7, vec([WITH_FUNC])), lambda n: text(f"a:b/c{n:x}@1.0.0")
    ),
    "imports of instances with a resource": imports(b"\5\0", section(7, vec([WITH_RESOURCE]))),
    "imports of instances with a resource, usual names": imports(b"\5\0", section(7, vec([WITH_RESOURCE])), usual),
    "imports of instances with a method": imports(b"\5\0", section(7, vec([WITH_METHOD]))),
    "imports of interfaces": imports(b"\5\0", section(7, vec([instance_of()])), lambda n: text(f"a:b/c{n:x}@1.0.0")),
    "imports of components": imports(b"\4\0", section(7, vec([b"\x41\0"]))),
    "imports of versions": imports(b"\5\0", section(7, vec([instance_of()])), lambda n: text(f"a:b/c@1.0.0-{n}")),
    "imports of locations": imports(b"\4\0", section(7, vec([b"\x41\0"])), lambda n: text(f"url=<https://a/{n}>")),
    "imports of dependencies": imports(
        b"\4\0", section(7, vec([b"\x41\0"])), lambda n: text(f"unlocked-dep=<a:b{n:x}@{{>=1.0.0 <2.0.0}}>")
    ),
    "imports of modules": imports(b"\0\x11\0", section(3, vec([b"\x50\0"]))),
    "methods": imports(b"\1\2", OF_METHOD, lambda n: text(f"[method]r.m{n:x}")),
    "statics": imports(b"\1\3", OF_METHOD, lambda n: text(f"[static]r.m{n:x}")),
    "exports of functions": exports(b"\1\0\0", HOST_FUNC),
    "exports of functions, ascribed": exports(b"\1\0\1\1\0", HOST_FUNC),
    "exports of types": exports(b"\3\0\0", OF_RECORD),
    "exports of resources": exports(b"\3\0\0", RESOURCE),
    "exports of instances": exports(b"\5\0\0", BAG),
    "aliases of exports": of(6, lambda _: b"\1\0\0\1f", BAG),
    "aliases of core exports": of(6, lambda _: b"\0\0\1\0\1f", CORE),
    "aliases of outer types": of(6, lambda _: b"\3\2\0\0", FUNC_TYPE),
    "aliases of outer modules": of(6, lambda _: b"\0\x11\2\0\0", EXPORTING),
    "core types": core_types(lambda _: CORE_FUNC),
    "core types of 4": core_types(lambda n: b"\x60\4" + bytes(0x7F - (n >> 2 * k) % 4 for k in range(4)) + b"\0"),
    "core types of 1,000": core_types(lambda _: b"\x60" + vec([b"\x7f"] * 1_000) * 2),
    "core types of references": core_types(
        lambda n: b"\x60" + vec([b"\x63" + leb(n - 1 & 0x3F)] * 4 if n else []) + b"\0"
    ),
    "core structs": core_types(lambda _: b"\x5f\0"),
    "core structs of 10,000": core_types(lambda _: b"\x5f" + vec([b"\x7f\0"] * 10_000)),
    "core arrays": core_types(lambda _: b"\x5e\x7f\0"),
    "core subtypes": core_types(lambda n: b"\0\x50" + vec([b"\0"] * (n > 0)) + CORE_FUNC),
    "groups of functions": core_types(lambda _: b"\x4e" + vec([CORE_FUNC] * 1_000)),
    "groups of structs": core_types(lambda _: b"\x4e" + vec([b"\x5f\0"] * 1_000)),
    "a group of structs": group(b"\x5f\0"),
    "a group of structs of 1": group(b"\x5f\1\x7f\1"),
    "a group of functions": group(b"\x60\1\x63\0\0"),
    "module types": core_types(lambda _: b"\x50\0"),
    "module types of imports": core_types(
        lambda _: b"\x50" + vec([b"\1" + CORE_FUNC, *numbered(1_000, lambda k: b"\0\1a" + label(k) + b"\0\0")])
    ),
    "module types of memories": core_types(
        lambda _: b"\x50" + vec(numbered(1_000, lambda k: b"\3" + label(k) + b"\2\0" + leb(k)))
    ),
    "core instances": of(2, lambda _: b"\0\0\0", EXPORTING),
    "core bags": of(2, lambda _: b"\1\0"),
    "core bags of 1": of(2, lambda _: b"\1\1\1a\0\0", CORE),
    "core bags of 1,000": of(2, lambda _: b"\1" + vec(numbered(1_000, lambda k: label(k) + b"\0\0")), CORE),
    "core instances with arguments": of(
        2, lambda _: b"\0\0" + vec(numbered(100, lambda k: label(k) + b"\x12\0")), CORE
    ),
    "instances": of(5, lambda _: b"\0\0\0", section(4, COMPONENT)),
    "instances with arguments": of(
        5, lambda _: b"\0\0" + vec(numbered(100, lambda k: label(k) + b"\1\0")), HOST_FUNC + section(4, COMPONENT)
    ),
    "instances with a resource": of(
        5, lambda _: b"\0\0\0", section(4, COMPONENT + RESOURCE + section(11, b"\1\0\1r\3\0\0"))
    ),
    "bags": of(5, lambda _: b"\1\0"),
    "bags of 1": of(5, lambda _: b"\1\1\0\1a\1\0", HOST_FUNC),
    "bags of 1,000": of(5, lambda _: b"\1" + vec(numbered(1_000, lambda k: b"\0" + label(k) + b"\1\0")), HOST_FUNC),
    "lifts": of(8, lambda _: b"\0\0\0\0\0", CORE + FUNC_TYPE),
    "lifts of types of their own": lambda size: own_lifts(size // 16),
    "lowers": of(8, lambda _: b"\1\0\0\0", HOST_FUNC),
    "lowers with options": of(8, lambda _: b"\1\0\0\1\0", HOST_FUNC),
    "drops": of(8, lambda _: b"\3\0", RESOURCE),
    "built-ins": of(8, lambda _: b"\5"),
    "task returns": of(8, lambda _: b"\x09\1\0\0"),
    "custom sections": many(0, b"\0"),
    "custom sections with a name": lambda size: sections(0, label, size),
    "custom sections of wide names": many(0, leb(100_000) + "\U0001f600".encode() + b"a" * 99_996),
    "empty sections": many(7, b"\0"),
    "components": many(4, COMPONENT),
    "components of components": many(4, COMPONENT + section(4, COMPONENT)),
    "modules": many(1, MODULE),
    "modules with a type": many(1, MODULE + CORE_TYPES),
    "modules with custom sections": many(1, MODULE + section(0, b"\0") * 100),
    "labels of 100 KB": imports(b"\1\0", FUNC_TYPE, hyphens(49_000)),
    "labels of 1 KB": imports(b"\1\0", FUNC_TYPE, hyphens(500)),
    "core imports": module(2, lambda n: b"\0" + label(n) + b"\0\0", CORE_TYPES),
    "core imports of memories": module(2, lambda n: b"\0" + label(n) + b"\2\0" + leb(n), most=65_000),
    "core exports": module(7, lambda n: label(n) + b"\2\0", section(5, b"\1\0\1")),
    "core globals": module(6, lambda _: b"\x7f\0\x41\0\x0b"),
    "core constants": module(6, lambda _: b"\x7f\0" + b"\x41\0" * 1000 + b"\x0b"),
    "core memories": module(5, lambda n: b"\0" + leb(n), most=65_000),
    "core tables": module(4, lambda n: b"\x70\0" + leb(n)),
    "core tags": module(13, lambda _: b"\0\0", CORE_TYPES),
    "core functions": functions_of(b"\0", 1),
    "core functions of many types": functions_of(b"\x80\1", 200),
    "types of modules": module(1, lambda _: CORE_FUNC),
    "worlds": worlds(5, 5),
    "worlds of functions": worlds(0, 20),
    "worlds with own types": lambda size: world(max(1, size // 1_900), 5, 10, own=True),
    "interfaces of one function": shared(b"\1" + FUNC, b"\4\0\1f\1\0"),
    "interfaces of the same functions": shared(b"\1" + FUNC, *numbered(20, lambda k: b"\4\0" + label(k) + b"\1\0")),
    "interfaces of one wide function": shared(b"\1\x40" + vec(wide_fields()) + b"\1\0", b"\4\0\1f\1\0"),
    "interfaces of one record": shared(b"\1" + RECORD, b"\4\0\1r\3\0\0"),
    "interfaces of one wide record": shared(b"\1\x72" + vec(wide_fields()), b"\4\0\1r\3\0\0"),
    "interfaces of one wide enum": shared(b"\1\x6d" + vec(numbered(100, label)), b"\4\0\1r\3\0\0"),
    "worlds, exported": worlds(5, 5, exported=True),
    "worlds of functions, exported": worlds(0, 20, exported=True),
}


ENDLESS = 1 << 60


class Counter(Budget):
    """A budget that refuses nothing, and tells what was spent and taken. `last` is the one made last."""

    last: ClassVar[Counter | None] = None

    def __init__(self, size: int) -> None:
        super().__init__(ENDLESS, 0, ENDLESS, ENDLESS, f"{size} bytes are endless")
        type(self).last = self

    def spent(self) -> tuple[int, int]:
        """The work and the room."""
        return ENDLESS - self.left, ENDLESS - self.room


class Parts(Growth):
    """Counts the parts of a plan as ever. `last` is the one made last."""

    last: ClassVar[Parts | None] = None

    def __init__(self, components: Iterable[Component]) -> None:
        super().__init__(components)
        type(self).last = self

    def taken(self) -> int:
        return self.most - self.left


@contextmanager
def unlimited(module: ModuleType = decoder) -> Iterator[None]:
    """Let the decoder that is in the module pass everything, and count."""
    with patch.object(module, "budget_of", Counter):
        yield


class Measured(NamedTuple):
    seconds: float
    peak: int
    outcome: str


def measure(wasm: bytes, call: Callable[[bytes], object]) -> Measured:
    """The processor's time at best, the most that is allocated, and what comes of it."""
    times, outcome = [], "accepted"
    for _ in range(3):
        started = time.thread_time()
        try:
            call(wasm)
        except WippyError as error:
            outcome = f"{type(error).__name__}: {error.message[:30]}"
        times.append(time.thread_time() - started)
    return Measured(min(times), peak_of(wasm, call), outcome)


def peak_of(wasm: bytes, call: Callable[[bytes], object]) -> int:
    """The most bytes that are allocated for a call at once."""
    gc.collect()  # or types of the calls before are found again
    tracemalloc.start()
    with suppress(WippyError):
        call(wasm)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def load(wasm: bytes) -> object:
    component = binary.decode(wasm)
    return component, plan_component(component)


def report(wasm: bytes, call: Callable[[bytes], object]) -> str:
    """What a call takes of a file, with its limits."""
    real = measure(wasm, call)
    return f"{len(wasm)} bytes, {real.seconds * 1000:.0f} ms, {real.peak / 1e6:.1f} MB, {real.outcome}"


def charges(wasm: bytes, call: Callable[[bytes], object]) -> str:
    """How what it takes without limits compares to what is charged; that is counted meanwhile."""
    free = measure(wasm, call)
    assert Counter.last is not None
    work, room = Counter.last.spent()
    return f"{free.seconds * 1e9 / (work or 1):.0f} ns for a unit, {free.peak / (room or 1):.2f} of the room"


def main(doc: str | None, kinds: dict[str, Make], sizes: list[int], line: Callable[[bytes], str]) -> int:
    """Print a line for each kind that is asked for, and each size."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("-s", "--size", type=int, action="append")
    parser.add_argument("kinds", nargs="*", default=[])
    options = parser.parse_args()
    for kind in [k for k in kinds if not options.kinds or any(part in k for part in options.kinds)]:
        for size in options.size or sizes:
            print(f"{kind}: {line(kinds[kind](size))}", flush=True)
    return 0


def _line(wasm: bytes) -> str:
    real = report(wasm, load)
    with unlimited():
        return f"{real}; without limits {charges(wasm, binary.decode)}"


if __name__ == "__main__":
    sys.exit(main(__doc__, KINDS, [50_000, 500_000, 2_000_000, 4_000_000, 12_000_000], _line))
