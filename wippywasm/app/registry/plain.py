"""Entries as plain values: `{id, kind, meta, data}`.

In: raw entries, or such mappings. Out: the other. What is shown has its placeholders, never what they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wippywasm.app.definition.node import Node
from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.ids import split_id
from wippywasm.app.words import kind_of
from wippywasm.errors import InvalidError

SHOWN = "registry"
"""What messages call the place of an entry that is in no file."""
MAX_DEPTH = 64
MAX_VALUES = 200_000
_KNOWN = ("name", "kind", "meta")


def plain(raw: RawEntry) -> dict[str, Any]:
    """An entry as `{id, kind, meta, data}`, of dicts and lists."""
    fields = {name: _value(node) for name, node in raw.fields.items()}
    data = {name: value for name, value in fields.items() if name not in _KNOWN}
    return {"id": raw.id, "kind": raw.kind, "meta": fields.get("meta") or {}, "data": data}


def raw_of(entry: Mapping[str, Any], app: Path, before: RawEntry | None = None) -> RawEntry:
    """The raw entry for `{id, kind, meta, data}`; raises InvalidError.

    Its files are where those of the entry before are, else in the app folder.
    """
    if not isinstance(entry, Mapping):
        raise InvalidError(f"an entry is {{id, kind, meta, data}}, got {kind_of(entry)}")
    strangers = [str(name) for name in entry if name not in ("id", "kind", "meta", "data")]
    if strangers:
        hint = "an entry's own fields go into 'data'"
        raise InvalidError(f"an entry is {{id, kind, meta, data}}, and has no '{strangers[0]:.60}'", hint=hint)
    namespace, name = split_id(entry.get("id"))
    data = entry.get("data") or {}
    if not isinstance(data, Mapping):
        raise InvalidError(f"the data of '{namespace}:{name}' is {kind_of(data)}; it has to be a mapping")
    values = {"name": name, "kind": entry.get("kind"), **({"meta": entry["meta"]} if entry.get("meta") else {}), **data}
    file = app / "_index.yaml" if before is None else before.file
    return RawEntry(f"{namespace}:{name}", namespace, file, SHOWN, 0, _Nodes().node(values, 0).mapping)


def _value(node: Node) -> Any:
    value = node.value
    if isinstance(value, Mapping):
        return {name: _value(child) for name, child in value.items()}
    return [_value(item) for item in value] if isinstance(value, tuple) else value


class _Nodes:
    """Makes nodes of values, and not too many."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def node(self, value: Any, depth: int) -> Node:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            what = f"more than {MAX_VALUES} values" if self._left < 0 else f"more than {MAX_DEPTH} levels"
            raise InvalidError(f"an entry may not have {what}")
        if value is None or isinstance(value, str | int | float):
            return Node(value, 0)
        if isinstance(value, Mapping):
            children = {self._key(key): self.node(child, depth + 1) for key, child in value.items()}
            return Node(MappingProxyType(children), 0)
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
            return Node(tuple(self.node(item, depth + 1) for item in value), 0)
        hint = "there are texts, numbers, booleans, lists and mappings"
        raise InvalidError(f"an entry can't have {kind_of(value)} in it", hint=hint)

    @staticmethod
    def _key(key: Any) -> str:
        if not isinstance(key, str):
            raise InvalidError(f"the names in an entry are text, got {kind_of(key)}")
        return key
