"""The variables of an app, by public name and by id.

In: a name (`PORT`) or an id (`app.env:port`). Out: its value from its storage, else its default.
Spec: SPEC section 2 (`env.variable`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from wippywasm.app.env.storages import Storage
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError, NotFoundError, PermissionDeniedError


@dataclass(frozen=True)
class Variable:
    """One variable. `key` is its name in the storage, `name` the public one, where it has one."""

    id: str
    key: str
    storage: Storage = field(repr=False)
    name: str | None = None
    default: str | None = field(default=None, repr=False)
    is_read_only: bool = False


class Environment:
    """Reads and writes variables; the storages are shared with the environment that it follows."""

    def __init__(self, variables: Mapping[str, Variable], storages: Mapping[str, Storage]) -> None:
        self._by_id = variables
        self._by_name = {v.name: v for v in variables.values() if v.name is not None}
        self.storages = storages

    def __iter__(self) -> Iterator[Variable]:
        """Every variable."""
        return iter(self._by_id.values())

    def find(self, key: str) -> str | None:
        """The value of a name or id, None where nothing is set; raises NotFoundError for an unknown one."""
        variable = self.variable(key)
        value = variable.storage.get(variable.key)
        return variable.default if value is None else value

    def get(self, key: str) -> str:
        """The value of a name or id; raises NotFoundError where there is no such variable, or nothing is set."""
        value = self.find(key)
        if value is None:
            raise NotFoundError(f"the environment variable '{key}' is not set, and has no default")
        return value

    def set(self, key: str, value: str) -> None:
        """Set a variable; raises NotFoundError, or PermissionDeniedError where it or its storage is read-only."""
        variable = self.variable(key)
        if variable.is_read_only:
            raise PermissionDeniedError(f"the environment variable '{key}' is read-only")
        variable.storage.set(variable.key, value)

    def guarded_name(self, key: str) -> str:
        """What policies call the variable of a name or id: its public name, else its id; a key of none stays."""
        variable = self._by_name.get(key) or self._by_id.get(key)
        return key if variable is None else variable.name or variable.id

    def variable(self, key: str) -> Variable:
        """The variable of a name or id; raises NotFoundError."""
        if not key:
            raise InvalidError("the name of an environment variable is empty")
        variable = self._by_name.get(key) or self._by_id.get(key)
        if variable is None:
            known = (*self._by_name, *self._by_id)
            hint = did_you_mean(key, known) or (f"there are {listing(tuple(self._by_name))}" if self._by_name else None)
            raise NotFoundError(f"there is no environment variable '{key[:80]}'", hint=hint or "define an env.variable")
        return variable
