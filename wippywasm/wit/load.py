"""Files and folders to a resolution.

In: texts, a WIT file, a folder with `deps/`, or WIT packages in binary form. Out: a `Resolution`; or one
`WitDiagnosticsError` with everything that is wrong with any of the files.
Spec: `WIT.md`, "Filesystem structure".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.errors import BinaryError, Diagnostic, InvalidError, NotFoundError, WitDiagnosticsError
from wippywasm.wit import syntax
from wippywasm.wit.decode import decode
from wippywasm.wit.define import Unlinked, define_package
from wippywasm.wit.docs import documentation
from wippywasm.wit.link import check_foreign, link
from wippywasm.wit.names import PackageName
from wippywasm.wit.parser import parse_file
from wippywasm.wit.resolved import Resolution
from wippywasm.wit.source import Complaints, Enough, Refusal, Source, Span, refuse_all
from wippywasm.wit.stability import is_enabled

Assemble: TypeAlias = Callable[[str], bytes]
"""WebAssembly text to bytes; this layer has no engine of its own."""

WASM_MAGIC = b"\0asm"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass
class _Group:
    """The files of one package, and the packages that are nested in them."""

    name: str
    sources: list[Source] = field(default_factory=list)


def parse(
    source: str | Path | Iterable[Source],
    *,
    features: Collection[str] = (),
    all_features: bool = False,
    assemble: Assemble | None = None,
) -> Resolution:
    """The packages of a file, of a folder with its `deps/`, or of texts that make one package.

    Raises WitDiagnosticsError with all complaints, NotFoundError for a path that is not there, and BinaryError where
    nothing is wrong but a `.wasm` dependency that is not a WIT package. `features` are those whose `@unstable` items
    count; `assemble` turns a `.wat` file into bytes.
    """
    loader = Loader(Resolution(features, all_features), assemble)
    if isinstance(source, str | Path):
        loader.load_path(Path(source))
    else:
        loader.load_groups([_Group("package", list(source))])
    return loader.resolution


def parse_text(text: str, path: str = "<wit>", *, features: Collection[str] = ()) -> Resolution:
    """The packages of one text. Raises WitDiagnosticsError."""
    return parse([Source(path, text)], features=features)


def add_binary(resolution: Resolution, path: str, data: bytes) -> None:
    """Adds a package in binary form, as `main`, without the functions of features that are not enabled.

    Raises BinaryError with the path.
    """
    known = len(resolution.interfaces)
    try:
        decode(data, resolution)
    except BinaryError as error:
        raise type(error)(f"{path}: {error.message}", error.offset, hint=error.hint) from None
    for interface in resolution.interfaces[known:]:
        kept = {n: f for n, f in interface.functions.items() if is_enabled(f.stability, resolution)}
        interface.functions = kept


class Loader:
    """What was read so far, into one resolution."""

    def __init__(self, resolution: Resolution, assemble: Assemble | None = None) -> None:
        self.resolution = resolution
        self.assemble = assemble
        self.refusals = Complaints()
        self.lost = LostWords()
        self.unread: list[tuple[Path, InvalidError]] = []
        """The dependencies that could not be read, and why."""
        self.main: PackageName | None = None

    def load_path(self, path: Path) -> None:
        if not path.exists():
            raise NotFoundError(f"there is no {path}")
        if not path.is_dir():
            group = self._file(path, is_main=True)
            if group is not None:
                self.load_groups([group])
            return
        groups = [self._folder(path)]
        deps = path / "deps"
        for entry in sorted(deps.iterdir(), key=lambda p: p.name) if deps.is_dir() else ():
            group = self._dependency(entry)
            if group is not None:
                groups.append(group)
        self.load_groups(groups)

    def _dependency(self, path: Path) -> _Group | None:
        """The package of a file or folder in `deps/`. One that can't be read is told with what is wrong elsewhere."""
        try:
            return self._folder(path) if path.is_dir() else self._file(path, is_main=False)
        except InvalidError as error:
            self.unread.append((path, error))
            self.lost.has_package = True
            return None

    def _folder(self, path: Path) -> _Group:
        files = [p for p in path.iterdir() if p.name.endswith(".wit") and not p.is_dir()]
        return _Group(str(path), [read_source(p) for p in sorted(files, key=str)])

    def _file(self, path: Path, *, is_main: bool) -> _Group | None:
        """The package of a file; None if it is binary, and then it is in the resolution already."""
        if not is_main and path.suffix not in (".wit", ".wat", ".wasm"):
            return None
        data = path.read_bytes()
        if path.suffix == ".wat":
            data = self._assembled(path, source_of(str(path), data).text)
        if data.startswith(WASM_MAGIC):
            self._binary(path, data, is_main=is_main)
            return None
        return _Group(str(path), [source_of(str(path), data)])

    def _binary(self, path: Path, data: bytes, *, is_main: bool) -> None:
        main = self.resolution.main
        add_binary(self.resolution, str(path), data)
        self.resolution.main = self.resolution.main if is_main else main

    def _assembled(self, path: Path, text: str) -> bytes:
        if self.assemble is None:
            raise InvalidError(f"{path} is WebAssembly text, and there is nothing here to assemble it with")
        try:
            return self.assemble(text)
        except InvalidError as error:
            raise InvalidError(f"{path}: {error.message}", hint=error.hint) from None

    def load_groups(self, groups: Sequence[_Group]) -> None:
        """Resolves packages, the first one being the main one, each after what it needs."""
        with suppress(Enough):
            parsed = [(group, [self._parse(source) for source in group.sources]) for group in groups]
            packages = [list(self._define(group, files)) for group, files in parsed]
            self.main = packages[0][-1].name if packages[0] else None
            self._link(list(chain(*packages)))
        self._finish(groups[0].name)

    def load_file(self, file: syntax.File) -> None:
        """Resolves a package out of one syntax tree, which says its package."""
        assert file.package is not None
        with suppress(Enough):
            self.main = file.package.name
            self._link([self._defined(file.package, None, [file])])
        self._finish(file.source.path)

    def _finish(self, path: str) -> None:
        if len(self.unread) == 1 and not self.refusals:
            raise self.unread[0][1]
        if self.refusals or self.unread:
            found = refuse_all(self.refusals, path)
            files = chain(*(_complaints(file, error) for file, error in self.unread))
            raise WitDiagnosticsError([*files, *found.diagnostics], found.more, is_all=found.is_all)
        if self.main is not None:
            self.resolution.main = self.resolution.package(self.main)

    def _parse(self, source: Source) -> syntax.File:
        file, refusals = parse_file(source)
        self.resolution.copies += len(source.text) // 10
        self.lost.spans += file.lost
        self.refusals.add(*refusals)
        return file

    def _define(self, group: _Group, files: list[syntax.File]) -> Iterator[Unlinked]:
        """The packages of a group, the nested ones first."""
        for file in files:
            for item in file.items:
                if isinstance(item, syntax.NestedPackage):
                    yield from self._define_nested(file, item)
            file.items = [i for i in file.items if not isinstance(i, syntax.NestedPackage)]
        with self.refusals.collecting():
            id, docs = self._package_of(group.name, files)
            yield self._defined(id, docs, files)

    def _define_nested(self, outer: syntax.File, item: syntax.NestedPackage) -> Iterator[Unlinked]:
        for inner in item.items:
            if isinstance(inner, syntax.NestedPackage):
                self.refusals.add(Refusal(inner.id.span, "a package can't stand inside of a nested package"))
                return
        file = syntax.File(outer.source, item.id, item.items, outer.lost)
        yield self._defined(item.id, documentation(item.id.comments), [file])

    def _defined(self, id: syntax.PackageId, docs: str | None, files: list[syntax.File]) -> Unlinked:
        found = define_package(id, docs, files, self.lost)
        self.refusals.add(*found.refusals)
        return found

    def _package_of(self, path: str, files: Sequence[syntax.File]) -> tuple[syntax.PackageId, str | None]:
        """The name and documentation of the package that `files` make up; a name of no package if that was lost."""
        id: syntax.PackageId | None = None
        docs: str | None = None
        for file in files:
            here = file.package
            if here is None:
                continue
            if id is not None and here.name != id.name:
                message = f"`{here.name}` is not the package `{id.name}` of the other files here"
                self.refusals.add(Refusal(here.span, message))
            id = here
            text = documentation(here.comments)
            if text is not None and docs is not None:
                self.refusals.add(Refusal(here.docs_span, "only one file documents its package"))
            docs = text if text is not None else docs
        if id is None and any(file.lost for file in files):
            id = syntax.PackageId((), Span(files[0].source, 0, 0), PackageName("", path))
            self.lost.has_package = True
        if id is None:
            hint = "begin one file with `package namespace:name;`"
            raise Refusal(None, "no file here says which package it is of", hint)
        return id, docs

    def _in_order(self, packages: Sequence[Unlinked]) -> list[Unlinked]:
        by_name: dict[PackageName, Unlinked] = {}
        for package in packages:
            if package.name in by_name:
                other = by_name[package.name].span.place()
                message = f"package `{package.name}` is defined in two places"
                raise Refusal(package.span, message, f"the other one is at {other}")
            by_name[package.name] = package
        order: dict[PackageName, Unlinked] = {}
        for name in sorted(by_name):
            _visit(name, by_name, order)
        return list(order.values())

    def _link(self, packages: Sequence[Unlinked]) -> None:
        """Links what is whole and needs nothing that is not; of the rest it looks at what it needs of others."""
        broken: set[PackageName] = set()
        with self.refusals.collecting():
            for package in self._in_order(packages):
                if self.resolution.package(package.name) is not None:
                    raise Refusal(package.span, f"package `{package.name}` is there already, in binary form")
                broken.update(name for name in package.foreign if self.lost.may_name(name))
                if package.is_whole and broken.isdisjoint(package.foreign):
                    found = link(self.resolution, package)
                else:
                    found = check_foreign(self.resolution, package, broken)
                    broken.add(package.name)
                if found:
                    broken.add(package.name)
                self.refusals.add(*found)


class LostWords(Set[str]):
    """The words of the texts `spans`, which did not parse; read when they are first asked for."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.has_package = False
        """Whether the name of a package is among them."""

    @cached_property
    def _words(self) -> frozenset[str]:
        found = (_WORD.finditer(span.source.text, span.start, span.end) for span in self.spans)
        return frozenset(word[0] for word in chain(*found))

    def __contains__(self, word: object) -> bool:
        return bool(self.spans) and word in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def may_name(self, package: PackageName) -> bool:
        return self.has_package or (package.namespace in self and package.name in self)


def _visit(root: PackageName, by_name: dict[PackageName, Unlinked], order: dict[PackageName, Unlinked]) -> None:
    """Puts `root` into `order` behind what it needs. Refuses a cycle."""
    if root in order:
        return
    visiting: set[PackageName] = set()
    stack = [(root, iter(by_name[root].foreign_spans.items()))]
    while stack:
        name, needed = stack[-1]
        for dependency, span in needed:
            if dependency in visiting:
                raise Refusal(span, f"package `{dependency}` depends on itself")
            if dependency in by_name and dependency not in order:
                visiting.add(dependency)
                stack.append((dependency, iter(by_name[dependency].foreign_spans.items())))
                break
        else:
            stack.pop()
            visiting.discard(name)
            order[name] = by_name[name]


def _complaints(path: Path, error: InvalidError) -> Sequence[Diagnostic]:
    """Why a file could not be read."""
    if isinstance(error, WitDiagnosticsError):
        return error.diagnostics
    return [Diagnostic(error.message.removeprefix(f"{path}: "), str(path), 1, 1, hint=error.hint)]


def read_source(path: Path) -> Source:
    return source_of(str(path), path.read_bytes())


def source_of(path: str, data: bytes) -> Source:
    """A text out of bytes. Raises WitDiagnosticsError where they are not UTF-8."""
    try:
        return Source(path, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {data[error.start]:#04x} at offset {error.start} is not UTF-8"
        raise WitDiagnosticsError([Diagnostic(message, path, line, column, hint="save the file as UTF-8")]) from None
