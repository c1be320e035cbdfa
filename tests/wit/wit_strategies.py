"""Random WIT packages, as text, for property tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from wippywasm.wit.lexer import Lexer
from wippywasm.wit.source import Source

PRIMITIVES = ["bool", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "char", "string"]
KEYS = [p for p in PRIMITIVES if not p.startswith("f")]
NAMES = ["a", "b-c", "d0", "XML", "%list", "%type", "e-F-1", "g", "%from", "h", "k", "m-n"]
DOCS = ["", "/// Some words.\n", "/// One.\n///\n///   Two, indented.\n", "/** In a block. */\n", "// plain\n"]
GATES = ["", "", "@since(version = 0.1.0) ", "@unstable(feature = active) ", "@unstable(feature = off) "]
OPEN_GATES = GATES[:4]
FLIP: st.SearchStrategy[bool] = st.booleans()


_DOC_PARTS = [" ", "  ", "\t", "\n", "\n\n", "\r\n", "\r", "/", "*", "*/", "/*", "a", "b c", "\u00a0", "//", "/**", "-"]


@st.composite
def comment_mixtures(draw: st.DrawFn) -> str:
    """Comments of every kind, with all that makes documentation odd: tabs, uneven indentation, marks of comments."""
    parts = st.lists(st.sampled_from(_DOC_PARTS), max_size=8).map("".join)
    line = parts.map(lambda text: f"//{text.translate({10: None, 13: None})}\n")
    block = st.tuples(st.sampled_from(["/*", "/**"]), parts).map(lambda p: closed_comment(*p))
    return "".join(draw(st.lists(line | block, max_size=4)))


def closed_comment(opening: str, text: str) -> str:
    """One block; marks of comments in it that do not come in pairs lose their slash."""
    lexer = Lexer(Source("comment", f"{opening}{text}*/"))
    is_one = lexer.kind == "eof" and lexer.comments == [(0, len(lexer.text))] and len(lexer.text) > 4
    return lexer.text if is_one else f"{opening} {text.replace('/', '|')}*/"


def doc_comments() -> st.SearchStrategy[str]:
    return st.sampled_from(DOCS) | comment_mixtures()


@dataclass
class Draft:
    """An interface in the making: the names that are taken, the types and resources that may be used."""

    names: set[str] = field(default_factory=set)
    values: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@st.composite
def type_texts(draw: st.DrawFn, values: list[str], resources: list[str], depth: int = 3) -> str:
    """A type over the names that there are; no borrows."""
    leaves = st.sampled_from([*PRIMITIVES, "error-context", *values, *resources])
    if depth == 0 or draw(st.booleans()):
        return draw(leaves)
    inner = type_texts(values, resources, depth - 1)
    shape = draw(st.sampled_from(["list<{}>", "option<{}>", "result<{}, {}>", "tuple<{}, {}>", "result<_, {}>",
                                  "list<{}, 4>", "stream<{}>", "future<{}>", "result<{}>", "map<k, {}>", "stream",
                                  "future", "result"]))  # fmt: skip
    text = shape.replace("map<k", f"map<{draw(st.sampled_from(KEYS))}")
    return text.format(*(draw(inner) for _ in range(text.count("{}"))))


@st.composite
def fresh_names(draw: st.DrawFn, taken: set[str]) -> str | None:
    name = draw(st.sampled_from(NAMES))
    if name.lower() in taken:
        return None
    taken.add(name.lower())
    return name


@st.composite
def member_lists(draw: st.DrawFn, minimum: int = 1) -> list[str]:
    return draw(st.lists(st.sampled_from(NAMES), min_size=minimum, max_size=4, unique_by=str.lower))


@st.composite
def definitions(draw: st.DrawFn, draft: Draft) -> str | None:
    """A type definition, put into `draft`."""
    name = draw(fresh_names(draft.names))
    if name is None:
        return None
    types = type_texts(list(draft.values), list(draft.resources))
    kind = draw(st.sampled_from(["type", "record", "variant", "enum", "flags", "resource"]))
    members = draw(member_lists())
    docs = [draw(doc_comments()) for _ in members]
    text = f"resource {name};"
    if kind == "type":
        text = f"type {name} = {draw(types)};"
    elif kind == "record":
        text = f"record {name} {{ {', '.join(f'{d}{m}: {draw(types)}' for d, m in zip(docs, members))} }}"
    elif kind == "variant":
        cases = [m if draw(st.booleans()) else f"{m}({draw(types)})" for m in members]
        text = f"variant {name} {{ {', '.join(cases)}, }}"
    elif kind in ("enum", "flags"):
        text = f"{kind} {name} {{ {', '.join(d + m for d, m in zip(docs, members))} }}"
    elif draw(st.booleans()):
        text = draw(resource_bodies(name, draft, members))
    (draft.resources if kind == "resource" else draft.values).append(name)
    return text


@st.composite
def resource_bodies(draw: st.DrawFn, name: str, draft: Draft, members: list[str]) -> str:
    functions: list[str] = []
    if draw(st.booleans()):
        functions.append(draw(st.sampled_from(["constructor(x: u8);", f"constructor() -> result<{name}, string>;"])))
    for member in members:
        if member.lower() == name.lower():
            continue  # text may say so, the binary form can't
        prefix = draw(st.sampled_from(["", "static ", "async ", "static async "]))
        functions.append(f"{draw(doc_comments())}{member}: {prefix}{draw(function_types(draft, name))};")
    return f"resource {name} {{ {' '.join(functions)} }}"


@st.composite
def function_types(draw: st.DrawFn, draft: Draft, extra: str | None = None) -> str:
    resources = draft.resources + ([extra] if extra else [])
    types = type_texts(list(draft.values), resources, 2)
    params = []
    for name in draw(member_lists(0)):
        if name == "self":
            continue
        text: str = draw(types)
        if draw(FLIP) and resources:
            text = f"borrow<{draw(st.sampled_from(resources))}>"
        params.append(f"{name}: {text}")
    result = f" -> {draw(types)}" if draw(st.booleans()) else ""
    return f"func({', '.join(params)}){result}"


@st.composite
def interface_bodies(draw: st.DrawFn, others: dict[str, Draft]) -> Draft:
    """The items of an interface, with uses of `others`."""
    draft = Draft()
    for path, other in others.items():
        exported = [(n, False) for n in other.values] + [(n, True) for n in other.resources]
        if not exported or not draw(st.booleans()):
            continue
        name, is_resource = draw(st.sampled_from(exported))
        alias = draw(fresh_names(draft.names))
        if alias is not None:
            draft.lines.append(f"use {path}.{{{name} as {alias}}};")
            (draft.resources if is_resource else draft.values).append(alias)
    for _ in range(draw(st.integers(0, 4))):
        gate, docs = draw(st.sampled_from(["", "", "@since(version = 0.1.0) "])), draw(doc_comments())
        definition = draw(definitions(draft))
        if definition is not None:
            draft.lines.append(f"{docs}{gate}{definition}")
    for _ in range(draw(st.integers(0, 4))):
        label = draw(fresh_names(draft.names))
        if label is not None:
            gate, docs = draw(st.sampled_from(GATES)), draw(doc_comments())
            prefix = draw(st.sampled_from(["", "async "]))
            draft.lines.append(f"{docs}{gate}{label}: {prefix}{draw(function_types(draft))};")
    return draft


@st.composite
def world_texts(draw: st.DrawFn, name: str, interfaces: dict[str, Draft], worlds: list[str]) -> str:
    lines: list[str] = []
    if draw(FLIP) and worlds:
        included = draw(st.sampled_from(worlds))
        rename = " with { gated-f as renamed-f, %list as lists }" if "gated@" in included else ";"
        lines.append(draw(st.sampled_from(GATES[3:])) + f"include {included}{rename if draw(FLIP) else ';'}")
    for path in interfaces:
        choice = draw(st.integers(0, 4))
        gate = draw(st.sampled_from(OPEN_GATES[:3]))
        if choice == 1:
            lines.append(f"{gate}import {path};")
        elif choice == 2:
            label = f"named-{name}-{len(lines)}"
            lines.append(f"import {label}: {path};")
    for direction in ("import", "export"):
        inline = draw(interface_bodies(dict(list(interfaces.items())[:1])))
        lines.append(f"{draw(doc_comments())}{direction} in-{name}-{direction}: interface {{")
        lines += [*inline.lines, "}"]
        lines.append(f"{direction} f-{name}-{direction}: {draw(function_types(Draft()))};")
    return f"{draw(doc_comments())}world {name} {{\n" + "\n".join(lines) + "\n}"


@st.composite
def gated_worlds(draw: st.DrawFn) -> str:
    """A world of version 1.0.0-rc.1 with gates that the version that includes it has not reached, or has."""

    def gate() -> str:
        return draw(st.sampled_from(["", "@since(version = 0.1.0) ", "@since(version = 0.9.0) ", OPEN_GATES[3]]))

    inner = f"type t = u8; {gate()}f: func() -> t; {gate()}g: func();"
    items = [
        f"{gate()}resource %list {{ {gate()}constructor(); {gate()}get: func(); }}",
        f"{gate()}import gated-f: func();",
        f"{draw(doc_comments())}{gate()}import gated-i: interface {{ {inner} }}",
        f"{gate()}export gated-e: interface {{ {gate()}f: func(); }}",
        f"{gate()}export gated-g: func(x: u8);",
    ]
    return f"{gate()}world gated {{ {' '.join(items)} }}"


@st.composite
def package_texts(draw: st.DrawFn) -> str:
    """A package with another one inside that it uses."""
    parts = [f"{draw(doc_comments())}package my:main@0.2.0;"]
    outer: dict[str, Draft] = {}
    nested = ["package my:dep@1.0.0-rc.1 {"]
    for i in range(draw(st.integers(0, 2))):
        draft = draw(interface_bodies({path.split("/")[1].split("@")[0]: d for path, d in outer.items()}))
        nested += [f"interface x{i} {{", *[line.replace("@since(version = 0.1.0) ", "") for line in draft.lines], "}"]
        outer[f"my:dep/x{i}@1.0.0-rc.1"] = draft
    worlds = ["my:dep/gated@1.0.0-rc.1"]
    nested += [draw(gated_worlds()), "}"]
    own: dict[str, Draft] = dict(outer)
    for i in range(draw(st.integers(1, 3))):
        draft = draw(interface_bodies(own))
        header = draw(doc_comments()) + draw(st.sampled_from(["", "@since(version = 0.2.0) "]))
        parts += [f"{header}interface i{i} {{", *draft.lines, "}"]
        own[f"i{i}"] = draft
    for i in range(draw(st.integers(0, 2))):
        parts.append(draw(world_texts(f"w{i}", own, worlds)))
        worlds.append(f"w{i}")
    return "\n".join(parts + nested)
