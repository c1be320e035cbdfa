"""Values of drawn types through classes and without: the same answers, on every engine."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.bindgen.plain_values import plain
from wippywasm import load
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.model import (
    EnumType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.wit import World, parse_text, type_text

Make = Callable[[World], ModuleType]
SETTINGS = settings(
    max_examples=25,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
ECHO = """(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
                           (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $p) (local.get 3)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1)))))
    (local.get $p))
  (func (export "test:echo/api#echo") (param i32 i32) (result i32)
    (i32.store (i32.const 64) (local.get 0))
    (i32.store (i32.const 68) (local.get 1))
    (i32.const 64)))"""


class EchoWorld:
    """WIT of a world that echoes lists of a type; its nominal types are called `t-0`, `t-1`, …"""

    def __init__(self, t: ValType) -> None:
        self._names: dict[ValType, str] = {}
        self._lines: list[str] = []
        whole = self._type(t)
        echo = f"echo: func(x: list<{whole}>) -> list<{whole}>;"
        self.text = (
            f"package test:echo; interface api {{ {' '.join(self._lines)} {echo} }} world echo {{ export api; }}"
        )

    def _type(self, t: ValType | None) -> str:
        match t:
            case RecordType(fields=fields):
                return self._name(t, "record", [f"{f.name}: {self._type(f.type)}" for f in fields])
            case VariantType(cases=cases):
                texts = [c.name if c.type is None else f"{c.name}({self._type(c.type)})" for c in cases]
                return self._name(t, "variant", texts)
            case EnumType(names=names):
                return self._name(t, "enum", names)
            case FlagsType(names=names):
                return self._name(t, "flags", names)
            case ListType(element=element, length=length):
                return f"list<{self._type(element)}{'' if length is None else f', {length}'}>"
            case OptionType(type=inner):
                return f"option<{self._type(inner)}>"
            case TupleType(items=items):
                return f"tuple<{', '.join(map(self._type, items))}>"
            case MapType(key=key, value=value):
                return f"map<{self._type(key)}, {self._type(value)}>"
            case ResultType(ok=ok, err=err):
                return self._result(ok, err)
        assert t is not None
        return type_text(t)

    def _result(self, ok: ValType | None, err: ValType | None) -> str:
        if err is None:
            return "result" if ok is None else f"result<{self._type(ok)}>"
        return f"result<{'_' if ok is None else self._type(ok)}, {self._type(err)}>"

    def _name(self, t: ValType, kind: str, members: list[str] | tuple[str, ...]) -> str:
        if t not in self._names:
            self._names[t] = f"t-{len(self._names)}"
            self._lines.append(f"{kind} {self._names[t]} {{ {', '.join(members)} }}")
        return self._names[t]


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES)
def test_classes_and_plain_values_are_the_same_to_a_guest(
    make: Make, engine: Engine, data: st.DataObject, t: ValType
) -> None:
    whole = ListType(t)
    text = EchoWorld(t).text
    package = make(parse_text(text).world())
    values = data.draw(abi_types.values(whole))
    wasm = wat2wasm(ECHO)
    with load(wasm, wit=text, engine=engine).instantiate() as guest:
        assert abi_types.same(guest.call("api#echo", values), values)
    with package.instantiate(load(wasm, wit=package.BINDINGS.wit, engine=engine)) as world:
        bound = world.api.echo(values)
        assert abi_types.same(plain(whole, bound), values)
        assert abi_types.same(plain(whole, world.api.echo(bound)), values)
