"""Types of fields that name files or have a file's content.

In: a node and its scope. Out: `Source`s, octal modes, digests, absolute guest paths.
"""

from __future__ import annotations

import re

from wippywasm.app.definition.node import Node
from wippywasm.app.entry import Source
from wippywasm.app.paths import PathError, inside, read_text
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import refuse
from wippywasm.dataclass import dataclass

_DIGEST = re.compile(r"sha256:[0-9a-fA-F]{64}")
_MODE = re.compile(r"0?[0-7]{3,4}")


@dataclass(frozen=True)
class SourceText:
    """A text in place, or `file://path` relative to the YAML file; the path may not lead out of the app folder."""

    words: str = "text, or file://path"

    def check(self, node: Node, scope: Scope) -> Source | None:
        value = node.value
        if not isinstance(value, str) or not value.strip():
            refuse(node, scope, self.words)
            return None
        if not value.startswith("file://"):
            return Source(value, scope.at.path, node.line + ("\n" in value))
        try:
            return self._read(value.removeprefix("file://"), scope)
        except PathError as error:
            scope.problem(error.message, error.hint)
            return None

    def _read(self, path: str, scope: Scope) -> Source:
        file = inside(scope.file.parent, path, scope.app, "the app folder")
        shown = file.relative_to(scope.app.resolve())
        return Source(read_text(file, path), str(scope.app / shown))


@dataclass(frozen=True)
class Digest:
    """`sha256:` and 64 hexadecimal digits; gives them in lower case."""

    words: str = "sha256: and 64 hexadecimal digits"

    def check(self, node: Node, scope: Scope) -> str | None:
        if isinstance(node.value, str) and _DIGEST.fullmatch(node.value):
            return node.value.lower()
        refuse(node, scope, self.words, "sha256sum FILE prints the digits")
        return None


@dataclass(frozen=True)
class Mode:
    """Unix permissions in octal digits, quoted or not; gives the number."""

    words: str = "permissions in octal, such as '0755'"

    def check(self, node: Node, scope: Scope) -> int | None:
        text = str(node.value) if isinstance(node.value, int | str) else ""
        if _MODE.fullmatch(text):
            return int(text, 8)
        refuse(node, scope, self.words)
        return None


def absolute_guest_path(path: str) -> str | None:
    """The rule for paths that a guest sees."""
    if not path.startswith("/"):
        return f"'{path}' must be absolute: a guest's paths start with '/'"
    if "\0" in path or ".." in path.split("/"):
        return f"'{path}' may have no '..'"
    return None
