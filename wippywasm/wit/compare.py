"""Whether one type or function can stand where another is expected, and if not, where they differ.

In: structural types (see `flatten`). Out: None or no mismatches if it fits; otherwise `path: expected this, got that`,
a path such as `users[].name`, `result.ok` or `import a:b/c#f.x`. Value types have to be equal. Resources are the same
if they always stand in each other's place, unless a subclass knows better. For worlds see `compare_worlds`.
Spec: `Explainer.md`, "Type checking"; `WIT.md`, "A Note on Subtyping".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wippywasm import model
from wippywasm.errors import counted, with_article
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.wit.print_types import type_text

MAX_DEPTH = 200
"""Types that nest deeper are only compared as wholes."""


def type_mismatch(got: ValType, want: ValType, path: str = "") -> str | None:
    """Where `got` differs from `want`, None if they are equal."""
    return Comparison().types(got, want, path)


def function_mismatch(got: FuncType, want: FuncType, path: str = "") -> str | None:
    """Where a function of type `got` differs from one of type `want`."""
    return Comparison().functions(got, want, path)


def functions_mismatches(got: Mapping[str, FuncType], want: Mapping[str, FuncType]) -> list[str]:
    """What is missing or different in `got`, for something that needs the functions `want`; more of them do no harm."""
    return list(Comparison().function_maps(got, want, ""))


class Comparison:
    """Comparisons that agree on which resources are the same."""

    def __init__(self) -> None:
        self._resources: dict[ResourceType, ResourceType] = {}
        self._back: dict[ResourceType, ResourceType] = {}
        self._equal: set[tuple[ValType, ValType]] = set()

    @property
    def matched(self) -> Mapping[ResourceType, ResourceType]:
        """By the resources of what was wanted: those that stand in their places."""
        return self._back

    def function_maps(self, got: Mapping[str, FuncType], want: Mapping[str, FuncType], prefix: str) -> Iterator[str]:
        for name, wanted in want.items():
            if name not in got:
                yield f"{prefix}{name}: is missing"
            elif (found := self.functions(got[name], wanted, f"{prefix}{name}")) is not None:
                yield found

    def functions(self, got: FuncType, want: FuncType, path: str = "") -> str | None:
        if got.is_async != want.is_async:
            return differs(path, "an async function" if want.is_async else "a function that is not async", "the other")
        if len(got.params) != len(want.params):
            return differs(path, counted(len(want.params), "parameter"), str(len(got.params)))
        for mine, other in zip(got.params, want.params):
            if mine.name != other.name:
                return differs(path, f"parameter `{other.name}`", f"`{mine.name}`")
            if (found := self.types(mine.type, other.type, _join(path, mine.name))) is not None:
                return found
        return self._optional(got.result, want.result, _join(path, "result"))

    def _optional(self, got: ValType | None, want: ValType | None, path: str) -> str | None:
        if got is None or want is None:
            return None if got is want else differs(path, _text(want), _text(got))
        return self.types(got, want, path)

    def types(self, got: ValType, want: ValType, path: str = "") -> str | None:
        """Where two types differ. Pairs that were found equal are not walked again."""
        if (got, want) in self._equal:
            return None
        if got.depth != want.depth or got.depth > MAX_DEPTH or type(got) is not type(want):
            if got is want:
                return None
            return self._closest(got, want, path)
        found = self._same_kind(got, want, path)
        if found is None:
            self._equal.add((got, want))
        return found

    def _closest(self, got: ValType, want: ValType, path: str) -> str | None:
        """The innermost place that can be named for two types of different height or kind."""
        if type(got) is type(want) and max(got.depth, want.depth) <= MAX_DEPTH:
            return self._same_kind(got, want, path) or differs(path, _text(want), _text(got))
        return differs(path, _text(want), _text(got))

    def _same_kind(self, got: ValType, want: ValType, path: str) -> str | None:
        match got, want:
            case model.OwnType(), model.OwnType():
                return self.resources(model.resource_of(got.resource), model.resource_of(want.resource), path)
            case model.BorrowType(), model.BorrowType():
                return self.resources(model.resource_of(got.resource), model.resource_of(want.resource), path)
            case model.Prim(), model.Prim():
                return None if got is want else differs(path, want.name, got.name)
            case model.EnumType(), model.EnumType():
                return self._names(got.names, want.names, path, "case")
            case model.FlagsType(), model.FlagsType():
                return self._names(got.names, want.names, path, "flag")
            case model.TypeDef(), model.TypeDef():
                return self.types(model.structural(got), model.structural(want), path)
        if isinstance(got, model.ListType) and isinstance(want, model.ListType) and got.length != want.length:
            return differs(path, _text(want), _text(got))
        return self._parts(list(parts(got)), list(parts(want)), path)

    def _parts(
        self, got: list[tuple[str, ValType | None]], want: list[tuple[str, ValType | None]], path: str
    ) -> str | None:
        found = self._names(tuple(n for n, _ in got), tuple(n for n, _ in want), path, "member")
        if found is not None:
            return found
        for (name, mine), (_, other) in zip(got, want):
            if (found := self._optional(mine, other, path + name)) is not None:
                return found
        return None

    def _names(self, got: tuple[str, ...], want: tuple[str, ...], path: str, what: str) -> str | None:
        if got == want:
            return None
        for i, (mine, other) in enumerate(zip(got, want)):
            if mine != other:
                return differs(path, f"{what} {i} to be `{other.lstrip('.')}`", f"`{mine.lstrip('.')}`")
        return differs(path, counted(len(want), what), str(len(got)))

    def resources(self, got: ResourceType, want: ResourceType, path: str) -> str | None:
        if self._resources.setdefault(got, want) is want and self._back.setdefault(want, got) is got:
            return None
        return other_resource(got, want, path)


def other_resource(got: ResourceType, want: ResourceType, path: str) -> str:
    return differs(path, f"the resource `{want.name}`", f"`{got.name}`, which is another one elsewhere")


def parts(t: ValType) -> Iterator[tuple[str, ValType | None]]:
    """The types in a type, each with its step in a path."""
    match t:
        case model.RecordType(fields=members):
            yield from ((f".{m.name}", m.type) for m in members)
        case model.VariantType(cases=cases):
            yield from ((f".{c.name}", c.type) for c in cases)
        case model.TupleType(items=items):
            yield from ((f".{i}", item) for i, item in enumerate(items))
        case model.ListType(element=element):
            yield "[]", element
        case model.StreamType(element=optional) | model.FutureType(element=optional):
            yield "[]", optional
        case model.OptionType(type=inner):
            yield ".some", inner
        case model.ResultType(ok=ok, err=err):
            yield ".ok", ok
            yield ".err", err
        case model.MapType(key=key, value=value):
            yield ".key", key
            yield ".value", value


def _text(t: ValType | None) -> str:
    """How a type is shown: in full if that is short."""
    if t is None:
        return "nothing"
    if t.depth > 5:
        return f"{with_article(_word(t))} of other types"
    text = type_text(t)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _word(t: ValType) -> str:
    return type(t).__name__.removesuffix("Type").lower()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def differs(path: str, expected: str, got: str) -> str:
    return f"{path or 'type'}: expected {expected}, got {got}"
