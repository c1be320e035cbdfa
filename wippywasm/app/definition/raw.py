"""Definition files to raw entries.

In: the YAML files of an app folder. Out: one `RawEntry` per entry, its fields still nodes, and problems.
A YAML file that is no definition file is passed over; one that only almost is gets a problem.
Spec: SPEC section 2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from wippywasm.app.definition.files import definition_root, yaml_files
from wippywasm.app.definition.node import Node
from wippywasm.app.definition.reader import YamlError, read_documents
from wippywasm.app.ids import NAME, NAMESPACE
from wippywasm.app.paths import PathError, read_text
from wippywasm.app.report import At, Report
from wippywasm.app.suggest import did_you_mean
from wippywasm.dataclass import dataclass

MAX_YAML_BYTES = 8 << 20

_VERSIONS = ("1.0", "1", 1, 1.0)
_TOP_FIELDS = ("version", "namespace", "entries", "meta")
_NAME, _NAMESPACE = re.compile(NAME), re.compile(NAMESPACE)
_LOOKS_LIKE_ONE = re.compile(r"^(namespace|entries)\s*:", re.MULTILINE)


@dataclass(frozen=True)
class RawEntry:
    """An entry as written: `fields` has all of them, `name` and `kind` too. `file` is the YAML file it stands in."""

    id: str
    namespace: str
    file: Path
    shown: str
    line: int
    fields: Mapping[str, Node]

    @property
    def kind(self) -> str:
        """The kind, or an empty text where there is none."""
        node = self.fields.get("kind")
        return node.value if node is not None and isinstance(node.value, str) else ""

    def at(self, report: Report) -> At:
        return At(report, self.shown, self.line, self.id)


def read_raw_entries(app: Path, known_kinds: Collection[str], report: Report) -> list[RawEntry]:
    """Every entry of an app folder. `known_kinds` tell a definition without `namespace` from somebody else's YAML."""
    found: list[RawEntry] = []
    has_definitions = False
    try:
        for file in yaml_files(app):
            reader = _FileReader(file, str(app / file.relative_to(app)), known_kinds, report)
            found += reader.entries()
            has_definitions |= reader.has_definitions
    except PathError as error:
        At(report, str(app)).problem(error.message, error.hint)
    if not has_definitions and not report.problems:
        folder = definition_root(app)
        At(report, str(folder)).problem(
            "no definition file here", "write an _index.yaml with 'namespace' and 'entries', or choose a folder with -C"
        )
    return found


class _FileReader:
    """Reads one file."""

    def __init__(self, file: Path, shown: str, known_kinds: Collection[str], report: Report) -> None:
        self._file = file
        self._shown = shown
        self._known_kinds = known_kinds
        self._at = At(report, shown)
        self._is_index = file.stem == "_index"
        self.has_definitions = False

    def entries(self) -> Iterator[RawEntry]:
        for document in self._documents():
            if self._is_definition(document):
                self.has_definitions = True
                yield from self._entries_of(document)

    def _documents(self) -> list[Node]:
        text = ""
        try:
            text = read_text(self._file, self._shown, MAX_YAML_BYTES)
            documents, complaints = read_documents(text)
        except PathError as error:
            if self._is_index:
                self._at.problem(error.message, error.hint)
            return []
        except YamlError as error:
            documents, complaints = [], [error.complaint]
        if self._is_index or _LOOKS_LIKE_ONE.search(text):
            for complaint in complaints:
                At(self._at.report, self._shown, complaint.line).problem(complaint.message, complaint.hint)
        return documents

    def _is_definition(self, document: Node) -> bool:
        """Whether a document defines entries; complains where it seems to have been meant to."""
        has = document.mapping
        has_entries = "entries" in has or ("name" in has and "kind" in has)
        if "namespace" in has and has_entries:
            return True
        if (self._is_index and document.value is not None) or self._is_ours(document):
            self._complain_of_missing(document)
        return False

    def _is_ours(self, document: Node) -> bool:
        entries = document.mapping.get("entries")
        candidates = (document, *(entries.items if entries is not None else ()))
        return any(c.text("kind") in self._known_kinds for c in candidates)

    def _complain_of_missing(self, document: Node) -> None:
        if not document.is_mapping:
            self._at.on(document).problem(f"a definition file is a mapping, this is {document.describe()}")
            return
        has = document.mapping
        missing = "namespace" if "namespace" not in has else "entries"
        strangers = [key for key in has if key not in _TOP_FIELDS]
        near = next((key for key in strangers if did_you_mean(key, [missing])), None)
        hint = f"is '{near}' meant to be '{missing}'?" if near else _MISSING_HINTS[missing]
        self._at.on(document).child(missing).problem("required, but missing", hint)

    def _entries_of(self, document: Node) -> Iterator[RawEntry]:
        namespace = self._namespace(document)
        self._check_version(document)
        if namespace is None:
            return
        if "entries" not in document.mapping:
            single = {k: v for k, v in document.mapping.items() if k not in ("version", "namespace")}
            yield from self._entry(Node(single, document.line), namespace)
            return
        self._check_fields(document)
        entries = document.mapping["entries"]
        if not isinstance(entries.value, tuple) and entries.value is not None:
            self._at.on(entries).child("entries").problem(f"expected a list of entries, got {entries.describe()}")
        for item in entries.items:
            yield from self._entry(item, namespace)

    def _namespace(self, document: Node) -> str | None:
        node = document.mapping["namespace"]
        if isinstance(node.value, str) and _NAMESPACE.fullmatch(node.value):
            return node.value
        self._at.on(node).child("namespace").problem(
            f"expected a dotted name such as 'app.users', got {node.describe()}"
        )
        return None

    def _check_version(self, document: Node) -> None:
        node = document.mapping.get("version")
        if node is not None and node.value not in _VERSIONS:
            self._at.on(node).child("version").problem(f'expected "1.0", got {node.describe()}')

    def _check_fields(self, document: Node) -> None:
        for key, node in document.mapping.items():
            if key not in _TOP_FIELDS:
                self._at.on(node).child(key).problem(
                    "no such field in a definition file", did_you_mean(key, _TOP_FIELDS)
                )

    def _entry(self, node: Node, namespace: str) -> Iterator[RawEntry]:
        at = self._at.on(node)
        if not node.is_mapping:
            at.problem(f"an entry is a mapping with 'name' and 'kind', this is {node.describe()}")
            return
        name = node.mapping.get("name")
        if name is None:
            at.child("name").problem("required, but missing", did_you_mean("name", node.mapping))
        elif not isinstance(name.value, str) or not _NAME.fullmatch(name.value):
            hint = "letters, digits, '_', '-', '.' and '/', up to 255 of them"
            at.on(name).child("name").problem(f"expected a name, got {name.describe()}", hint)
        else:
            yield RawEntry(f"{namespace}:{name.value}", namespace, self._file, self._shown, node.line, node.mapping)


_MISSING_HINTS = {
    "namespace": "add 'namespace: app' at the top",
    "entries": "add 'entries:' with a list of entries",
}
