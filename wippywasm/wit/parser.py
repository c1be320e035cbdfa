"""Tokens to the syntax tree of a file.

In: a `Source`. Out: a `syntax.File` and every refusal: after one, parsing goes on at the next item, so that a file's
mistakes are told together.
Spec: `WIT.md`, "Top-level items", "Item: world", "Item: interface", "Item: use", "Item: include".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wippywasm.wit import syntax
from wippywasm.wit.lexer import Lexer
from wippywasm.wit.names import PackageName, words
from wippywasm.wit.parse_types import attributes, comma_list, comments, func_type, identifier, type_item, version
from wippywasm.wit.source import Refusal, Source, Span

MAX_REFUSALS = 25
"""Complaints about one file; more would be noise of the first ones."""
MAX_PACKAGE_NESTING = 100

_TYPE_ITEMS = words("type flags enum variant resource record")
_TOP_ITEMS = words("interface world use package")
_BODY_ITEMS = _TYPE_ITEMS | {"use", "import", "export", "include", ";", "}"}

T = TypeVar("T")


def parse_file(source: Source) -> tuple[syntax.File, list[Refusal]]:
    """The syntax tree of `source`, as far as it follows the grammar, and what does not."""
    try:
        parser = Parser(Lexer(source))
    except Refusal as refusal:
        return syntax.File(source, None, [], [Span(source, 0, len(source.text))]), [refusal]
    return parser.file(source), parser.refusals


class Parser:
    """Recursive descent over one lexer; `refusals` collects what does not parse."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.refusals: list[Refusal] = []
        self.lost: list[Span] = []

    def file(self, source: Source) -> syntax.File:
        package, items = None, []
        try:
            package = self._package_header()
        except Refusal as refusal:
            self._recover(refusal, -1, 0, _TOP_ITEMS)
        items = self._items(0)
        return syntax.File(source, package, items, self.lost)

    def _recover(self, refusal: Refusal, begin: int, depth: int, kinds: frozenset[str]) -> None:
        """Keeps the refusal of the item at `begin` and skips to where the next one may start."""
        self.refusals.append(refusal)
        if self.lexer.start == begin:
            self.lexer.advance()
        if len(self.refusals) >= MAX_REFUSALS:
            self.lexer.give_up()
        self.lexer.skip_to(depth, kinds)
        self.lost.append(Span(self.lexer.source, max(begin, 0), self.lexer.start))

    def _ends_early(self, known: int) -> bool:
        """Whether the text ends where the brace may have been lost by what was refused here already."""
        return self.lexer.at("eof") and len(self.refusals) > known

    def _package_header(self) -> syntax.PackageId | None:
        """`package a:b;`, or None where it is `package a:b {…}` or something else."""
        mark = self.lexer.mark()
        found, places = comments(self.lexer), self.lexer.comments
        if not self.lexer.eat("package"):
            return None
        name = self._package_id(found)
        if self.lexer.eat(";"):
            name.docs_span = Span(self.lexer.source, *places[0]) if places else None
            return name
        self.lexer.reset(mark)
        return None

    def _package_id(self, found: syntax.Comments) -> syntax.PackageId:
        lexer = self.lexer
        namespace = identifier(lexer)
        lexer.expect(":")
        name = identifier(lexer)
        number, span = None, namespace.span.to(name.span)
        if lexer.eat("@"):
            number, end = version(lexer)
            span = span.to(end)
        return syntax.PackageId(found, span, PackageName(namespace.name, name.name, number))

    def _items(self, depth: int) -> list[syntax.Item]:
        """Top-level items up to the end of the file, or of the nested package at `depth`."""
        lexer, items, known = self.lexer, list[syntax.Item](), len(self.refusals)
        while not (lexer.at("eof") if depth == 0 else lexer.eat("}") or self._ends_early(known)):
            begin = lexer.start
            try:
                items.append(self._item(depth))
            except Refusal as refusal:
                if lexer.at("eof") and depth:
                    raise
                self._recover(refusal, begin, depth, _TOP_ITEMS | {"}"} if depth else _TOP_ITEMS)
        return items

    def _item(self, depth: int) -> syntax.Item:
        lexer = self.lexer
        header = self._header()
        kind, span = lexer.kind, lexer.span()
        if kind not in _TOP_ITEMS:
            lexer.fail("`world`, `interface`, `use` or `package`")
        lexer.advance()
        if kind == "interface":
            return syntax.Interface(header, identifier(lexer), self.interface_body())
        if kind == "world":
            return syntax.World(header, identifier(lexer), self._body(self._world_item))
        if kind == "use":
            return self._top_use(header, span)
        if header.attributes:
            raise Refusal(span, "a nested package can't have attributes")
        if depth >= MAX_PACKAGE_NESTING:
            raise Refusal(span, "packages nest too deep")
        name = self._package_id(header.comments)
        lexer.expect("{")
        return syntax.NestedPackage(name, self._items(depth + 1))

    def _header(self) -> syntax.Header:
        found = comments(self.lexer)
        return syntax.Header(found, attributes(self.lexer) if self.lexer.at("@") else [])

    def _top_use(self, header: syntax.Header, span: Span) -> syntax.TopUse:
        path = self.use_path()
        id = identifier(self.lexer) if self.lexer.eat("as") else path.id
        self.lexer.expect(";")
        return syntax.TopUse(header, span, path, id)

    def use_path(self) -> syntax.UsePath:
        """`id` or `ns:pkg/id@version`."""
        lexer = self.lexer
        first = identifier(lexer)
        if not lexer.eat(":"):
            return syntax.UsePath(first)
        package = identifier(lexer)
        lexer.expect("/")
        name = identifier(lexer)
        number = version(lexer)[0] if lexer.eat("@") else None
        full = PackageName(first.name, package.name, number)
        return syntax.UsePath(name, syntax.PackageId((), first.span.to(package.span), full))

    def _body(self, one: Callable[[syntax.Header], T]) -> list[T]:
        """`{` items `}`."""
        lexer, items, known = self.lexer, list[T](), len(self.refusals)
        lexer.expect("{")
        depth = lexer.depth
        while not (lexer.eat("}") or self._ends_early(known)):
            begin = lexer.start
            try:
                items.append(one(self._header()))
            except Refusal as refusal:
                if lexer.at("eof"):
                    raise
                self._recover(refusal, begin, depth, _BODY_ITEMS)
                if lexer.depth < depth:
                    return items
                lexer.eat(";")
        return items

    def interface_body(self) -> list[syntax.InterfaceItem]:
        return self._body(self.interface_item)

    def interface_item(self, header: syntax.Header) -> syntax.InterfaceItem:
        lexer = self.lexer
        if lexer.kind in _TYPE_ITEMS:
            return type_item(lexer, header)
        if lexer.kind == "use":
            return self._use(header)
        if lexer.kind not in ("id", "%id"):
            lexer.fail("a type, a function or `use`")
        id = identifier(lexer)
        lexer.expect(":")
        item = syntax.FuncItem(header, id, func_type(lexer))
        self.end_of_function()
        return item

    def end_of_function(self) -> None:
        self.lexer.expect(";")

    def _use(self, header: syntax.Header) -> syntax.Use:
        lexer = self.lexer
        lexer.expect("use")
        path = self.use_path()
        lexer.expect(".")
        lexer.expect("{")

        def one(_: syntax.Comments) -> tuple[syntax.Id, syntax.Id]:
            id = identifier(lexer)
            return id, identifier(lexer) if lexer.eat("as") else id

        names = comma_list(lexer, "}", one)
        lexer.expect(";")
        return syntax.Use(header, path, names)

    def _world_item(self, header: syntax.Header) -> syntax.WorldItem:
        lexer = self.lexer
        if lexer.kind in ("import", "export"):
            return self._extern(header)
        if lexer.kind == "use":
            return self._use(header)
        if lexer.kind == "include":
            return self._include(header)
        if lexer.kind not in _TYPE_ITEMS:
            lexer.fail("`import`, `export`, `include`, `use` or a type")
        return type_item(lexer, header)

    def _include(self, header: syntax.Header) -> syntax.Include:
        lexer = self.lexer
        lexer.expect("include")
        path = self.use_path()
        if not lexer.eat("with"):
            lexer.expect(";")
            return syntax.Include(header, path, [])
        lexer.expect("{")

        def one(_: syntax.Comments) -> tuple[syntax.Id, syntax.Id]:
            id = identifier(lexer)
            lexer.expect("as")
            return id, identifier(lexer)

        return syntax.Include(header, path, comma_list(lexer, "}", one))

    def _extern(self, header: syntax.Header) -> syntax.Extern:
        lexer = self.lexer
        direction = lexer.kind
        lexer.advance()
        start = lexer.mark()
        id = identifier(lexer)
        if lexer.eat(":"):
            if lexer.kind in ("func", "async"):
                function = func_type(lexer)
                lexer.expect(";")
                return syntax.Extern(direction, header, id, function=function)
            if lexer.eat("interface"):
                return syntax.Extern(direction, header, id, interface=self.interface_body())
            if not self._qualified_path_follows():
                return self._extern_path(direction, header, id)
        lexer.reset(start)
        return self._extern_path(direction, header, None)

    def _qualified_path_follows(self) -> bool:
        """Behind `a:`, whether `b/…` follows: then the colon is that of `a:b/c`, not one behind a plain name."""
        mark = self.lexer.mark()
        try:
            identifier(self.lexer)
            return self.lexer.at("/")
        except Refusal:
            return False
        finally:
            self.lexer.reset(mark)

    def _extern_path(self, direction: str, header: syntax.Header, id: syntax.Id | None) -> syntax.Extern:
        """A path behind `id:`, or by itself."""
        path = self.use_path()
        self.lexer.expect(";")
        return syntax.Extern(direction, header, id, path=path)
