"""Tokens to types, functions and type definitions.

In: a `Lexer` at the first token of the production. Out: syntax, the lexer behind it; or a `Refusal`.
Spec: `WIT.md`, "Items: type", "Types", "Handles", `func-type`, "Feature gate syntax".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wippywasm.wit import syntax
from wippywasm.wit.lexer import Lexer
from wippywasm.wit.names import Version, words
from wippywasm.wit.source import Refusal, Span

MAX_TYPE_NESTING = 100
"""Levels of `list<list<…>>`: enough for any real type, and a bound on recursion."""

_PRIMITIVES = words("u8 u16 u32 u64 s8 s16 s32 s64 f32 f64 char bool string error-context")
MAX_VERSION = 4096
"""Characters of a version's pre-release and build metadata."""
_VERSION_PARTS = frozenset(("id", "integer", "-"))

T = TypeVar("T")


def comments(lexer: Lexer) -> syntax.Comments:
    """The comments in front of the current token."""
    return tuple(lexer.text[a:b] for a, b in lexer.comments) if lexer.comments else ()


def identifier(lexer: Lexer) -> syntax.Id:
    return syntax.Id(*lexer.identifier())


def comma_list(lexer: Lexer, end: str, one: Callable[[syntax.Comments], T]) -> list[T]:
    """Items up to `end`, separated by commas; the last one may have a comma too."""
    items: list[T] = []
    while True:
        found = comments(lexer)
        if lexer.eat(end):
            return items
        items.append(one(found))
        if not lexer.eat(","):
            lexer.expect(end)
            return items


def version(lexer: Lexer) -> tuple[Version, Span]:
    """A semantic version, which is several tokens here."""
    first = last = lexer.take("integer")
    for kind in (".", "integer", ".", "integer"):
        last = lexer.take(kind)
    for prefix in "-+":
        if lexer.at(prefix):
            last = _version_identifiers(lexer, lexer.take(prefix))
    span = first.to(last)
    try:
        return Version.parse(lexer.text[span.start : span.end]), span
    except ValueError as error:
        raise Refusal(span, str(error)) from None


def _version_identifiers(lexer: Lexer, prefix: Span) -> Span:
    """Takes what may belong to a version; a `.` only where more of it follows, since `@1.0.0-a.{x}` is a `use`."""
    if lexer.kind not in _VERSION_PARTS:
        lexer.fail("what is behind the number of the version")
    last = prefix
    while True:
        if last.end - prefix.start > MAX_VERSION:
            raise Refusal(prefix, f"a version has at most {MAX_VERSION:,} characters")
        if lexer.kind not in _VERSION_PARTS:
            if not lexer.at("."):
                return last
            mark = lexer.mark()
            lexer.advance()
            if lexer.kind not in _VERSION_PARTS:
                lexer.reset(mark)
                return last
        last = lexer.span()
        lexer.advance()


def attributes(lexer: Lexer) -> list[syntax.Attribute]:
    found = []
    while lexer.eat("@"):
        found.append(_attribute(lexer, identifier(lexer)))
    return found


def _attribute(lexer: Lexer, id: syntax.Id) -> syntax.Attribute:
    if id.name not in ("since", "unstable", "deprecated", "external-id"):
        hint = "there are @since, @unstable, @deprecated and @external-id"
        raise Refusal(id.span, f"unknown attribute `@{id.name}`", hint)
    lexer.expect("(")
    value: Version | str
    if id.name == "external-id":
        if lexer.at("literal"):
            value = lexer.value
        lexer.expect("literal")
    elif id.name == "unstable":
        _attribute_field(lexer, "feature")
        value = identifier(lexer).name
    else:
        _attribute_field(lexer, "version")
        value, _ = version(lexer)
    lexer.expect(")")
    return syntax.Attribute(id.name, id.span, value)


def _attribute_field(lexer: Lexer, expected: str) -> None:
    id = identifier(lexer)
    if id.name != expected:
        raise Refusal(id.span, f"expected `{expected}`, found `{id.name}`")
    lexer.expect("=")


def type_expr(lexer: Lexer, depth: int = 0) -> syntax.TypeExpr:
    """A type; `depth` is how many types it stands in."""
    kind, span = lexer.kind, lexer.span()
    if depth >= MAX_TYPE_NESTING:
        raise Refusal(span, f"types nest more than {MAX_TYPE_NESTING} deep", "name the inner types")
    if kind in _PRIMITIVES:
        lexer.advance()
        return syntax.TypeExpr(kind, span)
    if kind == "id" or kind == "%id":
        id = identifier(lexer)
        return syntax.TypeExpr("name", id.span, id=id)
    if kind not in _GENERIC:
        lexer.fail("a type")
    lexer.advance()
    return _GENERIC[kind](lexer, span, depth + 1)


def _list(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
    lexer.expect("<")
    element, size = type_expr(lexer, depth), None
    if lexer.eat(","):
        size = _size(lexer)
    lexer.expect(">")
    if size is None:
        return syntax.TypeExpr("list", span, (element,))
    return syntax.TypeExpr("fixed-list", span, (element,), size=size)


def _size(lexer: Lexer) -> int:
    if not lexer.at("integer"):
        lexer.fail("the list's length")
    span = lexer.take("integer")
    digits = lexer.text[span.start : span.end].lstrip("0")
    if len(digits) > 10 or int(digits or "0") >= 2**32:
        raise Refusal(span, "the length of a list is below 2^32")
    return int(digits or "0")


def _map(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
    lexer.expect("<")
    key = type_expr(lexer, depth)
    lexer.expect(",")
    value = type_expr(lexer, depth)
    lexer.expect(">")
    return syntax.TypeExpr("map", span, (key, value))


def _option(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
    lexer.expect("<")
    inner = type_expr(lexer, depth)
    lexer.expect(">")
    return syntax.TypeExpr("option", span, (inner,))


def _result(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
    ok = err = None
    if lexer.eat("<"):
        if lexer.eat("_"):
            lexer.expect(",")
            err = type_expr(lexer, depth)
        else:
            ok = type_expr(lexer, depth)
            if lexer.eat(","):
                err = type_expr(lexer, depth)
        lexer.expect(">")
    return syntax.TypeExpr("result", span, (ok, err))


def _tuple(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
    lexer.expect("<")
    primitives: dict[str, syntax.TypeExpr] = {}

    def item(_: syntax.Comments) -> syntax.TypeExpr:
        """Equal primitives are one, the first: there may be thousands, and their places are of no interest."""
        kind = lexer.kind
        if kind in primitives:
            lexer.advance()
            return primitives[kind]
        found = type_expr(lexer, depth)
        if kind in _PRIMITIVES:
            primitives[kind] = found
        return found

    return syntax.TypeExpr("tuple", span, tuple(comma_list(lexer, ">", item)))


def _optional_element(kind: str) -> Callable[[Lexer, Span, int], syntax.TypeExpr]:
    def parse(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
        element = None
        if lexer.eat("<"):
            element = type_expr(lexer, depth)
            lexer.expect(">")
        return syntax.TypeExpr(kind, span, (element,))

    return parse


def _handle(kind: str) -> Callable[[Lexer, Span, int], syntax.TypeExpr]:
    def parse(lexer: Lexer, span: Span, depth: int) -> syntax.TypeExpr:
        lexer.expect("<")
        id = identifier(lexer)
        lexer.expect(">")
        return syntax.TypeExpr(kind, id.span, id=id)

    return parse


_GENERIC: dict[str, Callable[[Lexer, Span, int], syntax.TypeExpr]] = {
    "list": _list,
    "map": _map,
    "option": _option,
    "result": _result,
    "tuple": _tuple,
    "future": _optional_element("future"),
    "stream": _optional_element("stream"),
    "own": _handle("own"),
    "borrow": _handle("borrow"),
}


def params_and_result(lexer: Lexer, span: Span, *, is_async: bool = False) -> syntax.FuncType:
    """`(a: t, …)`, and `-> t` if it is there."""
    lexer.expect("(")

    def one(_: syntax.Comments) -> tuple[syntax.Id, syntax.TypeExpr]:
        id = identifier(lexer)
        lexer.expect(":")
        return id, type_expr(lexer)

    params = comma_list(lexer, ")", one)
    result = type_expr(lexer) if lexer.eat("->") else None
    return syntax.FuncType(span, is_async, params, result)


def func_type(lexer: Lexer) -> syntax.FuncType:
    is_async = lexer.eat("async")
    return params_and_result(lexer, lexer.take("func"), is_async=is_async)


def type_item(lexer: Lexer, header: syntax.Header) -> syntax.TypeItem:
    """A type definition, its keyword the current token."""
    kind = lexer.kind
    lexer.advance()
    id = identifier(lexer)
    definition: syntax.TypeExpr | syntax.Body | syntax.ResourceBody
    if kind == "type":
        lexer.expect("=")
        definition = type_expr(lexer)
        lexer.expect(";")
    elif kind == "resource":
        definition = syntax.ResourceBody(_resource_functions(lexer))
    else:
        lexer.expect("{")
        definition = syntax.Body(kind, comma_list(lexer, "}", lambda found: _member(lexer, kind, found)))
    return syntax.TypeItem(header, id, definition)


def _member(lexer: Lexer, kind: str, found: syntax.Comments) -> syntax.Member:
    id, type = identifier(lexer), None
    if kind == "record":
        lexer.expect(":")
        type = type_expr(lexer)
    elif kind == "variant" and lexer.eat("("):
        type = type_expr(lexer)
        lexer.expect(")")
    return syntax.Member(found, id, type)


def _resource_functions(lexer: Lexer) -> list[syntax.FuncItem]:
    if not lexer.eat("{"):
        lexer.expect(";")
        return []
    functions = []
    while not lexer.eat("}"):
        found = comments(lexer)
        functions.append(_resource_function(lexer, syntax.Header(found, attributes(lexer))))
    return functions


def _resource_function(lexer: Lexer, header: syntax.Header) -> syntax.FuncItem:
    span = lexer.span()
    if lexer.eat("constructor"):
        item = syntax.FuncItem(header, syntax.Id("constructor", span), params_and_result(lexer, span), "constructor")
    elif lexer.kind in ("id", "%id"):
        id = identifier(lexer)
        lexer.expect(":")
        role = "static" if lexer.eat("static") else "method"
        item = syntax.FuncItem(header, id, func_type(lexer), role)
    else:
        lexer.fail("`constructor` or the name of a function")
    lexer.expect(";")
    return item
