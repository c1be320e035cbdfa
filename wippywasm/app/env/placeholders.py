"""`${env:NAME}` in definition files.

In: raw entries, an environment. Out: the entries with the variables' values; what has none is a problem.

| written | becomes |
|---|---|
| `${env:NAME}`, `${env:ns:name}` | the value of that variable |
| `${env:NAME|text}` | the same, or `text` where nothing is set or there is no such variable |
| `${NAME|text}` | the same for names in capitals; without `|` it is left alone, so that shell scripts are |
| `$${` | `${` |

A value that is one placeholder and nothing else may be a number or a boolean, as its field wants. Sources (`source`,
`wit`) are code and are left as they are. Spec: SPEC section 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from wippywasm.app.definition.node import Node
from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.env.environment import Environment
from wippywasm.app.report import At, Report
from wippywasm.dataclass import dataclass
from wippywasm.errors import WippyError

_LEFT_ALONE = ("name", "kind", "meta", "source", "wit")
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{env:([^}|]*)(\|[^}]*)?\}|\$\{([A-Z][A-Z0-9_]*)(\|[^}]*)\}")


def interpolate(raw: RawEntry, environment: Environment, report: Report) -> RawEntry | None:
    """The entry with every placeholder in its fields replaced; None where one has no value, which is a problem."""
    reader = _Reader(environment)
    at = raw.at(report)
    before = len(report.problems)
    fields = {
        name: node if name in _LEFT_ALONE else reader.node(node, at.child(name, node))
        for name, node in raw.fields.items()
    }
    if len(report.problems) != before:
        return None
    return replace(raw, fields=MappingProxyType(fields))


@dataclass(frozen=True)
class _Reader:
    environment: Environment

    def node(self, node: Node, at: At) -> Node:
        """The same node where it has no placeholder; aliases stay shared as far as that goes."""
        value = node.value
        if isinstance(value, str):
            return self._text(node, value, at) if "${" in value else node
        if isinstance(value, tuple):
            items = tuple(self.node(item, at.item(i, item)) for i, item in enumerate(value))
            return node if all(new is old for new, old in zip(items, value)) else replace(node, value=items)
        if isinstance(value, Mapping):
            children = {name: self.node(child, at.child(name, child)) for name, child in value.items()}
            is_same = all(children[name] is child for name, child in value.items())
            return node if is_same else replace(node, value=MappingProxyType(children))
        return node

    def _text(self, node: Node, text: str, at: At) -> Node:
        whole = _PLACEHOLDER.fullmatch(text)
        if whole is not None and whole[0] != "$${":
            return replace(node, value=self._value(whole, at), variable=whole[1] or whole[3])
        return replace(node, value=_PLACEHOLDER.sub(lambda match: self._value(match, at), text))

    def _value(self, match: re.Match[str], at: At) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match[1] or match[3] or "", match[2] or match[4]
        try:
            return self.environment.get(name) if default is None else self._or(name, default[1:])
        except WippyError as error:
            at.problem(error.message, error.hint)
        return ""

    def _or(self, name: str, default: str) -> str:
        try:
            return self.environment.get(name)
        except WippyError:
            return default
