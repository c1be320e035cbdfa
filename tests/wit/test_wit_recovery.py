"""What is told beside text that does not parse: all that is wrong for sure, nothing that may only follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wippywasm.errors import WitDiagnosticsError
from wippywasm.wit import Source, parse


def places(files: dict[str, str]) -> list[str]:
    """Where the files of one package are refused."""
    with pytest.raises(WitDiagnosticsError) as caught:
        parse([Source(name, text) for name, text in files.items()])
    return [f"{d.path}:{d.line}" for d in caught.value.diagnostics]


def test_names_are_looked_up_beside_a_file_that_does_not_parse() -> None:
    files = {
        "a": "package a:b;\ninterface i { type t = ; }\ninterface j {\n  type u = nope;\n  use j2.{gone};\n}",
        "b": "interface j2 {}\ninterface j2 {}\nworld w {\n  import nowhere;\n  export i;\n}",
    }
    assert places(files) == ["a:2", "a:4", "a:5", "b:2", "b:4"]


def test_what_may_have_been_lost_is_not_missed() -> None:
    files = {
        "a": "package a:b;\ninterface i { type t = ; type u = u8; }\ninterface lost x { type v = u8; }\n",
        "b": "interface j { use i.{t, u}; type a = t; f: func() -> a; }\nworld w { import lost; use x.{v}; }",
    }
    assert places(files) == ["a:2", "a:3"]


def test_what_stands_behind_the_braces_of_a_mistake_is_looked_at() -> None:
    items = ["record r { a: u8 b: u8 }", "f: func(x: nope);", "use j.{t,, u};", "g: func() -> gone;"]
    text = "package a:b;\ninterface i {\n" + "\n".join(items) + "\n}"
    assert places({"a": text}) == ["a:3", "a:4", "a:5", "a:6"]


def test_functions_of_a_resource_are_looked_at_beside_a_name_that_is_taken() -> None:
    text = (
        "package a:b;\ninterface i { resource r {\n  a: func();\n  a: static func();\n  constructor() -> own<r>;\n"
        "  constructor();\n  b: func() -> nope;\n} f: func() -> r; }"
    )
    assert places({"a": text}) == ["a:4", "a:5", "a:6", "a:7"]


def test_an_interface_that_never_ends_loses_all_that_follows() -> None:
    files = {"a": "package a:b;\ninterface i {\ninterface j {}\n", "b": "world w { import i; import j; }"}
    assert places(files) == ["a:3"]


def test_a_lost_package_name_is_not_missed_but_names_are() -> None:
    assert places({"a": "package a;\ninterface i { use a:b/i.{t}; type x = nope; }"}) == ["a:1", "a:2"]
    assert places({"a": "package a:b@1;\ninterface i { @since(version = 1.0.0) f: func(); }"}) == ["a:1"]


def test_a_file_that_can_not_be_read_loses_everything() -> None:
    files = {
        "a": "package a:b; \u202e interface i { type t = u8; }",
        "b": "interface j { use i.{t};\n  type x = nope; }",
    }
    assert places(files) == ["a:1", "b:2"]


def test_packages_are_looked_up_beside_one_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "a.wit").write_text(
        "package a:a;\ninterface i {\n  ! ;\n  use d:d/x.{t, gone};\n  use d:d/no.{s};\n"
        "  use e:e/any.{thing};\n  use f:f/x.{r};\n}\n"
    )
    (tmp_path / "deps" / "d.wit").write_text("package d:d;\ninterface x { type t = u8; }")
    (tmp_path / "deps" / "e.wit").write_text("package e:e;\ninterface x { use f:f/x.{t};\n  type u = nope; }")
    with pytest.raises(WitDiagnosticsError) as caught:
        parse(tmp_path)
    assert [(Path(d.path).name, d.line) for d in caught.value.diagnostics] == [
        *(("a.wit", line) for line in (3, 4, 5, 7)),
        *(("e.wit", line) for line in (2, 3)),
    ]


def test_a_package_that_was_lost_is_not_missed() -> None:
    text = "package a:b;\ninterface i { use c:d/x.{t}; }\npackage c:d {\n  interface x { type t = u8; } !\n"
    assert places({"a": text}) == ["a:4"]


def test_worlds_of_broken_packages_are_not_elaborated() -> None:
    text = "package a:b;\nworld v { import !; }\nworld w { include v; include v with { zz as yy } }"
    assert places({"a": text}) == ["a:2"]
