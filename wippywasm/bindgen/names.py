"""Names of WIT as names of Python that mean nothing else where they stand.

In: kebab-case names, and what is taken. Out: identifiers. A name that would hide something gets an underscore at its
end, which no WIT name has; where several become the same, each gets one more.

Spec: `Explainer.md` (labels); PEP 8.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from wippywasm.instance.names import pascal, snake

BUILTINS = frozenset(("bool", "bytes", "dict", "float", "int", "list", "object", "set", "str", "tuple", "type"))
"""Built-in names that annotations may use."""
AMBIGUOUS = frozenset(("l", "O", "I"))
"""Names that linters refuse, as they look like digits."""


class Pool:
    """The names of one namespace."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, *wanted: str) -> str:
        """The first of `wanted` that is free, or else the last of them with underscores."""
        for name in wanted:
            if self._is_free(name):
                break
        while not self._is_free(name):
            name += "_"
        self._taken.add(name)
        return name

    def _is_free(self, name: str) -> bool:
        return name not in self._taken and not keyword.iskeyword(name) and name not in AMBIGUOUS


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
    pool = Pool({*BUILTINS, "self", "result", *taken})
    return [pool.take(snake(name)) for name in names]
