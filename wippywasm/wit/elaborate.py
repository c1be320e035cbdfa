"""A world's implicit imports.

In: a world as written. Out: the same world with every interface that its types come from, in an order in which each
item follows what it needs: interfaces, used types, own types, functions, methods.
Spec: `WIT.md`, "Transitive imports and worlds".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    direct_dependencies,
    key_name,
    used_interface,
)
from wippywasm.wit.source import Refusal


def elaborate(world: World) -> None:
    """Completes `world`. Refuses an export that needs an interface both as an import and as an export."""
    imports: dict[WorldKey, WorldItem] = {}
    for key, item in sorted(world.imports.items(), key=_rank):
        if isinstance(item, InterfaceItem):
            _add_import(imports, key, item)
            continue
        if isinstance(item, TypeDef) and (source := used_interface(item)) is not None:
            _add_import(imports, source, InterfaceItem(source, None, item.stability))
        imports[key] = item
    exports = _Exports(world, imports)
    exports.run()
    world.imports = dict(sorted(imports.items(), key=_rank))
    world.exports = exports.exports


def _rank(entry: tuple[WorldKey, WorldItem]) -> int:
    item = entry[1]
    if isinstance(item, InterfaceItem):
        return 0
    if isinstance(item, TypeDef):
        target = item.kind
        return 1 if isinstance(target, TypeDef) and target.owner is not item.owner else 2
    return 3 if item.resource is None else 4


def _add_import(imports: dict[WorldKey, WorldItem], key: WorldKey, item: InterfaceItem) -> None:
    """Adds an interface behind those that it uses. Not recursive: a chain of interfaces may be long."""
    pending: list[tuple[WorldKey, InterfaceItem, bool]] = [(key, item, False)]
    while pending:
        key, item, ready = pending.pop()
        if key in imports:
            continue
        if ready:
            imports[key] = replace(item, span=None)
            continue
        pending.append((key, item, True))
        needed = [InterfaceItem(i, None, item.stability) for i in direct_dependencies(item.interface)]
        pending.extend((n.interface, n, False) for n in reversed(needed) if n.interface not in imports)


@dataclass
class _Step:
    key: WorldKey
    item: InterfaceItem
    exported: bool
    dependencies: list[Interface] = field(default_factory=list)
    entered: bool = False


class _Exports:
    """Exported interfaces in order. What they use is exported too where the world says so, and imported otherwise."""

    def __init__(self, world: World, imports: dict[WorldKey, WorldItem]) -> None:
        self.world = world
        self.imports = imports
        self.exports: dict[WorldKey, WorldItem] = {k: i for k, i in world.exports.items() if isinstance(i, Function)}
        self.wanted = {k: i for k, i in world.exports.items() if isinstance(i, InterfaceItem)}
        self.required: set[Interface] = set()

    def run(self) -> None:
        for key, item in self.wanted.items():
            if not self._add(key, item):
                message = f"`{key_name(key)}` needs an interface both as an import and as an export of this world"
                hint = "export every interface on the way to it, or none"
                raise Refusal(self.world.span, message, hint)

    def _add(self, key: WorldKey, item: InterfaceItem) -> bool:
        stack = [_Step(key, item, True)]
        while stack:
            step = stack[-1]
            if not step.entered:
                done = self._enter(step)
                if done is False:
                    return False
                if done:
                    stack.pop()
                    continue
            if step.dependencies:
                needed = step.dependencies.pop(0)
                item = InterfaceItem(needed, None, step.item.stability, step.item.external_id)
                stack.append(_Step(needed, item, step.exported and needed in self.wanted))
                continue
            if not self._leave(stack.pop()):
                return False
        return True

    def _enter(self, step: _Step) -> bool | None:
        """True if the interface is there already, False if it is there in the wrong way, else None."""
        step.entered = True
        if step.key in self.exports:
            return step.exported
        if not step.exported and step.item.interface in self.required:
            return True
        step.dependencies = list(dict.fromkeys(direct_dependencies(step.item.interface)))
        return None

    def _leave(self, step: _Step) -> bool:
        interface = step.item.interface
        if step.exported:
            if interface in self.required:
                return False
            self.exports[step.key] = step.item
        else:
            self.required.add(interface)
            self.imports.setdefault(step.key, step.item)
        return True
