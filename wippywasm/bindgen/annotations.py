"""Types as Python annotations.

In: a type of a resolution, and the module it stands in. Out: text; what it needs is imported into the module.
Values are those of SPEC section 5, with classes for what has a name: flags are a set of members, `list<u8>` is bytes.
"""

from __future__ import annotations

from wippywasm import model
from wippywasm.bindgen.modules import Module, Modules
from wippywasm.model import ValType
from wippywasm.wit import TypeDef

_PRIMS = {"bool": "bool", "f32": "float", "f64": "float", "char": "str", "string": "str", "error-context": "object"}


def annotation(t: ValType | None, module: Module, modules: Modules) -> str:
    """The annotation of a value; `None` where there is none. Raises TooLongError."""
    return modules.texts.of((module, t), lambda: _annotation(t, module, modules))


def _annotation(t: ValType | None, module: Module, modules: Modules) -> str:
    def go(part: ValType | None) -> str:
        return annotation(part, module, modules)

    match t:
        case None:
            return "None"
        case TypeDef(name=None):
            assert isinstance(t.kind, ValType)
            return go(t.kind)
        case TypeDef():
            name = modules.name(t, module)
            return f"{module.builtin('set')}[{name}]" if isinstance(t.root.kind, model.FlagsType) else name
        case model.Prim(name=name):
            return module.builtin(_PRIMS.get(name, "int"))
        case model.OwnType(resource=TypeDef() as resource) | model.BorrowType(resource=TypeDef() as resource):
            return modules.name(resource, module)
        case model.ListType(element=element):
            return module.builtin("bytes") if _is_u8(element) else f"{module.builtin('list')}[{go(element)}]"
        case model.MapType(key=key, value=value):
            return f"{module.builtin('dict')}[{go(key)}, {go(value)}]"
        case model.TupleType(items=items):
            return f"{module.builtin('tuple')}[{', '.join(map(go, items)) or '()'}]"
        case model.OptionType(type=inner):
            text = go(inner)
            return f"{module.use('wippywasm', 'Some')}[{text}] | None" if _is_option(inner) else f"{text} | None"
        case model.ResultType(ok=ok, err=err):
            good, bad = module.use("wippywasm", "Ok"), module.use("wippywasm", "Err")
            return f"{good}[{go(ok)}] | {bad}[{go(err)}]"
    return module.builtin("object")  # streams and futures: no values of them cross yet


def _behind(t: ValType) -> object:
    return t.root.kind if isinstance(t, TypeDef) else t


def _is_u8(t: ValType) -> bool:
    return _behind(t) is model.U8


def _is_option(t: ValType) -> bool:
    return isinstance(_behind(t), model.OptionType)
