"""The modules of a package: one for each interface that its world imports or exports, and one for the world itself.

In: a resolved world. Out: `Module`s with their names given out: what each type is called in each of them, and where a
type that another interface defines comes from. An interface that is imported and exported has two modules, as its
resources differ.

Spec: `WIT.md`, "WIT Worlds", "Transitive imports and worlds".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Literal

from wippywasm import model
from wippywasm.bindgen.names import BUILTINS, Pool, class_name, function_name, module_name
from wippywasm.dataclass import dataclass
from wippywasm.errors import InternalError, TooLongError
from wippywasm.instance.names import snake
from wippywasm.model import ResourceType
from wippywasm.unfolded import PARSED_ROOM, Texts
from wippywasm.wit import Function, Interface, PackageName, TypeDef, World
from wippywasm.wit.names import words
from wippywasm.wit.resolved import InterfaceItem, key_name

HELPERS = words(
    "Any Awaitable BINDINGS Bindings BoundWorld Component Engine Enum Err Guest GuestResource Imports Limits Mapping "
    "Ok Program Protocol Some TYPES TypeAlias TypedDict Undeclared WIT Wasi builtins dataclass instantiate "
    "instantiate_bound"
)
"""What modules import or define besides the types of WIT."""

MOST = 60_000
"""How large the package of a world may be, in fields, cases and parameters; each takes some 75 bytes to be written."""
OF_ANY, OF_FILE = 25_000, 3
"""How large that of any component's world may be, and the bytes of the component that allow one more."""
OF_INTERFACE = 32
OF_CLASS = 40
"""What an interface counts, and what one that has functions adds: the class of these."""
OF_FUNCTION = 10
"""What a function of the world itself adds: it has a class of its own, in the largest file."""
OF_ITEM = 2
"""What a function or type counts besides its parts."""

Direction = Literal["import", "export", "world"]


@dataclass(eq=False)
class Module:
    """`key` is the import's or export's name, `path` the file within the package; `functions` are in WIT's order."""

    direction: Direction
    key: str
    path: tuple[str, ...]
    interface: Interface | None
    types: Mapping[str, TypeDef]
    functions: list[Function]
    docs: str | None
    own_name: str
    """What the class of the interface or world is called."""
    names: dict[TypeDef, str] = field(default_factory=dict)
    cases: dict[TypeDef, list[str]] = field(default_factory=dict)
    """The classes of the cases of variants, also of those that are used from elsewhere."""
    makers: dict[TypeDef, str] = field(default_factory=dict)
    """The classes with a resource's constructor and static functions."""
    pool: Pool = field(default_factory=Pool)
    shadowed: frozenset[str] = frozenset()
    """Built-ins that a method hides from the annotations in its class."""
    _cases_of: dict[TypeDef, list[str]] = field(default_factory=dict)
    """The cases of names for variants that were asked for."""
    used: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """What is imported: names, and what they are called here, by the module that they come from."""

    def use(self, module: str, name: str, local: str | None = None) -> str:
        """Import a name; what it is called here."""
        self.used.setdefault(module, set()).add((name, local or name))
        return local or name

    def builtin(self, name: str) -> str:
        """A built-in type, also where a method has its name."""
        if name not in self.shadowed:
            return name
        self.use("", "builtins")
        return f"builtins.{name}"

    def cases_of(self, t: TypeDef) -> list[str]:
        """The classes of the cases of a type of the module, perhaps through other names for it."""
        if not isinstance(t.root.kind, model.VariantType):
            return []
        passed = []
        while t not in self.cases and t not in self._cases_of and isinstance(t.kind, TypeDef):
            passed.append(t)
            t = t.kind
        found = self.cases.get(t) or self._cases_of.get(t, [])
        self._cases_of.update(dict.fromkeys(passed, found))
        return found

    def methods(self, resource: TypeDef, kind: str) -> list[Function]:
        """The functions of that kind that a resource has."""
        return self._members.get((resource, kind), [])

    @property
    def freestanding(self) -> list[Function]:
        return self._members.get((None, "freestanding"), [])

    @cached_property
    def _members(self) -> Mapping[tuple[TypeDef | None, str], list[Function]]:
        """The functions by what they belong to, and their kind."""
        found: dict[tuple[TypeDef | None, str], list[Function]] = {}
        for f in self.functions:
            found.setdefault((f.resource, f.kind), []).append(f)
        return found

    @property
    def defined(self) -> list[str]:
        """The names for others to import."""
        cases = [name for names in self.cases.values() for name in names]
        own = [self.own_name] if self.serves or self.direction == "world" else []
        return [*self.names.values(), *cases, *self.makers.values(), *own, "TYPES"]

    @property
    def serves(self) -> bool:
        """Whether there is something to call, besides the methods of resources."""
        return bool(self.freestanding or self.makers)

    @property
    def has_table(self) -> bool:
        """Whether types are defined here whose classes the bindings have to know."""
        return any(self.is_own(t) and (self.direction == "export" or not t.is_resource) for t in self.types.values())

    def is_own(self, t: TypeDef) -> bool:
        """Whether the type is defined here and has a class, of its own."""
        return t.root is t and not isinstance(t.kind, TypeDef) and has_class(t)

    def assign_names(self) -> None:
        """Give out the names of classes: the types' own first, as they are the ones that people write."""
        self.shadowed = BUILTINS & {function_name(plain_name(f)) for f in self.functions}
        self.pool = Pool(map(snake, self._words()), HELPERS)
        for name, t in self.types.items():
            self.names[t] = self.pool.take(class_name(name))
        self.own_name = self.pool.take(self.own_name)
        for t, name in list(self.names.items()):
            if self.is_own(t) and isinstance(t.kind, model.VariantType):
                self.cases[t] = [self.pool.take(name + class_name(c.name)) for c in t.kind.cases]
            elif self.is_own(t) and (self.methods(t, "constructor") or self.methods(t, "static")):
                self.makers[t] = self.pool.take(f"{name}Class")
        for t, name in self.names.items():
            if is_used(t) and isinstance(t.root.kind, model.VariantType):
                self.cases[t] = [self.pool.take(name + class_name(c.name)) for c in t.root.kind.cases]

    def _words(self) -> Iterator[str]:
        for f in self.functions:
            yield plain_name(f)
            yield from (p.name for p in f.params)
        for t in self.types.values():
            if isinstance(t.kind, model.RecordType):
                yield from (member.name for member in t.kind.fields)


def has_class(t: TypeDef) -> bool:
    """Whether values of a type are objects of a class of its own."""
    return isinstance(
        t.root.kind, model.RecordType | model.VariantType | model.EnumType | model.FlagsType | ResourceType
    )


def is_used(t: TypeDef) -> bool:
    """Whether another interface defines the type."""
    return isinstance(t.kind, TypeDef) and t.kind.owner is not t.owner


def plain_name(function: Function) -> str:
    """The name without what it belongs to: `size` of `[method]blob.size`, empty for a constructor."""
    if function.kind == "freestanding":
        return function.name
    return "" if function.kind == "constructor" else function.name.partition(".")[2]


class Modules:
    """All modules of a package. `world` is its `__init__`; `texts` are those of types in any of them."""

    def __init__(self, world: World) -> None:
        self.texts = Texts(PARSED_ROOM)
        self.world = Module(
            "world",
            "",
            ("__init__",),
            None,
            {t.name or "": t for t in (*world.imports.values(), *world.exports.values()) if isinstance(t, TypeDef)},
            [],
            world.docs,
            class_name(world.name),
        )
        self.imports = list(_interfaces("import", world))
        self.exports = list(_interfaces("export", world))
        self.imported = [f for f in world.imports.values() if isinstance(f, Function)]
        self.exported = [f for f in world.exports.values() if isinstance(f, Function)]
        self.world.functions = [*self.exported, *self.imported]
        for module in (*self.imports, *self.exports, self.world):
            module.assign_names()

    @property
    def interfaces(self) -> list[Module]:
        return [*self.imports, *self.exports]

    def home(self, owner: object, seen_from: Module) -> Module:
        """The module of an interface's types, as another module means them."""
        if owner is seen_from.interface and owner is not None:
            return seen_from
        if isinstance(owner, World):
            return self.world
        for side in ("export", "import") if seen_from.direction == "export" else ("import",):
            if isinstance(owner, Interface) and (side, owner) in self._homes:
                return self._homes[side, owner]
        raise InternalError(
            f"a type of {getattr(owner, 'id', owner)} is used in {seen_from.key}, which has no import of it"
        )

    @cached_property
    def _homes(self) -> Mapping[tuple[str, Interface], Module]:
        """The modules of the interfaces that have a name of their own."""
        found = [(m, m.interface) for m in self.interfaces if m.interface is not None]
        return {(m.direction, interface): m for m, interface in found if m.key == interface.id}

    def name(self, t: TypeDef, module: Module) -> str:
        """What a named type is called in a module, which imports it if need be."""
        known = module.names.get(t)
        if known is not None:
            return known
        home = self.home(t.owner, module)
        name = module.names[t] = module.pool.take(home.names[t])
        self.import_class(module, home, home.names[t], name)
        return name

    def import_class(self, module: Module, home: Module, name: str, local: str) -> None:
        up = "." * len(module.path)
        path = ".".join(home.path[:1] if home.path == ("__init__",) else home.path)
        module.use(f"{up}{'' if path == '__init__' else path}", name, local)


def check_size(world: World) -> None:
    """Raises TooLongError where a world has so many items that nobody would read their package."""
    size, most = 0, MOST
    if world.file_size is not None:
        most = min(most, OF_ANY + world.file_size // OF_FILE)
    for item in (*world.imports.values(), *world.exports.values()):
        if isinstance(item, InterfaceItem):
            inner = item.interface
            size += OF_INTERFACE + OF_CLASS * bool(inner.functions)
            size += sum(map(_size, (*inner.types.values(), *inner.functions.values())))
        else:
            size += _size(item) + OF_FUNCTION * isinstance(item, Function)
        if size > most:
            raise TooLongError(
                "the world has too many interfaces, types and functions for one package",
                hint="write bindings for smaller worlds that it could include",
            )


def _size(item: object) -> int:
    """Of a function or type."""
    parts: Sequence[object] = ()
    if isinstance(item, Function):
        parts = item.params
    elif isinstance(item, TypeDef):
        kind = item.kind
        parts = next((getattr(kind, name) for name in ("fields", "cases", "names") if hasattr(kind, name)), ())
    return OF_ITEM + len(parts)


def _interfaces(direction: Literal["import", "export"], world: World) -> Iterator[Module]:
    items = world.imports if direction == "import" else world.exports
    files = Pool()
    for key, item in items.items():
        if not isinstance(item, InterfaceItem):
            continue
        interface, name = item.interface, key_name(key)
        short = key if isinstance(key, str) else interface.name or ""
        package = interface.package.name if interface.package is not None and not isinstance(key, str) else None
        file = files.take(*(module_name(n) for n in _file_names(short, package)))
        docs = item.docs or interface.docs
        yield Module(
            direction,
            name,
            (f"{direction}s", file),
            interface,
            interface.types,
            list(interface.functions.values()),
            docs,
            class_name(short),
        )


def _file_names(short: str, package: PackageName | None) -> Iterable[str]:
    """The interface's name; where it is taken, with the package's, then with the version."""
    yield short
    if package is not None:
        yield f"{package.name}-{short}"
        yield f"{package.namespace}-{package.name}-{short}"
        if package.version is not None:
            version = "".join(c if c.isalnum() else "-" for c in str(package.version))
            yield f"{package.namespace}-{package.name}-{short}-{version}"
