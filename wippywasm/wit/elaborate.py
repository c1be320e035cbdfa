"""A world's implicit imports.

In: a world as written. Out: the same world with every interface that its types come from, in an order in which each
item follows what it needs: interfaces, used types, own types, functions, methods.
Spec: `WIT.md`, "Transitive imports and worlds".
"""

from __future__ import annotations

from dataclasses import field, replace

from wippywasm.dataclass import dataclass
from wippywasm.wit.resolved import (
    Function,
    Interface,
    InterfaceItem,
    Resolution,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    direct_dependencies,
    key_name,
    used_interface,
)
from wippywasm.wit.source import Refusal


class Uses:
    """Which interfaces an interface uses directly, each once: looked up once, and paid for every time."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self._known: dict[Interface, tuple[Interface, ...]] = {}

    def of(self, interface: Interface, world: World) -> tuple[Interface, ...]:
        """Refuses, at `world`, more than all worlds together may import implicitly."""
        known = self._known.get(interface)
        if known is None:
            known = self._known[interface] = tuple(dict.fromkeys(direct_dependencies(interface)))
        self.resolution.spend(1 + len(known), world.span)
        return known


def elaborate(world: World, uses: Uses) -> None:
    """Completes `world`. Refuses an export that needs an interface both as an import and as an export."""
    imports = _Imports(world, uses)
    for key, item in sorted(world.imports.items(), key=_rank):
        if isinstance(item, InterfaceItem):
            imports.add(key, item)
            continue
        if isinstance(item, TypeDef) and (source := used_interface(item)) is not None:
            imports.add(source, InterfaceItem(source, None, item.stability))
        imports.items[key] = item
    exports = _Exports(world, imports.items, uses)
    exports.run()
    world.imports = dict(sorted(imports.items.items(), key=_rank))
    world.exports = exports.exports


def _rank(entry: tuple[WorldKey, WorldItem]) -> int:
    item = entry[1]
    if isinstance(item, InterfaceItem):
        return 0
    if isinstance(item, TypeDef):
        target = item.kind
        return 1 if isinstance(target, TypeDef) and target.owner is not item.owner else 2
    return 3 if item.resource is None else 4


class _Imports:
    """The imports of `world` in order."""

    def __init__(self, world: World, uses: Uses) -> None:
        self.world, self.uses = world, uses
        self.items: dict[WorldKey, WorldItem] = {}

    def add(self, key: WorldKey, item: InterfaceItem) -> None:
        """Adds an interface behind those that it uses. Not recursive: a chain of interfaces may be long."""
        pending: list[tuple[WorldKey, InterfaceItem, bool]] = [(key, item, False)]
        while pending:
            key, item, ready = pending.pop()
            if key in self.items:
                continue
            if ready:
                self.items[key] = replace(item, span=None)
                continue
            pending.append((key, item, True))
            needed = [i for i in self.uses.of(item.interface, self.world) if i not in self.items]
            pending.extend((i, InterfaceItem(i, None, item.stability), False) for i in reversed(needed))


@dataclass
class _Step:
    key: WorldKey
    item: InterfaceItem
    exported: bool
    pending: list[Interface] = field(default_factory=list)
    """Interfaces that this one uses and that were not looked at, the next one at the end."""
    entered: bool = False


class _Exports:
    """Exported interfaces in order. What they use is exported too where the world says so, and imported otherwise."""

    def __init__(self, world: World, imports: dict[WorldKey, WorldItem], uses: Uses) -> None:
        self.world = world
        self.uses = uses
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
            if step.pending:
                needed = step.pending.pop()
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
        step.pending = list(reversed(self.uses.of(step.item.interface, self.world)))
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
