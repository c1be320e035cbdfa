"""Names of WIT as names of Python that mean nothing else where they stand.

In: kebab-case names, and what is taken. Out: identifiers. A name that would hide something gets an underscore at its
end, which no WIT name has; where several become the same, each gets one more.

Spec: `Explainer.md` (labels); PEP 8.
"""

from __future__ import annotations

import keyword
from collections.abc import Container, Iterable

from wippywasm.instance.names import pascal, snake

BUILTINS = frozenset(("bool", "bytes", "dict", "float", "int", "list", "object", "set", "str", "tuple", "type"))
"""Built-in names that annotations may use."""
AMBIGUOUS = frozenset(("l", "O", "I"))
"""Names that linters refuse, as they look like digits."""

MOST_UNDERSCORES = 8


class Pool:
    """The names of one namespace. `shared` are taken in others, too."""

    def __init__(self, taken: Iterable[str] = (), shared: Container[str] = ()) -> None:
        self._taken = set(taken)
        self._shared = shared
        self._uses: dict[str, int] = {}
        """How often names were wanted that were not free."""

    def take(self, *wanted: str) -> str:
        """The first of `wanted` that is free, or else the last of them with something at its end."""
        name = next(filter(self._is_free, wanted), None) or self._renamed(wanted[-1])
        self._taken.add(name)
        return name

    def _renamed(self, wanted: str) -> str:
        """The name with underscores, of which the next has one more; with a number where it would be long."""
        name, number = wanted, self._uses.get(wanted, 0)
        while not self._is_free(name):
            number += 1
            name = wanted + ("_" * number if number <= MOST_UNDERSCORES else f"__{number}")
        self._uses[wanted] = number
        return name

    def _is_free(self, name: str) -> bool:
        is_taken = name in self._taken or name in self._shared
        return not is_taken and not keyword.iskeyword(name) and name not in AMBIGUOUS


def class_name(name: str) -> str:
    """`output-stream` as `OutputStream`."""
    return pascal(name)


def member_name(name: str) -> str:
    """The member of an enum: `not-found` as `NOT_FOUND`."""
    return name.replace("-", "_").upper()


def function_name(name: str) -> str:
    """What Python calls a function, a method or a static function: the same as for guests without bindings."""
    return snake(name)


def module_name(name: str) -> str:
    """The file of an interface, on any file system."""
    return snake(name).lower()


def attribute_names(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Fields or parameters that share a namespace with annotations."""
    pool = Pool(("self", "result", *taken), BUILTINS)
    return [pool.take(snake(name)) for name in names]
