"""What is asked of policies, and the fields of it that conditions name.

In: an actor, an action, a resource, facts about it. Out: `actor.id`, `actor.meta.…`, `action`, `resource`, `meta.…`.
Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wippywasm.dataclass import dataclass

if TYPE_CHECKING:
    from wippywasm.app.context import Actor

FIELDS = ("actor.id", "actor.meta.…", "action", "resource", "meta.…")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Missing:
    """Stands for a field that is not there; so does null."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()


class Request(NamedTuple):
    """May `actor` do `action` to `resource`? `meta` are facts about the resource."""

    actor: Actor | None
    action: str
    resource: str
    meta: Mapping[str, Any] = _NOTHING


@dataclass(frozen=True)
class FieldPath:
    """A field of a request, such as `actor.meta.team.name`."""

    keys: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> FieldPath | None:
        """The path of a text; None where there is no such field."""
        keys = tuple(text.split("."))
        known = keys in (("action",), ("resource",), ("actor", "id")) or keys[0] == "meta"
        if "" in keys or not (known or keys[:2] == ("actor", "meta")):
            return None
        return cls(keys)

    def of(self, request: Request) -> Any:
        """Its value, or `MISSING`."""
        match self.keys:
            case ("action",):
                return request.action
            case ("resource",):
                return request.resource
            case ("actor", "id"):
                return MISSING if request.actor is None else request.actor.id
            case ("actor", _, *keys):
                return MISSING if request.actor is None else _inside(request.actor.meta, keys)
        return _inside(request.meta, self.keys[1:])


def _inside(value: Any, keys: tuple[str, ...] | list[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return MISSING if value is None else value
