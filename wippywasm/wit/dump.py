"""A resolution as plain data, in the form that other WIT tools print: what the conformance vectors hold.

In: a `Resolution`. Out: dictionaries and lists, ready for `json`, or the pieces of their text; references are indices
into the four lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from wippywasm import model
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Package,
    Resolution,
    Stability,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
)

Json = dict[str, Any]


def to_json(resolution: Resolution) -> Json:
    """`worlds`, `interfaces`, `types` and `packages`, each a list."""
    return _Dump(resolution).run()


def json_pieces(resolution: Resolution) -> Iterator[str]:
    """The text of `to_json`, laid out: each item is made when it is written, as all of them take sixty times a file."""
    dump = _Dump(resolution, lambda item: item)
    return json.JSONEncoder(indent=2, default=dump.made).iterencode(dump.run())


class _Dump:
    """`of` gives what stands for an item of the resolution: what is `made` of it, or itself until that is written."""

    def __init__(self, resolution: Resolution, of: Callable[[Any], Any] | None = None) -> None:
        self.resolution = resolution
        self.of = of or self.made
        self.indices: dict[int, int] = {}
        for items in (resolution.worlds, resolution.interfaces, resolution.types, resolution.packages):
            for i, item in enumerate(items):
                self.indices[id(item)] = i

    def run(self) -> Json:
        found = self.resolution
        return {
            "worlds": [self.of(w) for w in found.worlds],
            "interfaces": [self.of(i) for i in found.interfaces],
            "types": [self.of(t) for t in found.types],
            "packages": [self.of(p) for p in found.packages],
        }

    def made(self, item: object) -> Json:
        """An item of the resolution, whose functions may be made later."""
        return _ITEMS[type(item)](self, item)

    def index(self, item: object) -> int:
        return self.indices[id(item)]

    def package(self, package: Package) -> Json:
        return _present(
            name=str(package.name),
            docs=_docs(package.docs),
            interfaces={name: self.index(i) for name, i in package.interfaces.items()},
            worlds={name: self.index(w) for name, w in package.worlds.items()},
        )

    def world(self, world: World) -> Json:
        return _present(
            name=world.name,
            imports={self.key(k): self.item(i) for k, i in world.imports.items()},
            exports={self.key(k): self.item(i) for k, i in world.exports.items()},
            package=self.index(world.package),
            docs=_docs(world.docs),
            stability=stability_json(world.stability),
        )

    def key(self, key: WorldKey) -> str:
        return key if isinstance(key, str) else f"interface-{self.index(key)}"

    def item(self, item: WorldItem) -> Json:
        if isinstance(item, TypeDef):
            return {"type": self.index(item)}
        if isinstance(item, Function):
            return {"function": self.of(item)}
        return {"interface": self.interface_item(item)}

    def interface_item(self, item: InterfaceItem) -> Json:
        return _present(
            id=self.index(item.interface),
            stability=stability_json(item.stability),
            external_id=item.external_id,
            docs=_docs(item.docs),
        )

    def interface(self, interface: Interface) -> Json:
        return {"name": interface.name} | _present(
            types={name: self.index(t) for name, t in interface.types.items()},
            functions={name: self.of(f) for name, f in interface.functions.items()},
            docs=_docs(interface.docs),
            stability=stability_json(interface.stability),
            package=self.index(interface.package),
            clone_of=None if interface.clone_of is None else self.index(interface.clone_of),
        )

    def function(self, function: Function) -> Json:
        kind = ("async-" if function.is_async else "") + function.kind
        return _present(
            name=function.name,
            kind=kind if function.resource is None else {kind: self.index(function.resource)},
            params=[{"name": p.name, "type": self.type(p.type)} for p in function.params],
            result=self.type(function.result),
            docs=_docs(function.docs),
            stability=stability_json(function.stability),
            external_id=function.external_id,
        )

    def type_def(self, t: TypeDef) -> Json:
        owner = None
        if t.owner is not None:
            owner = {"interface" if isinstance(t.owner, Interface) else "world": self.index(t.owner)}
        return {"name": t.name, "kind": self.kind(t), "owner": owner} | _present(
            docs=_docs(t.docs), stability=stability_json(t.stability), external_id=t.external_id
        )

    def type(self, t: ValType | None) -> Any:
        if t is None or isinstance(t, model.Prim):
            return None if t is None else t.name
        return self.index(t)

    def kind(self, t: TypeDef) -> Any:
        kind = t.kind
        if isinstance(kind, ResourceType):
            return "resource"
        if isinstance(kind, TypeDef | model.Prim):
            return {"type": self.type(kind)}
        return _KINDS[type(kind)](self, t, kind)

    def members(self, t: TypeDef, members: list[Json]) -> list[Json]:
        docs = t.member_docs or (None,) * len(members)
        return [member | _present(docs=_docs(text)) for member, text in zip(members, docs)]


_ITEMS: dict[type, Callable[[_Dump, Any], Json]] = {
    World: _Dump.world,
    Interface: _Dump.interface,
    TypeDef: _Dump.type_def,
    Package: _Dump.package,
    Function: _Dump.function,
}
_KINDS: dict[type, Callable[[_Dump, TypeDef, Any], Json]] = {
    model.RecordType: lambda d, t, k: {
        "record": {"fields": d.members(t, [{"name": f.name, "type": d.type(f.type)} for f in k.fields])}
    },
    model.VariantType: lambda d, t, k: {
        "variant": {"cases": d.members(t, [{"name": c.name, "type": d.type(c.type)} for c in k.cases])}
    },
    model.EnumType: lambda d, t, k: {"enum": {"cases": d.members(t, [{"name": n} for n in k.names])}},
    model.FlagsType: lambda d, t, k: {"flags": {"flags": d.members(t, [{"name": n} for n in k.names])}},
    model.TupleType: lambda d, t, k: {"tuple": {"types": [d.type(i) for i in k.items]}},
    model.OptionType: lambda d, t, k: {"option": d.type(k.type)},
    model.ResultType: lambda d, t, k: {"result": {"ok": d.type(k.ok), "err": d.type(k.err)}},
    model.MapType: lambda d, t, k: {"map": [d.type(k.key), d.type(k.value)]},
    model.StreamType: lambda d, t, k: {"stream": d.type(k.element)},
    model.FutureType: lambda d, t, k: {"future": d.type(k.element)},
    model.OwnType: lambda d, t, k: {"handle": {"own": d.index(k.resource)}},
    model.BorrowType: lambda d, t, k: {"handle": {"borrow": d.index(k.resource)}},
    model.ListType: lambda d, t, k: (
        {"list": d.type(k.element)} if k.length is None else {"fixed-length-list": [d.type(k.element), k.length]}
    ),
}


def _present(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _docs(text: str | None) -> Json | None:
    return None if text is None else {"contents": text}


def stability_json(gate: Stability | None) -> Json | None:
    """A gate as other WIT tools write it; None for none."""
    if gate is None:
        return None
    deprecated = None if gate.deprecated is None else str(gate.deprecated)
    if gate.since is not None:
        return {"stable": _present(since=str(gate.since), deprecated=deprecated)}
    return {"unstable": _present(feature=gate.feature, deprecated=deprecated)}
