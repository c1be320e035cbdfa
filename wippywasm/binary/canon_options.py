"""Canonical options: reading them, and what each asks of the core items that it names.

In: a `Reader` at `opts`, the scope. Out: `Options`, whose single options are valid in themselves; what a canonical
definition needs beyond that is asked with its `require_…` methods.

Spec: component-model `CanonicalABI.md`, "canonopt Validation"; `Binary.md`, canonical definitions.
"""

from __future__ import annotations

from wippywasm.binary import features as gates
from wippywasm.binary.component import CanonicalOptions
from wippywasm.binary.core_types import print_func
from wippywasm.binary.limits import ITEM
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope, at
from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.errors import ValidationError

ENCODINGS = {0x00: "utf8", 0x01: "utf16", 0x02: "latin1+utf16"}
MEMORY, REALLOC, POST_RETURN, ASYNC, CALLBACK = 0x03, 0x04, 0x05, 0x06, 0x07
INDEXED = {MEMORY: "memory", REALLOC: "realloc", POST_RETURN: "post-return", CALLBACK: "callback"}

REALLOC_TYPE = CoreFuncType(("i32", "i32", "i32", "i32"), ("i32",))
CALLBACK_TYPE = CoreFuncType(("i32", "i32", "i32"), ("i32",))


@dataclass(slots=True)
class Options:
    """The options of one definition; `given` by name, with their core indices."""

    public: CanonicalOptions
    given: dict[str, int]
    offset: int

    def fail(self, message: str) -> ValidationError:
        return ValidationError(message, self.offset)

    def require(self, option: str) -> None:
        """`ValidationError` where a value can't be passed without this option."""
        if option not in self.given:
            raise self.fail(f"canonical option `{option}` is required")

    def refuse(self, option: str, why: str) -> None:
        if option in self.given:
            raise self.fail(f"canonical option `{option}` cannot be specified for {why}")

    def allow_only(self, allowed: frozenset[str], what: str) -> None:
        """`ValidationError` for any other option."""
        for option in self.given:
            if option not in allowed:
                self.refuse(option, what)


def read_options(scope: Scope, reader: Reader) -> Options:
    """Read `opts` and check each option."""
    offset = reader.pos
    encoding: str | None = None
    given: dict[str, int] = {}
    count = reader.count("canonical options")
    scope.context.budget.spend(count * ITEM.work, offset)
    for _ in range(count):
        place = reader.pos
        code = reader.byte()
        if code in ENCODINGS:
            encoding = _one_encoding(encoding, ENCODINGS[code], place)
        elif code == ASYNC:
            scope.context.require(gates.ASYNC, "the canonical option `async`", place)
            _once(given, "async", 0, place)
        elif code in INDEXED:
            _once(given, INDEXED[code], reader.u32(), place)
        else:
            raise reader.bad_byte(code, "a canonical option", place)
    options = Options(_public(encoding, given), given, offset)
    if given:
        _check_items(scope, options)
    return options


def _one_encoding(previous: str | None, encoding: str, offset: int) -> str:
    if previous is not None:
        raise ValidationError(
            f"canonical encoding option `{previous}` conflicts with option `{encoding}`: only one is allowed", offset
        )
    return encoding


def _once(given: dict[str, int], option: str, index: int, offset: int) -> None:
    if option in given:
        raise ValidationError(f"canonical option `{option}` is specified more than once", offset)
    given[option] = index


NO_OPTIONS = CanonicalOptions("utf8", None, None, None, False, None)


def _public(encoding: str | None, given: dict[str, int]) -> CanonicalOptions:
    if encoding is None and not given:
        return NO_OPTIONS
    return CanonicalOptions(
        encoding or "utf8",
        given.get("memory"),
        given.get("realloc"),
        given.get("post-return"),
        "async" in given,
        given.get("callback"),
    )


def _check_items(scope: Scope, options: Options) -> None:
    given = options.given
    if "memory" in given:
        check_memory(scope, given["memory"], options.offset)
    if "realloc" in given:
        if "memory" not in given:
            raise options.fail("canonical option `realloc` requires `memory` to also be specified")
        check_signature(scope, options, "realloc", REALLOC_TYPE)
    if "callback" in given:
        if "async" not in given:
            raise options.fail("canonical option `callback` requires `async` to also be specified")
        check_signature(scope, options, "callback", CALLBACK_TYPE)
    if "async" in given and "post-return" in given:
        raise options.fail("canonical option `post-return` cannot be specified together with `async`")


def check_memory(scope: Scope, index: int, offset: int) -> None:
    """The memory that a canonical definition reads and writes: any of 32 bits that is not shared."""
    memory = at(scope.core_memories, index, "core memory", offset)
    if memory.is_64:
        raise ValidationError("a 64-bit memory in a canonical definition needs the feature `memory64`", offset)
    if memory.shared:
        raise ValidationError("the memory of a canonical definition must be a plain one, not shared", offset)
    if memory.page_size_log2 != 16:
        raise ValidationError("the memory of a canonical definition must have pages of 64 KiB, not of 1 byte", offset)


def check_signature(scope: Scope, options: Options, option: str, expected: CoreFuncType) -> None:
    """The core function that an option names has the type that the option asks for."""
    found = at(scope.core_funcs, options.given[option], "core func", options.offset)
    if found != expected:
        raise options.fail(
            f"canonical option `{option}` uses a core function with an incorrect signature: "
            f"expected {print_func(expected)}, found {print_func(found)}"
        )
