"""The Python half of a codec: reads arguments that Lua wrote, writes results.

In: a structural function type. Out: compiled functions. Each compound type is one function, made once however often the
type is used; what is small is written in place.
Spec: SPEC section 5 (the Python column).
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Sequence
from typing import Any

from wippywasm.app.lua.type_names import is_bytes, is_nested_option
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.model import (
    EnumType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

_files = itertools.count(1)
_SCOPE = {"Ok": Ok, "Err": Err, "Some": Some, "Variant": Variant}


class _Source:
    """Collects the functions of one module; `functions` has the number of each type's."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.functions: dict[ValType, int] = {}

    def number(self, t: ValType, define: Callable[[ValType, int], str]) -> int:
        """The number of a type's function, which `define` writes at first."""
        if t not in self.functions:
            self.functions[t] = len(self.functions) + 1
            self.parts.append(define(t, self.functions[t]))
        return self.functions[t]

    def compile(self, name: str) -> Any:
        """The function of that name, with its text where tracebacks find it."""
        text = "".join(self.parts)
        file = f"<lua codec {next(_files)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        scope = dict(_SCOPE)
        exec(compile(text, file, "exec"), scope)
        return scope[name]


# reading: expressions over `i`, `f`, `t`, `b`, which take the next integer, float, text and byte string


def compile_reader(types: Sequence[ValType]) -> Callable[[Reader], list[Any]]:
    """A function that reads one value of each type."""
    source = _Source()
    items = ", ".join(_read(t, source) for t in types)
    lines = ["i, f, t, b = reader.integer, reader.float, reader.text, reader.blob", f"return [{items}]"]
    source.parts.append(_define("read(reader)", lines))
    read: Callable[[Reader], list[Any]] = source.compile("read")
    return read


def _read(t: ValType, source: _Source) -> str:
    match t:
        case Prim(name="bool"):
            return "i() == 1"
        case Prim(name="u64"):
            return "i() & 0xFFFFFFFFFFFFFFFF"
        case Prim(name="f32" | "f64"):
            return "f()"
        case Prim(name="string" | "char"):
            return "t()"
        case Prim():
            return "i()"
        case ListType() if is_bytes(t):
            return "b()"
        case EnumType(names=names):
            return f"{names!r}[i()]"
        case ListType(element=Prim() as element, length=None):
            return f"[{_read(element, source)} for _ in range(i())]"
        case OptionType(type=Prim() as inner):
            return f"({_read(inner, source)} if i() else None)"
    return f"r{source.number(t, lambda t, number: _reader(t, number, source))}(i, f, t, b)"


def _reader(t: ValType, number: int, source: _Source) -> str:
    return f"def r{number}(i, f, t, b):\n    return {_read_compound(t, source)}\n"


def _read_compound(t: ValType, source: _Source) -> str:
    match t:
        case RecordType(fields=fields):
            return "{" + ", ".join(f"{f.name!r}: {_read(f.type, source)}" for f in fields) + "}"
        case TupleType(items=items):
            return "(" + "".join(_read(item, source) + ", " for item in items) + ")"
        case ListType(element=element, length=length):
            return f"[{_read(element, source)} for _ in range({'i()' if length is None else length})]"
        case MapType(key=key, value=value):
            return f"{{{_read(key, source)}: {_read(value, source)} for _ in range(i())}}"
        case FlagsType(names=names):
            return f"{{{names!r}[i()] for _ in range(i())}}"
        case OptionType(type=inner):
            some = f"Some({_read(inner, source)})" if is_nested_option(t) else _read(inner, source)
            return f"{some} if i() else None"
        case ResultType(ok=ok, err=err):
            halves = [_read(half, source) if half else "None" for half in (ok, err)]
            return f"Ok({halves[0]}) if i() == 0 else Err({halves[1]})"
        case VariantType(cases=cases):
            rows = (
                f"lambda i, f, t, b: Variant({c.name!r}, {_read(c.type, source) if c.type else None})" for c in cases
            )
            return f"({', '.join(rows)},)[i()](i, f, t, b)"
    raise AssertionError(t)


# writing: statements over `v`, with `i`, `f`, `b` that put an integer, a float, a byte string


def compile_writer(t: ValType | None) -> Callable[[Writer, Any], None]:
    """A function that writes a value of that type; None for a function that gives nothing."""
    source = _Source()
    lines = ["i, f, b = writer.integer, writer.float, writer.blob"]
    if t is not None:
        lines += _write(t, "v", source)
    source.parts.append(_define("write(writer, v)", lines))
    write: Callable[[Writer, Any], None] = source.compile("write")
    return write


def _define(head: str, lines: list[str]) -> str:
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in lines)


def _indent(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _write(t: ValType, v: str, source: _Source) -> list[str]:
    match t:
        case Prim(name="bool"):
            return [f"i(1 if {v} else 0)"]
        case Prim(name="u64"):
            return [f"i({v} if {v} < 0x8000000000000000 else {v} - 0x10000000000000000)"]
        case Prim(name="f32" | "f64"):
            return [f"f({v})"]
        case Prim(name="string" | "char"):
            return [f"s = {v}.encode()", "i(len(s))", "b(s)"]
        case Prim():
            return [f"i({v})"]
        case ListType() if is_bytes(t):
            return [f"i(len({v}))", f"b({v})"]
        case EnumType(names=names):
            return [f"i({ {name: index for index, name in enumerate(names)} }[{v}])"]
        case OptionType(type=inner) if not is_nested_option(t):
            return [f"if {v} is None: i(0)", "else:", *_indent(["i(1)", *_write(inner, v, source)])]
    return [f"w{source.number(t, lambda t, number: _writer(t, number, source))}({v}, i, f, b)"]


def _writer(t: ValType, number: int, source: _Source) -> str:
    return _define(f"w{number}(v, i, f, b)", _write_compound(t, source) or ["pass"])


def _write_compound(t: ValType, source: _Source) -> list[str]:
    match t:
        case RecordType(fields=fields):
            return [line for f in fields for line in [f"x = v[{f.name!r}]", *_write(f.type, "x", source)]]
        case TupleType(items=items):
            return [line for k, item in enumerate(items) for line in [f"x = v[{k}]", *_write(item, "x", source)]]
        case ListType(element=element, length=length):
            size = ["i(len(v))"] if length is None else []
            return [*size, "for x in v:", *_indent(_write(element, "x", source))]
        case MapType(key=key, value=value):
            body = [*_write(key, "k", source), *_write(value, "x", source)]
            return ["i(len(v))", "for k, x in v.items():", *_indent(body)]
        case FlagsType(names=names):
            return ["i(len(v))", f"for x in v: i({ {name: index for index, name in enumerate(names)} }[x])"]
        case OptionType(type=inner):
            return ["if v is None: return i(0)", "i(1)", "x = v.value", *_write(inner, "x", source)]
        case ResultType(ok=ok, err=err):
            halves = [(f"isinstance(v, {name})", half) for name, half in (("Ok", ok), ("Err", err))]
            return ["x = v.value", *_write_cases(halves, source)]
        case VariantType(cases=cases):
            return ["x = v.payload", *_write_cases([(f"v.case == {c.name!r}", c.type) for c in cases], source)]
    raise AssertionError(t)


def _write_cases(cases: list[tuple[str, ValType | None]], source: _Source) -> list[str]:
    lines = []
    for index, (test, t) in enumerate(cases):
        body = [f"i({index})", *(_write(t, "x", source) if t else []), "return"]
        lines += [f"if {test}:", *_indent(body)]
    return [*lines, "raise TypeError(v)"]
