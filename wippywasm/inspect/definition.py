"""The definition file that makes a binary callable: the text to paste.

In: where the binary is, what it exports and imports, the app folder. Out: YAML that is an app's `_index.yaml` as it
stands, or whose entries go into one that is there: a filesystem entry, and one entry for each function; for one that
serves HTTP the service, router and endpoints as well.

Spec: SPEC sections 2, 3, 7 and 12.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from wippywasm import engine
from wippywasm.dataclass import dataclass
from wippywasm.engine.features import LABELS, labels
from wippywasm.inspect.exports import is_command, is_handler
from wippywasm.inspect.model import DefinedEntry, Definition, EngineFit, ExportedFunction
from wippywasm.visible import visible

PROCESS = "process.wasm"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z|sha256:[0-9a-f]+\Z")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_MAX_NAME = 100
MOST_ENTRIES = 10_000
"""Functions that get an entry in one definition file."""
_SHORT = 200
"""The letters that a field may have in each entry."""

ADDRESS = "127.0.0.1:8080"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""HEAD is served by GET; OPTIONS is answered from the endpoints that there are."""
_NEEDED_TO_SERVE = ("wasi:io", "wasi:http")


@dataclass(frozen=True)
class Subject:
    """What is to be defined. `file` is the binary or text, `app` the app folder; `wit` the types of a core module."""

    file: Path
    app: Path
    digest: str
    declare: tuple[str, ...]
    wit: str | None = None
    text: str | None = None
    """The WebAssembly text of a `.wat`."""
    allocates: bool = False
    """Whether it is a core module with an allocator for the runtime."""
    engines: tuple[EngineFit, ...] = ()
    notes: tuple[str, ...] = ()
    """What of its imports `imports:` can't grant, and what to do about that."""


def define(subject: Subject, functions: Sequence[ExportedFunction]) -> Definition | None:
    """Entries for the functions that can be called by id or serve HTTP; None where there is none."""
    chosen = [f for f in functions if f.by_id is None or is_handler(f.key)]
    if not chosen:
        return None
    return _Writer(subject).write(chosen)


class _Writer:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.namespace = _words(subject.file.stem, "app")
        self._ids: set[str] = set()
        self._write = self._pieces
        self._numbers: dict[str, int] = {}
        """How many names there are that others have, too."""
        self.notes = [*subject.notes]

    def write(self, functions: Sequence[ExportedFunction]) -> Definition:
        head = [*_engine_comment(self.subject.engines), 'version: "1.0"']
        head += [f"namespace: {scalar(self.namespace)}", "entries:"]
        head += self._filesystem() if self.subject.text is None else []
        entries = tuple(self._defined(function.key) for function in functions[:MOST_ENTRIES])
        if len(functions) > MOST_ENTRIES:
            self.notes.append(
                f"{len(functions) - MOST_ENTRIES:,} more functions have no entry here: name one by --method"
            )
        long = tuple(text for text in (self._source, self._wit) if len(text) > _SHORT)
        return Definition(_joined(head), entries, tuple(self.notes), long)

    def _defined(self, key: str) -> DefinedEntry:
        id = self._id(key)
        if is_handler(key):
            serving = _joined(self._serving(self._name_of(id)))
            return DefinedEntry(key, id, lambda entry: (*self._pieces(entry), serving), address=f"http://{ADDRESS}/")
        return DefinedEntry(key, id, self._write, self.namespace if is_command(key) else None)

    def _filesystem(self) -> list[str]:
        self._take("binaries")
        folder = self.subject.file.resolve().parent
        app = self.subject.app.resolve()
        inside = folder.is_relative_to(app)
        directory = os.path.relpath(folder, app) if inside else str(folder)
        if not inside:
            self.notes.append("the file is outside of the app folder, so its folder is given in full")
        if self.subject.allocates and self.subject.wit is None:
            self.notes.append(
                "the module seems made for texts or lists: give its types as `wit`, or it takes numbers only"
            )
        return ["  - name: binaries", "    kind: fs.directory", f"    directory: {scalar(directory)}"]

    def _pieces(self, entry: DefinedEntry) -> tuple[str, ...]:
        """The text of an entry without what it may need to serve."""
        return self._head(entry), self._source, f"    method: {scalar(entry.key)}\n", self._wit, self._tail(entry)

    def _head(self, entry: DefinedEntry) -> str:
        command = entry.command is not None
        program = PROCESS if command else "function.wasm"
        kind = program if self.subject.text is None else "function.wat"
        lines = [f"  - name: {scalar(self._name_of(entry.id))}", f"    kind: {kind}"]
        if command:
            lines.append(f"    meta: {{command: {{name: {scalar(self.namespace)}}}}}")
        return _joined(lines)

    def _tail(self, entry: DefinedEntry) -> str:
        lines = []
        declare = self.subject.declare
        if entry.address is not None:
            lines.append("    transport: wasi-http")
            lines.append("    pool: {type: inline}")  # JavaScript's servers answer one request in their life
            declare = tuple(dict.fromkeys((*declare, *_NEEDED_TO_SERVE)))
        if declare:
            lines.append(f"    imports: [{', '.join(map(scalar, declare))}]")
        if entry.command is not None and self._has_arguments():
            lines.append(f"    wasi: {{args: [{scalar(self.namespace)}]}}")
        return _joined(lines)

    def _serving(self, function: str) -> Iterator[str]:
        """A service with one router, which hands every path and method to the function."""
        service, router = self._name_of(self._take("web")), self._name_of(self._take("router"))
        yield from (f"  - name: {service}", "    kind: http.service", f"    addr: {scalar(ADDRESS)}")
        yield from (f"  - name: {router}", "    kind: http.router", f"    meta: {{server: {service}}}")
        for method in METHODS:
            yield f"  - name: {self._name_of(self._take(method.lower()))}"
            yield "    kind: http.endpoint"
            yield f"    meta: {{router: {router}}}"
            yield f"    method: {method}"
            yield f"    path: {scalar('/{path...}')}"
            yield f"    func: {scalar(function)}"

    def _has_arguments(self) -> bool:
        return bool({"wasi:cli", "wasi1"}.intersection(self.subject.declare))

    @cached_property
    def _wit(self) -> str:
        return "" if self.subject.wit is None else _joined(_block("wit", self.subject.wit))

    @cached_property
    def _source(self) -> str:
        return _joined(self._source_lines())

    def _source_lines(self) -> Iterable[str]:
        subject = self.subject
        if subject.text is None:
            return [
                "    fs: binaries",
                f"    path: {scalar(subject.file.name)}",
                f"    hash: {subject.digest}",
            ]
        folder, file = subject.app.resolve(), subject.file.resolve()
        if not file.is_relative_to(folder):
            return _block("source", subject.text)
        base = folder / "src" if (folder / "src").is_dir() else folder
        return [f"    source: {scalar(f'file://{os.path.relpath(file, base)}')}"]

    def _name_of(self, id: str) -> str:
        return id.removeprefix(f"{self.namespace}:")

    def _id(self, key: str) -> str:
        """An id of its own: by the name of the function, after that of its interface where two have the same."""
        interface, _, function = key.rpartition("#")
        short = _words(function, "function")
        if is_command(key):
            short = "run"
        elif interface and f"{self.namespace}:{short}" in self._ids:
            short = f"{_words(interface.partition('@')[0].rpartition('/')[2], 'interface')}-{short}"
        return self._take(short)

    def _take(self, short: str) -> str:
        """The id of that name, with a number where it is taken."""
        id = first = f"{self.namespace}:{short}"
        number = self._numbers.get(short, 1)
        while id in self._ids:
            number += 1
            id = f"{first}-{number}"
        if id is not first:
            self._numbers[short] = number
        self._ids.add(id)
        return id


def _engine_comment(fits: Sequence[EngineFit]) -> Iterator[str]:
    """What whoever pastes the entries has to do where the engine that is the default here can't run the binary."""
    default = engine.default_name()
    lacks = next((fit.lacks for fit in fits if fit.engine == default), ())
    if not lacks:
        return
    yield f"# {default}, the default engine here, can't run it: it lacks {labels([LABELS.get(n, n) for n in lacks])}."
    for other in (fit.engine for fit in fits if not fit.lacks):
        yield f'# Add --engine {other} to wippywasm, and engine="{other}" to App.load and wippywasm.load.'


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def scalar(text: str) -> str:
    """A text as YAML: bare where that means the same, in quotes otherwise."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return visible(json.dumps(text, ensure_ascii=False))  # its escapes are YAML's, too


def _block(field: str, text: str) -> Iterator[str]:
    """A text of several lines as a literal block; in quotes where a block could not hold it."""
    if (not text.isprintable() and not text.replace("\n", "").isprintable()) or text.startswith((" ", "\n")):
        yield f"    {field}: {scalar(text)}"
        return
    yield f"    {field}: |"
    yield from (f"      {line}" if line else "" for line in text.rstrip("\n").split("\n"))


def _words(text: str, otherwise: str) -> str:
    """What of a text may stand in an id."""
    found = re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:_MAX_NAME].strip("-.")
    return found or otherwise
