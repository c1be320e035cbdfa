"""Files and folders to a resolution.

In: texts, a WIT file, a folder with `deps/`, or WIT packages in binary form. Out: a `Resolution`; or one
`WitDiagnosticsError` with everything that is wrong with any of the files.
Spec: `WIT.md`, "Filesystem structure".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from wippywasm.errors import BinaryError, Diagnostic, InvalidError, NotFoundError, WitDiagnosticsError
from wippywasm.wit import syntax
from wippywasm.wit.decode import decode
from wippywasm.wit.define import Refusals, Unlinked, define_package
from wippywasm.wit.docs import documentation
from wippywasm.wit.link import link
from wippywasm.wit.names import PackageName
from wippywasm.wit.parser import parse_file
from wippywasm.wit.resolved import Resolution
from wippywasm.wit.source import Refusal, Source, refuse_all

Assemble: TypeAlias = Callable[[str], bytes]
"""WebAssembly text to bytes; this layer has no engine of its own."""

WASM_MAGIC = b"\0asm"


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

    Raises WitDiagnosticsError with all complaints, NotFoundError for a path that is not there, and BinaryError for a
    `.wasm` dependency that is not a WIT package. `features` are those whose `@unstable` items count; `assemble` turns
    a `.wat` file into bytes.
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


class Loader:
    """What was read so far, into one resolution."""

    def __init__(self, resolution: Resolution, assemble: Assemble | None = None) -> None:
        self.resolution = resolution
        self.assemble = assemble
        self.refusals: list[Refusal] = []

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
            group = self._folder(entry) if entry.is_dir() else self._file(entry, is_main=False)
            if group is not None:
                groups.append(group)
        self.load_groups(groups)

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
            main = self.resolution.main
            try:
                decode(data, self.resolution)
            except BinaryError as error:
                raise type(error)(f"{path}: {error.message}", error.offset, hint=error.hint) from None
            self.resolution.main = self.resolution.main if is_main else main
            return None
        return _Group(str(path), [source_of(str(path), data)])

    def _assembled(self, path: Path, text: str) -> bytes:
        if self.assemble is None:
            raise InvalidError(f"{path} is WebAssembly text, and there is nothing here to assemble it with")
        try:
            return self.assemble(text)
        except InvalidError as error:
            raise InvalidError(f"{path}: {error.message}", hint=error.hint) from None

    def load_groups(self, groups: Sequence[_Group]) -> None:
        """Resolves packages, the first one being the main one, each after what it needs."""
        main, packages = None, list[Unlinked]()
        for group in groups:
            own, nested = self._define(group)
            packages += [*nested, *([own] if own else [])]
            main = main or own
        self._finish(packages, main, groups[0].name)

    def load_file(self, file: syntax.File) -> None:
        """Resolves a package out of one syntax tree, which says its package."""
        assert file.package is not None
        package = self._defined(file.package, None, [file])
        self._finish([package] if package else [], package, file.source.path)

    def _finish(self, packages: Sequence[Unlinked], main: Unlinked | None, path: str) -> None:
        if not self.refusals:
            try:
                self._link(self._in_order(packages))
            except Refusal as refusal:
                self.refusals.append(refusal)
            except Refusals as several:
                self.refusals += several.refusals
        if self.refusals:
            raise refuse_all(self.refusals, path)
        if main is not None:
            self.resolution.main = self.resolution.package(main.name)

    def _define(self, group: _Group) -> tuple[Unlinked | None, list[Unlinked]]:
        files = []
        nested: list[Unlinked] = []
        broken = False
        for source in group.sources:
            file, refusals = parse_file(source)
            self.resolution.copies += len(source.text) // 10
            self.refusals += refusals
            broken = broken or bool(refusals)
            for item in [] if refusals else file.items:
                if isinstance(item, syntax.NestedPackage):
                    nested += self._define_nested(source, item)
            file.items = [i for i in file.items if not isinstance(i, syntax.NestedPackage)]
            files.append(file)
        if broken:
            return None, nested
        id, docs = self._package_of(files)
        return self._defined(id, docs, files) if id else None, nested

    def _define_nested(self, source: Source, item: syntax.NestedPackage) -> list[Unlinked]:
        for inner in item.items:
            if isinstance(inner, syntax.NestedPackage):
                self.refusals.append(Refusal(inner.id.span, "a package can't stand inside of a nested package"))
                return []
        file = syntax.File(source, item.id, item.items)
        found = self._defined(item.id, documentation(item.id.comments), [file])
        return [found] if found else []

    def _defined(self, id: syntax.PackageId, docs: str | None, files: list[syntax.File]) -> Unlinked | None:
        try:
            return define_package(id, docs, files)
        except Refusals as several:
            self.refusals += several.refusals
            return None

    def _package_of(self, files: Sequence[syntax.File]) -> tuple[syntax.PackageId | None, str | None]:
        """The name and documentation of the package that `files` make up."""
        id: syntax.PackageId | None = None
        docs: str | None = None
        for file in files:
            here = file.package
            if here is None:
                continue
            if id is not None and here.name != id.name:
                message = f"`{here.name}` is not the package `{id.name}` of the other files here"
                self.refusals.append(Refusal(here.span, message))
            id = here
            text = documentation(here.comments)
            if text is not None and docs is not None:
                self.refusals.append(Refusal(here.docs_span, "only one file documents its package"))
            docs = text if text is not None else docs
        if id is None:
            span = None
            hint = "begin one file with `package namespace:name;`"
            self.refusals.append(Refusal(span, "no file here says which package it is of", hint))
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
        for package in packages:
            if self.resolution.package(package.name) is not None:
                raise Refusal(package.span, f"package `{package.name}` is there already, in binary form")
            link(self.resolution, package)


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
