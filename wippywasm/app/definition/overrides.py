"""Values given on the command line instead of the file's.

In: `namespace:name:field=value` texts. Out: raw entries with those fields replaced; each such value remembers where
it came from. `field` may be dotted (`pool.max_size`); the value is read as YAML would.
Spec: SPEC section 2 (overrides).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from wippywasm.app.definition.node import Node
from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.definition.reader import YamlError, read_documents
from wippywasm.app.report import At, Report
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Override:
    """One `-o` option: the entry, the path of the field, the value."""

    id: str
    field: tuple[str, ...]
    value: Node


def apply_overrides(entries: Sequence[RawEntry], texts: Iterable[str], report: Report) -> list[RawEntry]:
    """The entries with every override applied, in order; bad ones become problems."""
    done = list(entries)
    for text in texts:
        override = _parse(text, report)
        if override is not None:
            done = _apply(done, override, At(report, override.value.origin))
    return done


def _parse(text: str, report: Report) -> Override | None:
    target, equals, value = text.partition("=")
    namespace, _, rest = target.partition(":")
    name, colon, path = rest.partition(":")
    field = tuple(path.split("."))
    at = At(report, f"-o {text}")
    if not (equals and namespace and name and colon and all(field)):
        at.problem("an override is written namespace:name:field=value")
        return None
    if any("\ud800" <= ch <= "\udfff" for ch in text):  # bytes of the command line
        at.problem("an override is UTF-8")
        return None
    try:
        documents, _ = read_documents(value)
    except YamlError:
        documents = [Node(value, 0)]
    node = documents[0] if len(documents) == 1 else Node(value, 0)
    return Override(f"{namespace}:{name}", field, replace(node, origin=f"-o {text}"))


def _apply(entries: list[RawEntry], override: Override, at: At) -> list[RawEntry]:
    if not any(entry.id == override.id for entry in entries):
        at.problem(f"there is no entry '{override.id}'", did_you_mean_id(override.id, (e.id for e in entries)))
        return entries
    if override.field == ("name",):
        at.problem("an entry's name can't be overridden")
        return entries
    return [_changed(entry, override) if entry.id == override.id else entry for entry in entries]


def _changed(entry: RawEntry, override: Override) -> RawEntry:
    whole = _set(Node(entry.fields, entry.line), override.field, override.value)
    return replace(entry, fields=whole.mapping)


def _set(node: Node, path: tuple[str, ...], value: Node) -> Node:
    head, rest = path[0], path[1:]
    if rest:
        child = node.mapping.get(head, Node(MappingProxyType({}), 0, origin=value.origin))
        value = _set(child, rest, value)
    return replace(node, value=MappingProxyType({**node.mapping, head: value}))
