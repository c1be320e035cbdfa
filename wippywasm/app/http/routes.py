"""The routes of a service: from a method and a path to an endpoint.

In: patterns with their methods. Out: the most specific match: at the first segment where two patterns differ, a literal
is before a parameter, a parameter before a rest. A pattern that has no such method is passed over.
Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Generic, TypeVar

from wippywasm.app.http.paths import Param, Pattern, Rest, Target
from wippywasm.dataclass import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class Match(Generic[T]):
    """What was found, and what the parameters of its pattern stand for."""

    found: T
    params: Mapping[str, str]


@dataclass
class _Leaf(Generic[T]):
    """The routes of one shape, by method; each has names of its own."""

    methods: dict[str, tuple[Pattern, T]] = field(default_factory=dict)

    def get(self, method: str) -> tuple[Pattern, T] | None:
        found = self.methods.get(method)
        return self.methods.get("GET") if found is None and method == "HEAD" else found


class _Node(Generic[T]):
    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.param: _Node[T] | None = None
        self.leaf: _Leaf[T] = _Leaf()
        self.rest: _Leaf[T] = _Leaf()

    def leaf_for(self, pattern: Pattern) -> _Leaf[T]:
        node = self
        for segment in pattern.segments:
            if isinstance(segment, Rest):
                return node.rest
            if isinstance(segment, Param):
                node.param = node.param or _Node()
                node = node.param
            else:
                node = node.literals.setdefault(segment, _Node())
        return node.leaf

    def leaves(self, segments: Sequence[str], at: int = 0) -> Iterator[_Leaf[T]]:
        """All that match, the most specific first. No deeper than the longest pattern."""
        if at == len(segments):
            yield self.leaf
        else:
            literal = self.literals.get(segments[at])
            if literal is not None:
                yield from literal.leaves(segments, at + 1)
            if self.param is not None and segments[at]:
                yield from self.param.leaves(segments, at + 1)
        yield self.rest

    def everything(self) -> Iterator[T]:
        for leaf in (self.leaf, self.rest):
            yield from (found for _, found in leaf.methods.values())
        for node in (*self.literals.values(), *([self.param] if self.param is not None else [])):
            yield from node.everything()


class Routes(Generic[T]):
    """Built once, then only asked."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, method: str, pattern: Pattern, found: T) -> T | None:
        """Add a route; where there is one of that method and shape already, give that and change nothing."""
        methods = self._root.leaf_for(pattern).methods
        if method in methods:
            return methods[method][1]
        methods[method] = (pattern, found)
        return None

    def __iter__(self) -> Iterator[T]:
        """Everything that was added."""
        return self._root.everything()

    def match(self, method: str, target: Target) -> Match[T] | None:
        """The route for a request. GET serves HEAD where nothing else does."""
        for leaf in self._root.leaves(target.segments):
            route = leaf.get(method)
            if route is not None:
                return Match(route[1], _params(route[0], target))
        return None

    def allowed(self, target: Target) -> tuple[str, ...]:
        """The methods that the path has, in order of the alphabet; none where no pattern matches it."""
        methods = {method for leaf in self._root.leaves(target.segments) for method in leaf.methods}
        if methods:
            methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        return tuple(sorted(methods))


def _params(pattern: Pattern, target: Target) -> Mapping[str, str]:
    params: dict[str, str] = {}
    for i, segment in enumerate(pattern.segments):
        if isinstance(segment, Param):
            params[segment.name] = target.segments[i]
        elif isinstance(segment, Rest):
            rest = target.segments[i:]
            params[segment.name] = "/".join(rest) + ("/" if target.slash and rest else "")
    return params
