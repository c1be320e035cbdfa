"""Types and function types to WIT text, on one line.

In: a type of a resolution. Out: how it is written; named types by their name, others in full. For people it is cut.
Spec: `WIT.md`, "Types", "Items: type".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from wippywasm import model
from wippywasm.errors import TooLongError, counted
from wippywasm.model import ValType
from wippywasm.unfolded import READABLE, Texts, cut, parts_in_all
from wippywasm.wit.lexer import KEYWORDS
from wippywasm.wit.resolved import Function, Interface, Package, TypeDef, World

_MOST_PARAMS = 16
_SHORT = 300
"""The characters of a parameter's type, for people, where the function is long."""


def escaped(name: str) -> str:
    """The name as an identifier, with `%` where it is a keyword."""
    return f"%{name}" if name in KEYWORDS else name


def use_path(item: Interface | World, package: Package) -> str:
    """How `package` refers to the interface or world."""
    home = item.package
    assert home is not None
    assert item.name is not None
    if home is package:
        return escaped(item.name)
    name = home.name
    version = f"@{name.version}" if name.version else ""
    return f"{escaped(name.namespace)}:{escaped(name.name)}/{escaped(item.name)}{version}"


class Named(Protocol):
    """A parameter or field."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> ValType: ...


class TypeTexts(Texts):
    """Types as text that is whole. All methods raise TooLongError."""

    def type(self, t: ValType) -> str:
        """A type as it stands in a signature."""
        return t.name if isinstance(t, model.Prim) else self.of(t, lambda: self._text(t))

    def _text(self, t: ValType) -> str:
        if isinstance(t, TypeDef):
            if t.name is not None:
                return escaped(t.name)
            assert isinstance(t.kind, ValType)
            return _handle(t.kind.resource) if isinstance(t.kind, model.OwnType) else self.type(t.kind)
        match t:
            case model.OwnType(resource=resource):
                return f"own<{_handle(resource)}>"
            case model.BorrowType(resource=resource):
                return f"borrow<{_handle(resource)}>"
            case model.ListType(element=element, length=length):
                return f"list<{self.type(element)}{'' if length is None else f', {length}'}>"
            case model.ResultType(ok=ok, err=err):
                return self._result(ok, err)
            case model.StreamType(element=element):
                return "stream" if element is None else f"stream<{self.type(element)}>"
            case model.FutureType(element=element):
                return "future" if element is None else f"future<{self.type(element)}>"
            case model.OptionType(type=inner):
                return f"option<{self.type(inner)}>"
            case model.TupleType(items=items):
                return f"tuple<{', '.join(map(self.type, items))}>"
            case model.MapType(key=key, value=value):
                return f"map<{self.type(key)}, {self.type(value)}>"
            case _:
                return self._in_place(t)

    def _in_place(self, t: ValType) -> str:
        """Types that WIT only writes with a name, for messages."""
        kind, members = self._members(t)
        return f"{kind} {{ {', '.join(members)} }}" if members is not None else repr(t)

    def _members(self, t: object) -> tuple[str, list[str] | None]:
        """The keyword of a type and its members; None for one without."""
        match t:
            case model.RecordType(fields=fields):
                return "record", self._named(fields)
            case model.VariantType(cases=cases):
                return "variant", [self._case(c) for c in cases]
            case model.EnumType(names=names):
                return "enum", [escaped(n) for n in names]
            case model.FlagsType(names=names):
                return "flags", [escaped(n) for n in names]
        return "type", None

    def _result(self, ok: ValType | None, err: ValType | None) -> str:
        if err is None:
            return "result" if ok is None else f"result<{self.type(ok)}>"
        return f"result<{'_' if ok is None else self.type(ok)}, {self.type(err)}>"

    def _case(self, case: model.Case) -> str:
        return escaped(case.name) if case.type is None else f"{escaped(case.name)}({self.type(case.type)})"

    def _named(self, members: Iterable[Named]) -> list[str]:
        return [f"{escaped(m.name)}: {self.type(m.type)}" for m in members]

    def declaration(self, t: TypeDef) -> tuple[str, list[str] | None]:
        """The head of a type's definition and its members; None where the head is all of it."""
        kind, members = self._members(t.kind)
        if members is not None:
            return f"{kind} {escaped(t.name or '')}", members
        assert isinstance(t.kind, ValType)
        return f"type {escaped(t.name or '')} = {self.type(t.kind)};", None

    def function(self, function: Function) -> str:
        """A function's type as it stands behind its name; a method without its receiver."""
        params = function.params[1:] if function.kind == "method" else function.params
        text = f"({', '.join(self._named(params))})"
        if function.kind == "constructor":
            constructed = self._constructed(function)
            return f"constructor{text}" + f" -> {constructed}" * bool(constructed)
        return _func(text, "" if function.result is None else self.type(function.result), function.is_async)

    def _constructed(self, function: Function) -> str:
        """What a fallible constructor returns; nothing for one that returns its resource."""
        result = function.result
        assert isinstance(result, TypeDef)
        return self.type(result) if isinstance(result.kind, model.ResultType) else ""


def _handle(resource: model.ResourceType | model.TypeDef) -> str:
    return escaped(resource.name or "resource")


def _func(params: str, result: str, is_async: bool) -> str:
    return f"{'async ' * is_async}func{params}{f' -> {result}' * bool(result)}"


def type_text(t: ValType, most: int = READABLE) -> str:
    """A type in a message: in full, or else what it is and how many parts it has."""
    try:
        return TypeTexts(most, of_own=0).type(t)
    except TooLongError:
        if isinstance(t, TypeDef) and t.name is not None:
            return cut(escaped(t.name))
        kind = t.kind if isinstance(t, TypeDef) else t
        return f"{type(kind).__name__.removesuffix('Type').lower()}<… {parts_in_all(t.size)}>"


def func_text(t: model.FuncType) -> str:
    """A structural function type, for messages; cut where it is long."""
    params = [f"{escaped(p.name)}: {type_text(p.type, _SHORT)}" for p in t.params[:_MOST_PARAMS]]
    more = len(t.params) - len(params)
    params += [f"… {counted(more, 'more parameter')}"] * (more > 0)
    return _func(f"({', '.join(params)})", "" if t.result is None else type_text(t.result, _SHORT), t.is_async)
