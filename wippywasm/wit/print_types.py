"""Types and function types to WIT text, on one line.

In: a type of a resolution. Out: how it is written; named types by their name, others in full.
Spec: `WIT.md`, "Types", "Items: type".
"""

from __future__ import annotations

from wippywasm import model
from wippywasm.model import ValType
from wippywasm.wit.lexer import KEYWORDS
from wippywasm.wit.resolved import Function, Interface, Package, TypeDef, World


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


def type_text(t: ValType) -> str:
    """A type as it stands in a signature."""
    if isinstance(t, TypeDef):
        if t.name is not None:
            return escaped(t.name)
        assert isinstance(t.kind, ValType)
        return _handle(t.kind.resource) if isinstance(t.kind, model.OwnType) else type_text(t.kind)
    match t:
        case model.Prim(name=name):
            return name
        case model.OwnType(resource=resource):
            return f"own<{_handle(resource)}>"
        case model.BorrowType(resource=resource):
            return f"borrow<{_handle(resource)}>"
        case model.ListType(element=element, length=length):
            return f"list<{type_text(element)}>" if length is None else f"list<{type_text(element)}, {length}>"
        case model.ResultType(ok=ok, err=err):
            return _result_text(ok, err)
        case model.StreamType(element=element):
            return "stream" if element is None else f"stream<{type_text(element)}>"
        case model.FutureType(element=element):
            return "future" if element is None else f"future<{type_text(element)}>"
        case model.OptionType(type=inner):
            return f"option<{type_text(inner)}>"
        case model.TupleType(items=items):
            return f"tuple<{', '.join(map(type_text, items))}>"
        case model.MapType(key=key, value=value):
            return f"map<{type_text(key)}, {type_text(value)}>"
        case _:
            return _in_place(t)


def _in_place(t: ValType) -> str:
    """Types that WIT only writes with a name, for messages."""
    match t:
        case model.RecordType(fields=members):
            return f"record {{ {', '.join(f'{escaped(m.name)}: {type_text(m.type)}' for m in members)} }}"
        case model.VariantType(cases=cases):
            return f"variant {{ {', '.join(_case(c) for c in cases)} }}"
        case model.EnumType(names=names):
            return f"enum {{ {', '.join(map(escaped, names))} }}"
        case model.FlagsType(names=names):
            return f"flags {{ {', '.join(map(escaped, names))} }}"
        case _:
            return repr(t)


def _handle(resource: model.ResourceType | model.TypeDef) -> str:
    return escaped(resource.name or "resource")


def _result_text(ok: ValType | None, err: ValType | None) -> str:
    if err is None:
        return "result" if ok is None else f"result<{type_text(ok)}>"
    return f"result<{'_' if ok is None else type_text(ok)}, {type_text(err)}>"


def _case(case: model.Case) -> str:
    return escaped(case.name) if case.type is None else f"{escaped(case.name)}({type_text(case.type)})"


def declaration(t: TypeDef) -> tuple[str, list[str] | None]:
    """The head of a type's definition and its members; None where the head is all of it."""
    name, kind = escaped(t.name or ""), t.kind
    match kind:
        case model.RecordType(fields=members):
            return f"record {name}", [f"{escaped(m.name)}: {type_text(m.type)}" for m in members]
        case model.VariantType(cases=cases):
            return f"variant {name}", [_case(c) for c in cases]
        case model.EnumType(names=names):
            return f"enum {name}", [escaped(n) for n in names]
        case model.FlagsType(names=names):
            return f"flags {name}", [escaped(n) for n in names]
    assert isinstance(kind, ValType)
    return f"type {name} = {type_text(kind)};", None


def function_type(function: Function) -> str:
    """A function's type as it stands behind its name; a method without its receiver."""
    params = function.params[1:] if function.kind == "method" else function.params
    text = f"({', '.join(f'{escaped(p.name)}: {type_text(p.type)}' for p in params)})"
    if function.kind == "constructor":
        return f"constructor{text}" + (f" -> {_constructed(function)}" if _constructed(function) else "")
    result = "" if function.result is None else f" -> {type_text(function.result)}"
    return f"{'async ' if function.is_async else ''}func{text}{result}"


def _constructed(function: Function) -> str:
    """What a fallible constructor returns; nothing for one that returns its resource."""
    result = function.result
    assert isinstance(result, TypeDef)
    return type_text(result) if isinstance(result.kind, model.ResultType) else ""


def func_text(t: model.FuncType) -> str:
    """A structural function type, for messages."""
    params = ", ".join(f"{escaped(p.name)}: {type_text(p.type)}" for p in t.params)
    result = "" if t.result is None else f" -> {type_text(t.result)}"
    return f"{'async ' if t.is_async else ''}func({params}){result}"
