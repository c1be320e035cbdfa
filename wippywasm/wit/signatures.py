"""The `wit:` field of an entry to function types.

In: function signatures with the types beside them, or a whole WIT document. Out: `Signatures`, structural.
A short form is what users write for one function: no package, no interface, semicolons only between things on one line.
Spec: `WIT.md`; `specification` section 3 of this project for the field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import field

from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType
from wippywasm.wit import syntax
from wippywasm.wit.flatten import Flattener, world_functions
from wippywasm.wit.lexer import Lexer
from wippywasm.wit.load import Loader, parse
from wippywasm.wit.names import PackageName, words
from wippywasm.wit.parser import Parser
from wippywasm.wit.resolved import Interface, InterfaceItem, Resolution, World
from wippywasm.wit.source import Refusal, Source, Span, refuse_all

_INLINE = PackageName("wippy", "inline")
_TOP = frozenset(("package", "interface", "world", "use"))
_AFTER_MISTAKE = words("type flags enum variant resource record use export import ;")


@dataclass(frozen=True)
class Signatures:
    """`exports` by `name` or `ns:pkg/interface@1.0.0#name`; `imports` by (interface or `$root`, name).

    `resolution` is where they come from, with names and documentation.
    """

    exports: Mapping[str, FuncType]
    imports: Mapping[tuple[str, str], FuncType] = field(default_factory=dict)
    resolution: Resolution | None = field(default=None, repr=False, compare=False)


def parse_signatures(
    text: str, path: str = "<wit>", line_offset: int = 0, *, world: str | None = None, features: Collection[str] = ()
) -> Signatures:
    """What `text` says about a module's functions.

    It is one or several function signatures, perhaps with types, `use` and `export`; or a document with interfaces and
    worlds, from which `world` chooses one where there are several. `line_offset` is the number of lines before the text
    in its file. Raises WitDiagnosticsError, and NotFoundError for a world that is not there.
    """
    source = Source(path, text, line_offset)
    try:
        lexer = Lexer(source)
        document = _is_document(lexer)
    except Refusal as refusal:
        raise refuse_all([refusal], path) from None
    if document:
        return _of_document(source, world, features)
    return _of_short_form(source, features)


def parse_world(text: str, path: str = "<wit>", *, world: str | None = None, features: Collection[str] = ()) -> World:
    """The world that `text` describes, as `parse_signatures` reads it.

    Signatures without a world make one that exports them, called `world`. Raises as `parse_signatures` does.
    """
    source = Source(path, text)
    try:
        document = _is_document(Lexer(source))
    except Refusal as refusal:
        raise refuse_all([refusal], path) from None
    if not document:
        return _short_form_world(source, world or "signatures", features)
    resolution = parse([_with_package(source)], features=features)
    main = resolution.main
    if world is None and main is not None and not main.worlds and len(main.interfaces) == 1:
        [interface] = main.interfaces.values()
        return World("signatures", None, main, exports={interface: InterfaceItem(interface)})
    return resolution.world(world)


def _short_form_world(source: Source, name: str, features: Collection[str]) -> World:
    parser = _ShortFormParser(Lexer(source))
    items = [_world_item(i, parser.imported) for i in parser.run()]
    if parser.refusals:
        raise refuse_all(parser.refusals, source.path)
    package = syntax.PackageId((), Span(source, 0, 0), _INLINE)
    body = syntax.World(syntax.Header(), syntax.Id(name, package.span), items)
    loader = Loader(Resolution(features))
    loader.load_file(syntax.File(source, package, [body]))
    return loader.resolution.world()


def _is_document(lexer: Lexer) -> bool:
    """Whether the text is made of top-level items; a `use` with names in braces is one of an interface."""
    if lexer.at("@"):
        return re.search(r"\b(interface|world)\s+%?[A-Za-z]", lexer.text) is not None
    if lexer.kind != "use":
        return lexer.kind in _TOP
    while lexer.kind not in ("{", ";", "eof"):
        lexer.advance()
    return lexer.kind != "{"


def _of_document(source: Source, world: str | None, features: Collection[str]) -> Signatures:
    return signatures_of(parse([_with_package(source)], features=features), world)


def signatures_of(resolution: Resolution, world: str | None = None) -> Signatures:
    """What a resolution says about a module's functions, as its text would. Raises as `parse_signatures`."""
    assert resolution.main is not None
    interfaces = list(resolution.main.interfaces.values())
    if world is None and not resolution.main.worlds and len(interfaces) == 1:
        return Signatures(_interface_functions(interfaces[0]), {}, resolution)
    exports, imports = world_functions(resolution.world(world))
    return Signatures(exports, imports, resolution)


def _interface_functions(interface: Interface) -> dict[str, FuncType]:
    """A document with one interface and no world describes a module that exports it."""
    assert interface.package is not None
    prefix = "" if interface.package.name == _INLINE else f"{interface.id}#"
    return {prefix + name: t for name, t in Flattener().functions(interface).items()}


def _with_package(source: Source) -> Source:
    """The text with a package of its own where it names none."""
    lexer = Lexer(source)
    if lexer.at("package"):
        return source
    return Source(source.path, f"package {_INLINE};\n{source.text}", source.line_offset - 1)


def _of_short_form(source: Source, features: Collection[str]) -> Signatures:
    parser = _ShortFormParser(Lexer(source))
    items = parser.run()
    if parser.refusals:
        raise refuse_all(parser.refusals, source.path)
    package = syntax.PackageId((), Span(source, 0, 0), _INLINE)
    id = syntax.Id("signatures", package.span)
    body: syntax.Interface | syntax.World = syntax.Interface(syntax.Header(), id, items)
    if parser.has_imports:
        body = syntax.World(syntax.Header(), id, [_world_item(i, parser.imported) for i in items])
    loader = Loader(Resolution(features))
    loader.load_file(syntax.File(source, package, [body]))
    assert loader.resolution.main is not None
    if parser.has_imports:
        exports, imports = world_functions(loader.resolution.world())
        return Signatures(exports, imports, loader.resolution)
    return Signatures(_interface_functions(loader.resolution.main.interfaces[id.name]), {}, loader.resolution)


def _world_item(item: syntax.InterfaceItem, imported: set[int]) -> syntax.WorldItem:
    if not isinstance(item, syntax.FuncItem):
        return item
    direction = "import" if item.id.span.start in imported else "export"
    return syntax.Extern(direction, item.header, item.id, function=item.type)


class _ShortFormParser(Parser):
    """Interface items without braces around them; `export` and `import` may stand before a function."""

    def __init__(self, lexer: Lexer) -> None:
        super().__init__(lexer)
        self.imported: set[int] = set()

    @property
    def has_imports(self) -> bool:
        return bool(self.imported)

    def run(self) -> list[syntax.InterfaceItem]:
        lexer, items = self.lexer, list[syntax.InterfaceItem]()
        while not lexer.at("eof"):
            begin = lexer.start
            try:
                items.append(self._item_here())
            except Refusal as refusal:
                self._recover(refusal, begin, 0, _AFTER_MISTAKE)
                lexer.eat(";")
        if not items and not self.refusals:
            hint = "write `name: func(a: s32) -> s32;`"
            self.refusals.append(Refusal(lexer.span(), "there is no function here", hint))
        return items

    def _item_here(self) -> syntax.InterfaceItem:
        header = self._header()
        direction = self.lexer.kind if self.lexer.kind in ("export", "import") else ""
        if direction:
            self.lexer.advance()
        start = self.lexer.start
        item = self.interface_item(header)
        if direction == "import":
            if not isinstance(item, syntax.FuncItem):
                raise Refusal(Span(self.lexer.source, start, start + 1), "only a function can be imported here")
            self.imported.add(start)
        return item

    def end_of_function(self) -> None:
        """A semicolon; at the end of a line it may be missing."""
        lexer = self.lexer
        if not lexer.eat(";") and not lexer.at("eof") and not lexer.starts_a_line():
            lexer.fail("`;`")
