"""Texts, or what files and folders have, to a resolution.

In: texts, a WIT file, a folder with `deps/`, or WIT packages in binary form. Out: a `Resolution`; or one
`WitDiagnosticsError` with everything that is wrong with any of the files.
Spec: `WIT.md`, "Filesystem structure".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path

from wippywasm.errors import Diagnostic, InvalidError, WitDiagnosticsError
from wippywasm.wit import syntax
from wippywasm.wit.define import Unlinked, define_package
from wippywasm.wit.docs import documentation
from wippywasm.wit.files import Assemble, Files, Group
from wippywasm.wit.link import check_foreign, link
from wippywasm.wit.names import PackageName
from wippywasm.wit.parser import parse_file
from wippywasm.wit.resolved import Resolution
from wippywasm.wit.source import Complaints, Enough, Refusal, Source, Span, refuse_all

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


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
    resolution = Resolution(features, all_features)
    if not isinstance(source, str | Path):
        Loader(resolution).load_groups([Group("package", list(source))])
        return resolution
    files = Files(resolution, assemble)
    groups = files.groups(Path(source))
    if groups:
        Loader(resolution, files.unread).load_groups(groups)
    return resolution


def parse_text(text: str, path: str = "<wit>", *, features: Collection[str] = ()) -> Resolution:
    """The packages of one text. Raises WitDiagnosticsError."""
    return parse([Source(path, text)], features=features)


class Loader:
    """Packages on their way into one resolution; `unread` are dependencies that could not be read, and why."""

    def __init__(self, resolution: Resolution, unread: Sequence[tuple[Path, InvalidError]] = ()) -> None:
        self.resolution = resolution
        self.unread = unread
        self.refusals = Complaints()
        self.lost = LostWords(has_package=bool(unread))
        self.main: PackageName | None = None

    def load_groups(self, groups: Sequence[Group]) -> None:
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

    def _define(self, group: Group, files: list[syntax.File]) -> Iterator[Unlinked]:
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

    def __init__(self, *, has_package: bool) -> None:
        self.spans: list[Span] = []
        self.has_package = has_package
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
