"""Types and functions of one interface or world: syntax to drafts.

In: type syntax, and the names in scope. Out: `TypeDef`s and `Function`s whose types are drafts. Types without a name
are shared within a package: `list<u8>` is one `TypeDef` however often it is written.
Spec: `WIT.md`, "Types", "Handles", "Item: resource".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import chain, islice
from typing import NoReturn

from wippywasm import model
from wippywasm.wit import syntax
from wippywasm.wit.docs import documentation
from wippywasm.wit.names import taken_fault, words
from wippywasm.wit.resolved import Draft, Function, Interface, Param, Stability, Type, TypeDef, World
from wippywasm.wit.source import Poisoned, Refusal, Span
from wippywasm.wit.stability import external_id_of, stability_of

_MAP_KEYS = words("bool u8 u16 u32 u64 s8 s16 s32 s64 char string")
_INHERITING = words("alias own borrow tuple list fixed-list option map future stream result")
MAX_HINTS = 20
"""Near names are looked for this often for one package: each time costs a look at all names."""
POISON = ""
"""In a scope: a name whose definition was refused; what refers to it is not refused once more."""


class Drafter:
    """The scope of names that types and functions are resolved in, and the types made so far."""

    def __init__(self, types: list[TypeDef], lost: Collection[str] = ()) -> None:
        self.types = types
        self.lost = lost
        self.required_resources: list[tuple[TypeDef, Span]] = []
        self._anonymous: dict[Draft, TypeDef] = {}
        self._names: dict[str, TypeDef | str] = {}
        self._folded: dict[str, str] = {}
        self._hints = MAX_HINTS

    # ---- the scope ----

    def open_scope(self) -> dict[str, TypeDef | str]:
        """Forgets all names; gives the dictionary that the next ones go to, in order."""
        self._names, self._folded = {}, {}
        return self._names

    @contextmanager
    def inner_scope(self) -> Iterator[None]:
        saved = (self._names, self._folded)
        try:
            yield
        finally:
            self._names, self._folded = saved

    def bind(self, id: syntax.Id, item: TypeDef | str) -> None:
        """Gives `item` a name in this scope. Refuses one that is taken, in any case of letters."""
        folded = id.name.lower()
        if folded in self._folded:
            raise _taken(id, self._folded[folded])
        self._folded[folded] = id.name
        self._names[id.name] = item

    def poison(self, name: str) -> None:
        self._names.setdefault(name, POISON)

    def unpoison(self, name: str) -> None:
        if self._names.get(name) == POISON:
            del self._names[name]

    def is_poisoned(self, name: str) -> bool:
        return self._names.get(name) == POISON

    def miss(self, what: str, id: syntax.Id, names: Iterable[str] | None = None) -> NoReturn:
        """Refuses a name that is not among `names`, or else not in scope; not one that may have been lost."""
        if id.name in self.lost:
            raise Poisoned
        renamed = {"float32": "f32", "float64": "f64"}.get(id.name)
        if renamed:
            raise Refusal(id.span, f"there is no {what} `{id.name}`", f"it is called `{renamed}` today")
        self._hints -= 1
        near = self._near(id.name, chain(self._names, model.PRIMS) if names is None else names)
        raise Refusal(id.span, f"there is no {what} `{id.name}`", f"did you mean `{near[0]}`?" if near else None)

    def _near(self, name: str, names: Iterable[str]) -> list[str]:
        """The one of `names` that may have been meant, if looking for it costs little."""
        if self._hints < 0 or len(name) > 100:
            return []
        known = list(islice(names, 1000))
        return get_close_matches(name, known, 1) if len(known) < 1000 and sum(map(len, known)) < 20_000 else []

    def _lookup(self, id: syntax.Id) -> TypeDef:
        found = self._names.get(id.name)
        if isinstance(found, TypeDef):
            return found
        if found is None:
            self.miss("type", id)
        if found == POISON:
            raise Poisoned
        raise Refusal(id.span, f"`{id.name}` is {found}, not a type")

    # ---- types ----

    def references(self, definition: syntax.TypeExpr | syntax.Body | syntax.ResourceBody) -> Iterator[syntax.Id]:
        """The names that a definition refers to, in order."""
        if isinstance(definition, syntax.Body):
            for member in definition.members:
                if member.type is not None:
                    yield from self.references(member.type)
        elif isinstance(definition, syntax.TypeExpr):
            if definition.id is not None:
                yield definition.id
            for arg in definition.args:
                if arg is not None:
                    yield from self.references(arg)

    def type_definition(self, item: syntax.TypeItem, owner: Interface | World) -> TypeDef:
        attributes = item.header.attributes
        gate, external_id = stability_of(attributes), external_id_of(attributes)
        if isinstance(item.definition, syntax.TypeExpr):
            draft = self._draft(item.definition, gate)
        elif isinstance(item.definition, syntax.ResourceBody):
            draft = ("resource",)
        else:
            draft = self._body(item, gate)
        definition = TypeDef(item.id.name, draft, owner, item.id.span)
        definition.docs = documentation(item.header.comments)
        definition.stability, definition.external_id = gate, external_id
        if isinstance(item.definition, syntax.Body):
            definition.member_docs = tuple(documentation(m.comments) for m in item.definition.members)
            definition.member_spans = tuple(m.id.span for m in item.definition.members)
        self.types.append(definition)
        return definition

    def _body(self, item: syntax.TypeItem, gate: Stability | None) -> Draft:
        assert isinstance(item.definition, syntax.Body)
        kind, members = item.definition.kind, item.definition.members
        if kind in ("variant", "enum") and not members:
            raise Refusal(item.id.span, f"{'an' if kind == 'enum' else 'a'} {kind} has at least one case")
        _check_unique(m.id for m in members)
        if kind in ("enum", "flags"):
            return (kind, tuple(m.id.name for m in members))
        return (kind, tuple((m.id.name, None if m.type is None else self.type(m.type, gate)) for m in members))

    def type(self, expr: syntax.TypeExpr, gate: Stability | None = None) -> Type:
        """The type that `expr` stands for, new or shared."""
        draft = self._draft(expr, gate)
        if draft[0] == "alias" or draft[0] == "own":
            return draft[1]  # type: ignore[return-value]
        return self._shared(draft, gate, expr.span)

    def _shared(self, draft: Draft, gate: Stability | None, span: Span) -> TypeDef:
        found = self._anonymous.get(draft)
        if found is None:
            found = self._anonymous[draft] = TypeDef(None, draft, None, span)
            found.stability = gate or _inherited(draft)
            self.types.append(found)
        return found

    def _draft(self, expr: syntax.TypeExpr, gate: Stability | None) -> Draft:
        kind = expr.kind
        if (primitive := model.PRIMS.get(kind)) is not None:
            return ("alias", primitive)
        if expr.id is not None:
            return ("alias", self._lookup(expr.id)) if kind == "name" else (kind, self._resource(expr.id))
        args = tuple(None if arg is None else self.type(arg, gate) for arg in expr.args)
        if kind == "tuple":
            return ("tuple", args)
        if kind == "fixed-list":
            return (kind, *args, expr.size)
        if kind == "map" and (not isinstance(args[0], model.Prim) or args[0].name not in _MAP_KEYS):
            hint = "a key is a bool, an integer, a char or a string"
            raise Refusal(expr.span, "this type can't be the key of a map", hint)
        return (kind, *args)

    def _resource(self, id: syntax.Id) -> TypeDef:
        """A name that a handle is for: a resource, as far as this package can tell."""
        found = target = self._lookup(id)
        seen = 0
        while target.draft[0] == "alias" and isinstance(target.draft[1], TypeDef):
            target, seen = target.draft[1], seen + 1
            if seen > 1000:
                raise Refusal(id.span, "this name is an alias of an alias, too many times over")
        if target.draft[0] == "unknown":
            self.required_resources.append((target, id.span))
        elif target.draft[0] != "resource":
            raise Refusal(id.span, f"a handle is for a resource, and `{id.name}` is none")
        return found

    # ---- functions ----

    def function(self, item: syntax.FuncItem, resource: syntax.Id | None = None) -> Function:
        """A function; `resource` is whose it is."""
        attributes, owner = item.header.attributes, None if resource is None else self._lookup(resource)
        name, kind = item.id.name, "freestanding"
        if resource is not None:
            kind = item.role
            name = f"[constructor]{resource.name}" if kind == "constructor" else f"[{kind}]{resource.name}.{name}"
        function = Function(name, kind, owner, item.type.is_async)
        function.docs = documentation(item.header.comments)
        function.stability, function.external_id = stability_of(attributes), external_id_of(attributes)
        function.span = item.id.span
        function.params = self._params(item, owner if kind == "method" else None)
        function.result = self._result(item, owner)
        return function

    def _params(self, item: syntax.FuncItem, receiver: TypeDef | None) -> list[Param]:
        params, seen = [], {}
        if receiver is not None:
            draft: Draft = ("borrow", receiver)
            params.append(Param("self", self._shared(draft, None, item.type.span), item.type.span))
            seen["self"] = "self"
        for id, expr in item.type.params:
            if id.name.lower() in seen:
                raise Refusal(id.span, f"parameter `{id.name}` is there already, as `{seen[id.name.lower()]}`")
            seen[id.name.lower()] = id.name
            params.append(Param(id.name, self.type(expr), id.span))
        return params

    def _result(self, item: syntax.FuncItem, resource: TypeDef | None) -> Type | None:
        expr = item.type.result
        if item.role != "constructor":
            return None if expr is None else self.type(expr)
        if expr is None:
            return resource
        result = self.type(expr)
        if not isinstance(result, TypeDef) or result.draft[0] != "result":
            raise Refusal(expr.span, "a constructor that says what it returns returns a `result`")
        if result.draft[1] is not resource:
            ok = expr.args[0] if expr.kind == "result" else None
            raise Refusal((ok or expr).span, "the `ok` of a constructor is the resource that it constructs")
        return result


def _inherited(draft: Draft) -> Stability | None:
    """The gate of a type without a name: that of the first of its parts that has one."""
    if draft[0] not in _INHERITING:
        return None
    parts = draft[1] if draft[0] == "tuple" else draft[1:]
    assert isinstance(parts, tuple)
    return next((p.stability for p in parts if isinstance(p, TypeDef) and p.stability), None)


def _taken(id: syntax.Id, previous: str) -> Refusal:
    return Refusal(id.span, taken_fault(id.name, previous))


def _check_unique(ids: Iterable[syntax.Id]) -> None:
    seen: dict[str, str] = {}
    for id in ids:
        folded = id.name.lower()
        if folded in seen:
            raise _taken(id, seen[folded])
        seen[folded] = id.name


def taken_functions(body: syntax.ResourceBody) -> Iterator[Refusal]:
    """What is wrong with the names of a resource's functions, in the order of the text."""
    seen: dict[str, str] = {}
    for function in body.functions:
        is_constructor = function.role == "constructor"
        folded = "" if is_constructor else function.id.name.lower()
        if folded in seen and is_constructor:
            yield Refusal(function.id.span, "a resource has at most one constructor")
        elif folded in seen:
            yield _taken(function.id, seen[folded])
        seen.setdefault(folded, function.id.name)
