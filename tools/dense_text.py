"""WIT texts that are one kind of item and nothing else: `python -m tools.dense_text [-s SIZE]… [KIND]…`.

In: a kind and a size. Out: a text of about that size; run by itself, what parsing each takes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tools import dense
from tools.dense import Make, label
from wippywasm.wit import parse_text

Text = Callable[[int], str]
PRIMITIVES = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "bool", "string"]


def name(number: int) -> str:
    """The shortest identifier that no other number has, and that is no keyword."""
    return "%n" + label(number)[1:].decode()


def prim(number: int) -> str:
    return PRIMITIVES[number % len(PRIMITIVES)]


def filled(make: Text, head: str, tail: str, most: int = dense.MANY) -> Make:
    """A text of as many parts as the size has room for, or `most`, between two others."""

    def of(size: int) -> bytes:
        parts, left, number = [head], size - len(head) - len(tail), 0
        while left > 0 and number < most:
            parts.append(make(number))
            left -= len(parts[-1])
            number += 1
        return "".join([*parts, tail]).encode()

    return of


PACKAGE = "package a:b;"


def interface(make: Text, head: str = "") -> Make:
    return filled(make, f"{PACKAGE}interface x{{{head}", "}")


def gated(make: Text) -> Make:
    """The same of a package with a version."""
    return filled(make, "package a:b@1.0.0;interface x{", "}")


def world(make: Text, head: str = "", before: str = "") -> Make:
    return filled(make, f"{PACKAGE}{before}world x{{{head}", "}")


def wide(kind: str, part: Text, ending: str = "}", most: int = 1_000) -> Make:
    """Definitions as wide as may be usual."""

    def one(number: int) -> str:
        return kind.format(name(number)) + ",".join(part(k) for k in range(most)) + ending

    return interface(one)


def named(definition: str) -> Make:
    return interface(lambda n: f"type {name(n)}={definition};")


TEXTS: dict[str, Make] = {
    "records of 1": interface(lambda n: f"record {name(n)}{{a:u8}}"),
    "records of 1,000": wide("record {}{{", lambda k: f"{name(k)}:{prim(k)}"),
    "a record": filled(lambda n: f"{name(n)}:u8,", f"{PACKAGE}interface x{{record r{{", "}}", 10_000),
    "variants of 1,000": wide("variant {}{{", lambda k: f"{name(k)}({prim(k)})"),
    "enums of 1": interface(lambda n: f"enum {name(n)}{{a}}"),
    "enums of 1,000": wide("enum {}{{", name),
    "an enum": filled(lambda n: f"{name(n)},", f"{PACKAGE}interface x{{enum r{{", "}}", 10_000),
    "flags of 1": interface(lambda n: f"flags {name(n)}{{a}}"),
    "tuples of 1,000": wide("type {}=tuple<", prim, ">;"),
    "primitives": named("u8"),
    "lists": named("list<u8>"),
    "lists of lists": named("list<" * 90 + "u8" + ">" * 90),
    "different lists of lists": interface(
        lambda n: f"type {name(n)}=" + "list<" * 90 + f"list<u8,{n + 1}>" + ">" * 90 + ";"
    ),
    "results": named("result"),
    "tuples of tuples": named("tuple<" + "tuple<u8>," * 100 + ">"),
    "references": interface(lambda n: f"type {name(n + 1)}={name(n // 90 * 90)};", f"type {name(0)}=u8;"),
    "chains": interface(
        lambda n: f"type {name(n + 1)}=" + (f"tuple<{name(n)},{name(n)}>;" if n % 18 else "u8;"), f"type {name(0)}=u8;"
    ),
    "resources": interface(lambda n: f"resource {name(n)};"),
    "resources with a constructor": interface(lambda n: f"resource {name(n)}{{constructor();}}"),
    "methods": filled(lambda n: f"{name(n)}:func();", f"{PACKAGE}interface x{{resource r{{", "}}"),
    "statics": filled(lambda n: f"{name(n)}:static func();", f"{PACKAGE}interface x{{resource r{{", "}}"),
    "functions": interface(lambda n: f"{name(n)}:func();"),
    "functions with a list": interface(lambda n: f"{name(n)}:func()->list<u8>;"),
    "functions of 1": interface(lambda n: f"{name(n)}:func(a:u8)->u8;"),
    "functions of 1,000": wide("{}:func(", lambda k: f"{name(k)}:u8", ");"),
    "functions of names": interface(lambda n: f"{name(n)}:func(a:t)->t;", "type t=u8;"),
    "functions of borrows": interface(lambda n: f"{name(n)}:func(a:borrow<r>)->r;", "resource r;"),
    "interfaces": filled(lambda n: f"interface {name(n)}{{}}", PACKAGE, ""),
    "interfaces of a function": filled(lambda n: f"interface {name(n)}{{a:func();}}", PACKAGE, ""),
    "interfaces that use": filled(
        lambda n: f"interface {name(n)}{{use z.{{t}};}}", f"{PACKAGE}interface z{{type t=u8;}}", ""
    ),
    "interfaces in a chain": filled(
        lambda n: f"interface {name(n + 1)}{{use {name(n)}.{{t}};}}", f"{PACKAGE}interface {name(0)}{{type t=u8;}}", ""
    ),
    "uses": interface(lambda n: f"use z.{{t as {name(n)}}};"),
    "use of many": filled(
        lambda n: f"t as {name(n)},", f"{PACKAGE}interface z{{type t=u8;}}interface x{{use z.{{", "};}"
    ),
    "top uses": filled(lambda n: f"use z as {name(n)};", f"{PACKAGE}interface z{{}}", ""),
    "worlds": filled(lambda n: f"world {name(n)}{{}}", PACKAGE, ""),
    "imports of functions": world(lambda n: f"import {name(n)}:func();"),
    "exports of functions": world(lambda n: f"export {name(n)}:func();"),
    "imports of interfaces": world(lambda n: f"import {name(n)}:interface{{}}"),
    "imports of one interface": world(lambda n: f"import {name(n)}:z;", "", "interface z{a:func();}"),
    "imports of packages": world(lambda n: f"import a{n:x}:b/c;"),
    "types of worlds": world(lambda n: f"type {name(n)}=u8;"),
    "worlds that include": filled(
        lambda n: f"world {name(n)}{{include z;}}", f"{PACKAGE}world z{{import a:func();}}", ""
    ),
    "worlds that include a chain": filled(
        lambda n: f"world {name(n + 1)}{{include {name(n)};import f-{n}:func();}}", f"{PACKAGE}world {name(0)}{{}}", ""
    ),
    "includes with names": filled(
        lambda n: f"world {name(n)}{{" + f"include z with{{a as b-{n}}}" * 10 + "}",
        f"{PACKAGE}world z{{import a:func();}}",
        "",
    ),
    "packages": filled(lambda n: f"package a:{name(n)[1:]}a{{}}", PACKAGE, ""),
    "packages with an interface": filled(
        lambda n: f"package a:{name(n)[1:]}a{{interface i{{a:func();}}}}", PACKAGE, ""
    ),
    "packages of versions": filled(lambda n: f"package a:c@1.0.{n}{{interface i{{}}}}", PACKAGE, ""),
    "packages in a chain": filled(
        lambda n: f"package a:c@1.0.{n + 1}{{interface i{{use a:c/i@1.0.{n}.{{t}};}}}}",
        f"{PACKAGE}package a:c@1.0.0{{interface i{{type t=u8;}}}}",
        "",
    ),
    "gates": gated(lambda n: f"@since(version=1.0.0)type {name(n)}=u8;"),
    "unstable": interface(lambda n: f"@unstable(feature=a)type {name(n)}=u8;"),
    "attributes": gated(
        lambda n: f'@since(version=1.0.0)@deprecated(version=1.0.0)@external-id("{n}"){name(n)}:func();'
    ),
    "comments": interface(lambda n: "///\n"),
    "comments of lines": interface(lambda n: f"///a\ntype {name(n)}=u8;"),
    "blocks": interface(lambda n: "/**/"),
    "nested blocks": filled(lambda n: "/*", PACKAGE, ""),
    "long names": interface(lambda n: "type " + "a-" * 500 + f"a{n}=u8;"),
    "long words": interface(lambda n: "type " + "a" * 1_000 + f"{n}=u8;"),
    "Unicode": interface(lambda n: f"type ä{n}=u8;"),
    "faults": interface(lambda n: "?;"),
    "semicolons": filled(lambda n: ";", PACKAGE, ""),
    "braces": filled(lambda n: "{", PACKAGE, ""),
    "angles": filled(lambda n: "<", f"{PACKAGE}interface x{{type a=list", ""),
    "unknown names": interface(lambda n: f"type {name(n)}=nope-{n};"),
    "names that are there": interface(lambda n: "type a=u8;"),
    "escapes": interface(lambda n: '@external-id("' + "\\u{1f600}" * 100 + f'"){name(n)}:func();'),
}


def _line(text: bytes) -> str:
    return dense.report(text, lambda data: parse_text(data.decode()))


if __name__ == "__main__":
    sys.exit(dense.main(__doc__, TEXTS, [20_000, 500_000], _line))
