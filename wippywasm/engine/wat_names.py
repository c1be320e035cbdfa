"""Names at which wasmtime's text parser aborts the process, found before it sees them.

In: text. Out: where in it a type is named within the type of a global or table that a core module *type* imports or
exports: the parser does not look such names up. Indices in the same place are fine, and so are names elsewhere.
Spec: WebAssembly core, `text`; component-model `Explainer.md`, "Type Definitions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

MAX_DEPTH = 250
"""The forms around each other that are looked at: the parser refuses types and components that are deeper than 100."""

_TOKEN = re.compile(r"""\(;|;;[^\n\r]*|;|\$?"[^"\\]*(?:\\.[^"\\]*)*"?|[()]|[^\s()";]+""", re.DOTALL)
_COMMENT = re.compile(r"\(;|;\)")


class _Place(Enum):
    """Where a form stands, as far as names there may not be looked up."""

    ELSEWHERE = 0
    MODULE = 1
    """In a module type."""
    ITEM = 2
    """In an import or export of a module type."""
    TYPE = 3
    """In the type of a global or table there."""


_STEPS = {
    _Place.MODULE: (("import", "export"), _Place.ITEM),
    _Place.ITEM: (("global", "table"), _Place.TYPE),
    _Place.TYPE: (("ref", "exact", "mut", "shared"), _Place.TYPE),
}
"""The heads of forms in a place that lead further, and where to."""


class _Form:
    """A parenthesis that is open: its first words, how many it has, and whether forms were in it."""

    __slots__ = ("head", "is_module_type", "parent", "parts", "place", "second", "words")

    def __init__(self, parent: _Form | None, place: _Place) -> None:
        self.parent = parent
        self.place = place
        self.head = self.second = ""
        self.words = self.parts = 0
        self.is_module_type = False

    def open(self) -> _Form:
        """A form in this one, whose head has been read."""
        self.parts += 1
        if self.is_module_type:
            place = _Place.MODULE
        elif self.place is _Place.ELSEWHERE:
            place = _Place.ELSEWHERE
        elif self.head == "item" and self.place is _Place.ITEM:
            place = _Place.ITEM
        else:
            heads, place = _STEPS[self.place]
            place = place if self.head in heads else _Place.ELSEWHERE
        return _Form(self, place)

    def add(self, word: str) -> None:
        self.words += 1
        if self.words == 1:
            self._begin(word)
        elif self.words == 2:
            self.second = word
        parent = self.parent
        if word == "module" and parent is not None:
            if self.words == 1:
                self.is_module_type = (parent.head, parent.second) == ("core", "type")
            elif self.words == 2 and self.head == "core":
                self.is_module_type = parent.head in ("import", "export")

    def _begin(self, word: str) -> None:
        self.head = word
        if word[0] == "@" and self.parent is not None:
            self.parent.parts -= 1  # annotations stand anywhere, and are nothing

    def close(self) -> _Form | None:
        """The form around it. A module with an import of its own, of one name, is the type of what is imported."""
        around = self.parent
        if around is not None and self.head == "import" and (around.head, around.second) == ("core", "module"):
            is_of_one_name = self.words == 1 or (self.words == 2 and not self.parts)
            around.is_module_type = around.is_module_type or is_of_one_name
        return around

    def forgets_names(self) -> bool:
        """Whether names in this form are among those that are not looked up."""
        return self.place is _Place.TYPE and self.head in ("ref", "exact")


def unresolved_name(text: str) -> re.Match[str] | None:
    """The first such name of a text, if it has one."""
    if "component" not in text or "ref" not in text:
        return None
    form: _Form | None = None
    depth = 0
    for token in _tokens(text):
        word = token.group()
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(depth - 1, 0)
            if depth >= MAX_DEPTH:
                continue
        if depth > MAX_DEPTH:
            continue
        if word == "(":
            form = _Form(None, _Place.ELSEWHERE) if form is None else form.open()
        elif form is not None:
            if word == ")":
                form = form.close()
            elif word[0] == "$" and form.forgets_names():
                return token
            else:
                form.add(word)
    return None


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """The tokens that are not in comments."""
    token = _TOKEN.search(text)
    while token is not None:
        word = token.group()
        if word == "(;":
            end = _end_of_comment(text, token.end())
        else:
            end = token.end()
            if not word.startswith(";;"):
                yield token
        token = _TOKEN.search(text, end)


def _end_of_comment(text: str, at: int) -> int:
    """Where a comment ends whose content begins there; comments may be within each other."""
    depth = 1
    for mark in _COMMENT.finditer(text, at):
        depth += 1 if mark.group() == "(;" else -1
        if depth == 0:
            return mark.end()
    return len(text)
