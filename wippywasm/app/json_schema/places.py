"""What `$ref` leads to.

In: a document, a reference: `#`, `#/$defs/name`, `#name`. Out: a place in the document. Spec: RFC 6901 for pointers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from wippywasm.app.json_schema.problems import Place, SchemaError

_ANCHORS = ("$anchor", "$dynamicAnchor")


class Places:
    """The places of one document."""

    def __init__(self, document: Any) -> None:
        self._document = document
        own = document.get("$id") if isinstance(document, dict) else None
        self._id = own.rstrip("#") if isinstance(own, str) else ""
        self._anchors: dict[str, Place] | None = None

    def find(self, reference: str, at: Place) -> tuple[Place, Any]:
        """The place that a reference at `at` leads to, and the schema there; raises SchemaError."""
        document, _, fragment = reference.partition("#")
        if document not in ("", self._id):
            raise SchemaError(at, f"'{reference:.80}' is in another document, and none is loaded")
        fragment = unquote(fragment)
        place = self._pointed(fragment) if fragment[:1] in ("", "/") else self._named(fragment)
        if place is None:
            raise SchemaError(at, f"'{reference:.80}' leads to nothing")
        return place, self._at(place)

    def _pointed(self, pointer: str) -> Place | None:
        here, place = self._document, []
        for step in pointer.split("/")[1:]:
            name: str | int = step.replace("~1", "/").replace("~0", "~")
            if isinstance(here, list):
                name = int(step) if step.isascii() and step.isdigit() and len(step) < 10 else -1
                if not 0 <= name < len(here):
                    return None
            elif not isinstance(here, dict) or name not in here:
                return None
            here = here[name]
            place.append(name)
        return tuple(place)

    def _named(self, anchor: str) -> Place | None:
        if self._anchors is None:
            self._anchors = dict(_anchors(self._document, ()))
        return self._anchors.get(anchor)

    def _at(self, place: Place) -> Any:
        here = self._document
        for name in place:
            here = here[name]
        return here


def _anchors(part: Any, at: Place) -> Iterator[tuple[str, Place]]:
    """Every name that a part of the document gives itself."""
    if isinstance(part, dict):
        names = (part[key] for key in _ANCHORS if isinstance(part.get(key), str))
        yield from ((name, at) for name in names)
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, child in inner:
        yield from _anchors(child, (*at, name))
