"""Values without a signature: between Lua functions, and between Lua and Python.

In: plain Python values. Out: tagged streams that `prelude/wire.lua` reads, and back. Spec: SPEC sections 5 and 11.

None, bool, int (64 bits), float, str and bytes are what they are; a list or tuple is an array, a mapping a table, and a
`WippyError` an error object. From Lua a string is `str` where it is UTF-8, else `bytes`; a table is a list where its
keys are 1 to n (an empty one too, and one with holes that says its length in `n`), else a dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from wippywasm.app.lua.failures import Failures
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.errors import InvalidError, WippyError, with_article
from wippywasm.values import Err, Ok, Some, Variant

NIL, FALSE, TRUE, INT, FLOAT, TEXT, BYTES, ARRAY, MAP, ERROR = range(10)


class UntypedWriter:
    """Writes values to one message; refuses what Lua has no word for, cycles, and what is too deep or too large."""

    def __init__(self, writer: Writer, limits: LuaLimits, failures: Failures) -> None:
        self._writer = writer
        self._limits = limits
        self._failures = failures
        self._open: set[int] = set()
        self._left = limits.values

    def put(self, value: Any) -> None:
        """Write one value; raises InvalidError."""
        self._left -= 1
        if self._left < 0:
            raise InvalidError(f"the value has more than {self._limits.values} parts")
        put = _PUT.get(type(value)) or _put_of(value)
        put(self, value)

    def put_none(self, value: None) -> None:
        self._writer.integer(NIL)

    def put_bool(self, value: bool) -> None:
        self._writer.integer(TRUE if value else FALSE)

    def put_int(self, value: int) -> None:
        if not -(1 << 63) <= value < 1 << 64:
            raise InvalidError(f"{value} does not fit in 64 bits")
        self._writer.integer(INT)
        self._writer.integer(value if value < 1 << 63 else value - (1 << 64))

    def put_float(self, value: float) -> None:
        self._writer.integer(FLOAT)
        self._writer.float(value)

    def put_str(self, value: str) -> None:
        self._writer.integer(TEXT)
        self._writer.string(value.encode("utf-8", "surrogatepass"))

    def put_bytes(self, value: bytes | bytearray | memoryview) -> None:
        self._writer.integer(TEXT)
        self._writer.string(bytes(value))

    def put_list(self, value: list[Any] | tuple[Any, ...]) -> None:
        self._enter(value)
        self._writer.integer(ARRAY)
        self._writer.integer(len(value))
        for item in value:
            self.put(item)
        self._open.discard(id(value))

    def put_mapping(self, value: Mapping[Any, Any]) -> None:
        self._enter(value)
        self._writer.integer(MAP)
        self._writer.integer(len(value))
        for key, item in value.items():
            if not isinstance(key, str | bytes | int) or isinstance(key, bool):
                raise InvalidError(f"a Lua table's key must be a string or an integer, got {key!r:.60}")
            self.put(key)
            self.put(item)
        self._open.discard(id(value))

    def put_set(self, value: AbstractSet[Any]) -> None:
        self.put_mapping(dict.fromkeys(value, True))

    def put_variant(self, value: Variant) -> None:
        self.put_mapping({"tag": value.case, "value": value.payload})

    def put_some(self, value: Some) -> None:
        self.put_mapping({"some": value.value})

    def put_ok(self, value: Ok) -> None:
        self.put_mapping({"ok": value.value})

    def put_err(self, value: Err) -> None:
        self.put_mapping({"err": value.value})

    def put_error(self, error: BaseException) -> None:
        """An error object; Lua gets its facts, and gives the very exception back when it raises it again."""
        facts = self._failures.facts(error)
        self._writer.integer(ERROR)
        self._writer.integer(facts.retryable)
        self._writer.integer(facts.origin)
        for text in (facts.kind, facts.message, facts.stack):
            self.put_str(text)
        self._put_details(facts.details)

    def _put_details(self, details: Any) -> None:
        """Details that Lua has no word for are told as text, rather than losing the error."""
        aside = UntypedWriter(Writer(), self._limits, self._failures)
        aside._open, aside._left = set(self._open), self._left
        try:
            aside.put(details or None)
        except InvalidError:
            return self.put({str(key): repr(item)[:200] for key, item in details.items()})
        self._left = aside._left
        return self._writer.append(aside._writer)

    def _enter(self, value: Any) -> None:
        if id(value) in self._open:
            raise InvalidError("the value contains itself")
        if len(self._open) >= self._limits.depth:
            raise InvalidError(f"the value is nested deeper than {self._limits.depth} levels")
        self._open.add(id(value))


_PUT: dict[type, Callable[[UntypedWriter, Any], None]] = {
    type(None): UntypedWriter.put_none,
    bool: UntypedWriter.put_bool,
    int: UntypedWriter.put_int,
    float: UntypedWriter.put_float,
    str: UntypedWriter.put_str,
    bytes: UntypedWriter.put_bytes,
    bytearray: UntypedWriter.put_bytes,
    memoryview: UntypedWriter.put_bytes,
    list: UntypedWriter.put_list,
    tuple: UntypedWriter.put_list,
    dict: UntypedWriter.put_mapping,
    set: UntypedWriter.put_set,
    frozenset: UntypedWriter.put_set,
    Variant: UntypedWriter.put_variant,
    Some: UntypedWriter.put_some,
    Ok: UntypedWriter.put_ok,
    Err: UntypedWriter.put_err,
}
_PUT_BASES: tuple[tuple[type, Callable[[UntypedWriter, Any], None]], ...] = (
    (WippyError, UntypedWriter.put_error),
    (Mapping, UntypedWriter.put_mapping),
    *((kind, put) for kind, put in _PUT.items() if kind in (int, float, str, bytes, list, tuple, set, frozenset)),
)


def _put_of(value: Any) -> Callable[[UntypedWriter, Any], None]:
    for kind, put in _PUT_BASES:
        if isinstance(value, kind):
            return put
    raise InvalidError(f"Lua has no word for {with_article(type(value).__name__)}")


class UntypedReader:
    """Reads values from one message of a sandbox, which has bounded their depth and number."""

    def __init__(self, reader: Reader, failures: Failures) -> None:
        self._reader = reader
        self._failures = failures
        self._take: tuple[Callable[[], Any], ...] = (
            lambda: None,
            lambda: False,
            lambda: True,
            reader.integer,
            reader.float,
            reader.text,
            reader.blob,
            self._list,
            self._dict,
            self._error,
        )

    def take_all(self) -> list[Any]:
        """Every value of the message, which says first how many they are."""
        return [self.take() for _ in range(self._reader.integer())]

    def take(self) -> Any:
        """The next value."""
        return self._take[self._reader.integer()]()

    def _list(self) -> list[Any]:
        return [self.take() for _ in range(self._reader.integer())]

    def _dict(self) -> dict[Any, Any]:
        return {self.take(): self.take() for _ in range(self._reader.integer())}

    def _error(self) -> WippyError:
        retryable, origin = self._reader.integer(), self._reader.integer()
        kind, message, stack = self._string(), self._string(), self._string()
        return self._failures.error(origin, kind, message, self.take(), retryable, stack)

    def _string(self) -> str:
        text = self.take()
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
