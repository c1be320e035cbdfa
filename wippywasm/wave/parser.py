"""Text to values, as their types say.

In: a text and the types that it should have. Out: values of SPEC section 5; `WaveSyntaxError` with the place in the
text and the path to the value that does not fit.

Spec: WAVE, "Encoding", "Function arguments".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from wippywasm.errors import WaveSyntaxError, counted
from wippywasm.model import (
    U8,
    Case,
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Param,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
    structural,
    structural_func,
)
from wippywasm.plan.describe import describe, describe_func
from wippywasm.values import Err, Ok, Some, Variant
from wippywasm.wave.numbers import as_single
from wippywasm.wave.strings import Broken, dedented, unescaped
from wippywasm.wave.tokens import KEYWORDS, Token, Tokens

_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_MOST_NAMES = 12
T = TypeVar("T")


def parse_value(text: str, type: ValType, name: str = "value") -> Any:
    """The one value that `text` is; `name` is what messages call it."""
    parser = _Parser(text)
    value = parser.bounded(lambda: parser.value(structural(type), name))
    parser.end()
    return value


def parse_arguments(text: str, type: FuncType) -> list[Any]:
    """The values between the parentheses of a call: `1, "a"`. Options at the end may be left out."""
    parser = _Parser(text)
    params = structural_func(type).params
    values = parser.bounded(lambda: parser.arguments(params, describe_func(type)))
    parser.end()
    return values


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text)

    def bounded(self, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except RecursionError:
            self.fail("this is nested too deeply", self.tokens.peek().start)

    def end(self) -> None:
        token = self.tokens.peek()
        if token.kind != "end":
            self.fail(f"expected the end, got {token.words}", token.start)

    def fail(self, message: str, position: int, path: str = "") -> NoReturn:
        raise self.fault(message, position, path)

    def fault(self, message: str, position: int, path: str) -> WaveSyntaxError:
        return WaveSyntaxError(message, position, self.tokens.text, path)

    def misfit(self, t: ValType | str, token: Token, path: str) -> NoReturn:
        words = t if isinstance(t, str) else describe(t)
        self.fail(f"expected {words}, got {token.words}", token.start, path)

    def expect(self, mark: str, path: str) -> None:
        if not self.tokens.accept(mark):
            self.misfit(f"'{mark}'", self.tokens.peek(), path)

    def arguments(self, params: Sequence[Param], signature: str) -> list[Any]:
        values: list[Any] = []
        while self.tokens.peek().kind != "end":
            if len(values) == len(params):
                self.fail(f"these are more arguments than the function has: {signature}", self.tokens.peek().start)
            values.append(self.value(params[len(values)].type, params[len(values)].name))
            if not self.tokens.accept(","):
                break
        missing = params[len(values) :]
        if not all(isinstance(p.type, OptionType) for p in missing):
            self.fail(f"{missing[0].name} is missing: the function is {signature}", self.tokens.peek().start)
        return values + [None] * len(missing)

    # ---- values

    def value(self, t: ValType, path: str) -> Any:
        match t:
            case Prim():
                return self.prim(t, path)
            case EnumType(names=names):
                return self.case(t, {n: Case(n) for n in names}, path).name
            case VariantType(cases=cases):
                case = self.case(t, {c.name: c for c in cases}, path)
                return Variant(case.name, self.payload(case.type, f"{path}.{case.name}"))
            case FlagsType(names=names):
                return self.flags(t, names, path)
            case RecordType():
                return self.record(t, path)
            case TupleType(items=items):
                return self.tuple(items, path)
            case ListType():
                return self.list(t, path)
            case _:
                return self.wrapper(t, path)

    def wrapper(self, t: ValType, path: str) -> Any:
        match t:
            case OptionType(type=inner):
                return self.option(t, inner, path)
            case ResultType():
                return self.result(t, path)
            case MapType(key=key, value=value):
                pairs = self.sequence(TupleType((key, value)), path)
                return dict(pairs)
            case _:
                raise self.fault(f"{describe(t)} has no text form", self.tokens.peek().start, path)

    # ---- scalars

    def prim(self, t: Prim, path: str) -> Any:
        token = self.tokens.take()
        match t.name:
            case "bool" if token.kind == "label" and token.text in ("true", "false"):
                return token.text == "true"
            case "string" if token.kind in ("string", "multiline"):
                return self.string(token, path)
            case "char" if token.kind == "char":
                return self.unescaped(token.text[1:-1], token.start + 1, path)
            case "f32" | "f64" if token.kind == "number" or token.text in _FLOATS:
                number = _FLOATS[token.text] if token.text in _FLOATS else float(token.text)
                return as_single(number) if t.name == "f32" else number
            case _ if t.name[0] in "su" and t.name[1:].isdigit():
                return self.integer(t, token, path)
            case _:
                raise self.fault(f"expected {describe(t)}, got {token.words}", token.start, path)

    def integer(self, t: Prim, token: Token, path: str) -> int:
        bits = int(t.name[1:])
        least, most = (0, 2**bits - 1) if t.name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        digits = token.text.removeprefix("-")
        if token.kind != "number" or not digits.isdigit() or len(digits) > 20 or not least <= int(token.text) <= most:
            self.misfit(f"{t.name} ({least} to {most})", token, path)
        return int(token.text)

    def string(self, token: Token, path: str) -> str:
        if token.kind == "string":
            return self.unescaped(token.text[1:-1], token.start + 1, path)
        try:
            return dedented(token.text[3:-3])
        except Broken as error:
            self.fail(error.message, token.start + 3 + error.offset, path)

    def unescaped(self, text: str, start: int, path: str) -> str:
        try:
            return unescaped(text)
        except Broken as error:
            self.fail(error.message, start + error.offset, path)

    # ---- cases and names

    def label(self, what: str, path: str) -> Token:
        token = self.tokens.take()
        if token.kind != "label":
            self.misfit(what, token, path)
        return token

    def case(self, t: ValType, cases: dict[str, Case], path: str) -> Case:
        token = self.label(describe(t), path)
        name = token.text.removeprefix("%")
        if token.text in KEYWORDS and token.text in cases:
            self.fail(f"{name} is a word of its own here: write %{name}", token.start, path)
        if name not in cases or token.text in KEYWORDS:
            self.fail(f"there is no case {token.words}: there are {_listing(cases)}", token.start, path)
        return cases[name]

    def payload(self, t: ValType | None, path: str) -> Any:
        if t is None:
            return None
        self.expect("(", path)
        value = self.value(t, path)
        self.expect(")", path)
        return value

    def option(self, t: OptionType, inner: ValType, path: str) -> Any:
        if self.tokens.accept("none"):
            return None
        if self.tokens.accept("some"):
            value = self.payload(inner, path)
            return Some(value) if isinstance(inner, OptionType) else value
        self.refuse_flat(t, inner, path)
        return self.value(inner, path)

    def result(self, t: ResultType, path: str) -> Ok | Err:
        if self.tokens.accept("ok"):
            return Ok(self.payload(t.ok, f"{path}.ok"))
        if self.tokens.accept("err"):
            return Err(self.payload(t.err, f"{path}.err"))
        self.refuse_flat(t, t.ok, path)
        assert t.ok is not None
        return Ok(self.value(t.ok, path))

    def refuse_flat(self, t: ValType, inner: ValType | None, path: str) -> None:
        """A bare payload stands for the whole only where it can't be taken for another."""
        if inner is None or isinstance(inner, OptionType | ResultType):
            self.misfit(t, self.tokens.peek(), path)

    # ---- sequences

    def items(self, close: str, read: Callable[[int], Any], path: str) -> list[Any]:
        """What is between brackets, the opening one taken already; a comma may follow the last."""
        found: list[Any] = []
        while not self.tokens.accept(close):
            found.append(read(len(found)))
            if not self.tokens.accept(","):
                self.expect(close, path)
                break
        return found

    def sequence(self, element: ValType, path: str) -> list[Any]:
        self.expect("[", path)
        return self.items("]", lambda index: self.value(element, f"{path}[{index}]"), path)

    def list(self, t: ListType, path: str) -> Any:
        start = self.tokens.peek()
        if start.text != "[":
            self.misfit(t, start, path)
        found = self.sequence(t.element, path)
        if t.length is not None and len(found) != t.length:
            self.fail(f"expected {counted(t.length, 'item')}, got {len(found)}", start.start, path)
        return bytes(found) if t.element is U8 else found

    def tuple(self, items: Sequence[ValType], path: str) -> tuple[Any, ...]:
        start = self.tokens.peek()
        self.expect("(", path)
        expected = counted(len(items), "value")

        def item(index: int) -> Any:
            if index == len(items):
                self.fail(f"expected {expected} in the tuple, and here is one more", start.start, path)
            return self.value(items[index], f"{path}[{index}]")

        found = self.items(")", item, path)
        if len(found) != len(items):
            self.fail(f"expected {expected} in the tuple, got {len(found)}", start.start, path)
        return tuple(found)

    def flags(self, t: FlagsType, names: Sequence[str], path: str) -> set[str]:
        start = self.tokens.peek()
        if start.text != "{":
            self.misfit(t, start, path)
        self.expect("{", path)

        def flag(_: int) -> str:
            token = self.label("the name of a flag", path)
            name = token.text.removeprefix("%")
            if name not in names:
                self.fail(f"there is no flag {token.words}: there are {_listing(names)}", token.start, path)
            return name

        found = self.items("}", flag, path)
        if len(set(found)) != len(found):
            self.fail("a flag is given twice", start.start, path)
        return set(found)

    def record(self, t: RecordType, path: str) -> dict[str, Any]:
        start = self.tokens.peek()
        if start.text != "{":
            self.misfit(t, start, path)
        self.expect("{", path)
        types = {f.name: f.type for f in t.fields}
        values: dict[str, Any] = {}
        if self.tokens.accept(":"):
            self.expect("}", path)
        else:
            self.items("}", lambda _: self.field(types, values, path), path)
        for name, type in types.items():
            if name not in values and not isinstance(type, OptionType):
                self.fail(f"the field {name} is missing", start.start, path)
        return {name: values.get(name) for name in types}

    def field(self, types: dict[str, ValType], values: dict[str, Any], path: str) -> None:
        token = self.label("the name of a field", path)
        name = token.text.removeprefix("%")
        if name not in types or name in values:
            fault = "is given twice" if name in values else f"does not exist: there are {_listing(types)}"
            self.fail(f"the field {token.words} {fault}", token.start, path)
        self.expect(":", f"{path}.{name}")
        values[name] = self.value(types[name], f"{path}.{name}")


def _listing(names: Sequence[str] | dict[str, Any]) -> str:
    shown = list(names)[:_MOST_NAMES]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "") if shown else "none"
