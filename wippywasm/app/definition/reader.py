"""YAML text to nodes, safely.

In: text of any origin. Out: one `Node` per document, and complaints that did not stop the reading.

Only PyYAML's event stream is used: it is no deeper than the text is nested when we give up, it constructs no objects,
and it lets every key keep its line. Aliases share nodes; what they expand to is counted before anyone walks it.
Spec: YAML 1.2, with the merge key `<<`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any

import yaml

from wippywasm.app.definition.node import Node, Scalar
from wippywasm.app.definition.scalars import resolve, resolve_tagged
from wippywasm.dataclass import dataclass

MAX_DEPTH = 64
MAX_VALUES = 200_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_COLLECTIONS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True)
class Complaint:
    """Something wrong with the text at `line` (from 1)."""

    line: int
    message: str
    hint: str | None = None


class YamlError(Exception):
    """The text can't be read; `complaint` says where and why."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.message)
        self.complaint = complaint


def read_documents(text: str) -> tuple[list[Node], list[Complaint]]:
    """Every document of a YAML text, and what is wrong with it short of stopping; raises `YamlError`."""
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        raise YamlError(_complaint_of(error, text)) from None
    except UnicodeError:
        raise YamlError(Complaint(composer.line, "not valid YAML: a tag or a character is not Unicode")) from None
    return composer.documents, composer.complaints


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _complaint_of(error: yaml.YAMLError, text: str) -> Complaint:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark is not None else 1
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "maximum nesting depth" in said:  # newer versions of the parser have a bound of their own
        return Complaint(line, f"nested deeper than {MAX_DEPTH} levels")
    hint = "indent with spaces, YAML knows no tabs" if "\t" in _line_of(text, line) else None
    context = getattr(error, "context", None)
    return Complaint(line, f"not valid YAML: {f'{context}, ' if context else ''}{said}", hint)


def _line_of(text: str, line: int) -> str:
    lines = text.split("\n", line)
    return lines[line - 1] if len(lines) >= line else ""


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    line: int
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    merged: dict[str, Node] = field(default_factory=dict)
    key: tuple[str, int] | None = None
    size: int = 1
    depth: int = 1


class _Composer:
    """Builds nodes out of events, without recursion."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.complaints: list[Complaint] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self.line = 1
        """Where what was read last begins."""

    def take(self, event: yaml.Event) -> None:
        line = self.line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._alias(event.anchor or "", line), line, plain_key=None)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if not event.value.isascii():
            event.value.encode("utf-8")  # the parser that is written in Python lets half of a surrogate pair pass
        node = Node(_scalar_value(event, line), line)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, line, plain_key=event.value)

    def _alias(self, anchor: str, line: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            said = "refers to itself" if anchor in self._anchors else "is not defined before this line"
            raise YamlError(Complaint(line, f"the anchor '{anchor}' {said}"))
        return node

    def _open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if event.tag not in _PLAIN_COLLECTIONS:
            message = f"the tag '{event.tag}' is not allowed in a definition file"
            raise YamlError(Complaint(line, message, "write the plain value"))
        if len(self._stack) >= MAX_DEPTH:
            raise YamlError(Complaint(line, f"nested deeper than {MAX_DEPTH} levels"))
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(line, event.anchor, isinstance(event, yaml.MappingStartEvent)))

    def _close(self) -> None:
        done = self._stack.pop()
        value: tuple[Node, ...] | Mapping[str, Node] = tuple(done.items)
        if done.is_mapping:
            value = MappingProxyType({**done.merged, **done.entries})
        node = Node(value, done.line, done.size, done.depth)
        if done.anchor:
            self._anchors[done.anchor] = node
        self._add(node, done.line, plain_key=None)

    def _add(self, node: Node, line: int, *, plain_key: str | None) -> None:
        if not self._stack:
            self.documents.append(node)
            return
        top = self._stack[-1]
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            top.key = (self._key(node, line, plain_key), line)
            return
        else:
            (key, key_line), top.key = top.key, None
            self._entry(top, key, replace(node, line=key_line))
        self._grow(top, node, line)

    def _grow(self, top: _Open, node: Node, line: int) -> None:
        top.size += node.size
        top.depth = max(top.depth, node.depth + 1)
        if top.depth > MAX_DEPTH:
            raise YamlError(Complaint(line, f"nested deeper than {MAX_DEPTH} levels"))
        if top.size > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values once its aliases are expanded"
            raise YamlError(Complaint(line, message, "split the file, or drop the aliases of aliases"))

    def _key(self, node: Node, line: int, plain_key: str | None) -> str:
        if plain_key is not None:
            return plain_key
        if isinstance(node.value, str):
            return node.value
        raise YamlError(Complaint(line, f"a key must be text, this is {node.describe()}"))

    def _entry(self, top: _Open, key: str, node: Node) -> None:
        if key == "<<":
            self._merge(top, node)
        elif key in top.entries:
            first = top.entries[key].line
            self.complaints.append(
                Complaint(node.line, f"the key '{key}' is given twice, first on line {first}", "keep one of them")
            )
        else:
            top.entries[key] = node

    def _merge(self, top: _Open, node: Node) -> None:
        for source in _merge_sources(node):
            for key, child in source.mapping.items():
                top.merged.setdefault(key, child)


def _scalar_value(event: yaml.ScalarEvent, line: int) -> Scalar:
    if event.tag is not None:
        try:
            return resolve_tagged(event.tag, event.value)
        except ValueError as error:
            raise YamlError(Complaint(line, str(error), "write the plain value")) from None
    is_plain: bool = event.implicit[0]
    return resolve(event.value) if is_plain else str(event.value)


def _merge_sources(node: Node) -> Iterator[Node]:
    sources = node.items if isinstance(node.value, tuple) else (node,)
    for source in sources:
        if not source.is_mapping:
            raise YamlError(Complaint(node.line, f"'<<' merges mappings, this is {source.describe()}"))
        yield source
