"""What an inspection knows of modules, components and WIT packages. Spec: SPEC sections 7 and 13."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.inspect.conftest import FILES, GUESTS, PEOPLE, ROOT, WORDS, ZOO, InspectText, Run
from wippywasm import wit
from wippywasm.errors import BinaryError, InvalidError, NotFoundError, WatSyntaxError
from wippywasm.inspect import inspect
from wippywasm.inspect.exports import exported_functions
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report, tree_lines
from wippywasm.model import S32, FuncType, ListType, Param, RecordType, TupleType


def test_a_component() -> None:
    found = inspect(PEOPLE)
    assert (found.kind, found.size, found.problems) == ("component", PEOPLE.stat().st_size, ())
    by_key = {f.key: f for f in found.exports}
    assert by_key["try-divide"].python == "guest.call('try-divide', 1, 1)"
    assert by_key["transform-users"].shell == """'[{"id":1,"name":"text","tags":["text"],"active":true}]'"""
    assert [g.grant for g in found.groups] == ["wasi:io", "wasi:cli", "wasi:filesystem"]
    assert found.declare == ("wasi:io", "wasi:cli", "wasi:filesystem")
    assert [m.name for m in found.modules] == ["people.core.wasm", None, None, None]
    assert "clang" in dict(found.producers["processed-by"])
    assert "export compute: func(a: s32, b: s32) -> s32;" in found.world
    assert "interface streams" in found.wit
    assert "interface streams" not in found.world, "what everyone has is not printed"


def test_a_module() -> None:
    found = inspect(WORDS)
    assert (found.kind, [f.key for f in found.exports]) == ("module", ["title-case", "split-words", "sum-of-squares"])
    assert ("memory", "memory") in [(o.name, o.what) for o in found.other_exports]
    assert found.modules[0].memories[0].limits.minimum == 17
    assert found.definition is not None
    assert "give its types as `wit`" in found.definition.notes[0]


def test_resources_are_for_python() -> None:
    by_key = {f.key.partition("#")[2]: f for f in inspect(ZOO).exports}
    assert by_key["[constructor]counter"].python == "guest.exports['guests:zoo/kinds@0.3.1'].Counter(1)"
    assert by_key["[method]counter.add"].python == "counter.add(1)"
    assert by_key["[static]counter.join"].python.endswith(".Counter.join(counter, counter)")
    assert by_key["[method]counter.add"].shell is None
    assert "call it from Python" in str(by_key["[method]counter.add"].by_id)


IMPORTS = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_wriet" (func))
  (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "env" "log" (func (param i32)))
  (func (export "f")))
"""


def test_imports_of_a_module_by_what_grants_them(inspect_text: InspectText) -> None:
    found = inspect_text(IMPORTS)
    groups = {g.grant: [(i.name, i.fault) for i in g.imports] for g in found.groups}
    assert groups == {
        "wasi1": [("wasi_snapshot_preview1", "it has no fd_wriet")],
        None: [("wasi_unstable", None), ("env", None)],
    }
    assert found.declare == ("wasi1",)


COMPONENT = """
(component
  (import "wasi:io/poll@0.2.3" (instance (export "poll" (func (param "x" u32)))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))
  (import "wasi:clocks/sundial@0.2.0" (instance (export "now" (func (result u64)))))
  (import "wasi:clocks/wall-clock@0.3.0" (instance (export "noon" (func (result u64)))))
  (import "wasi:random/random@0.2.0" (instance (export "get-random-dice" (func (result u64)))))
  (import "wippy:runtime/funcs@0.1.0" (instance (export "call-string" (func (param "a" string)))))
  (import "my:log/out" (instance (export "line" (func (param "text" string)))))
  (import "wasi:cli/run@0.2.0" (instance (export "run" (func (result (result))))))
  (import "types:only/here" (instance (type $t (record (field "a" u32))) (export "t" (type (eq $t)))))
  (import "plain" (func)))
"""


def test_imports_of_a_component_by_what_grants_them(inspect_text: InspectText) -> None:
    found = inspect_text(COMPONENT)
    groups = {g.grant: [i.name for i in g.imports] for g in found.groups}
    assert groups == {
        "wasi:poll": ["wasi:io/poll@0.2.3"],
        "wasi:clocks": ["wasi:clocks/monotonic-clock@0.2.0"],
        "wasi:random": ["wasi:random/random@0.2.0"],
        "funcs": ["wippy:runtime/funcs@0.1.0"],
        None: [
            "wasi:clocks/sundial@0.2.0",
            "wasi:clocks/wall-clock@0.3.0",
            "my:log/out",
            "wasi:cli/run@0.2.0",
            "plain",
        ],
    }
    assert list(groups)[-1] is None
    random = next(g for g in found.groups if g.grant == "wasi:random")
    assert random.imports[0].fault == "it has no get-random-dice"


def test_streams_grant_polls_too(inspect_text: InspectText) -> None:
    found = inspect_text(
        '(component (import "wasi:io/poll@0.2.3" (instance (export "poll" (func))))'
        ' (import "wasi:io/error@0.2.3" (instance (export "error" (type (sub resource))))))'
    )
    assert [g.grant for g in found.groups] == ["wasi:poll", "wasi:io"]
    assert found.declare == ("wasi:io",)


def test_proposals_and_the_engines_that_have_them(inspect_text: InspectText) -> None:
    found = inspect_text('(module (func (export "f") (return_call 0)))')
    assert found.modules[0].features == ("tail-call",)
    assert {fit.engine: fit.lacks for fit in found.engines} == {"wasmtime": (), "wasmer": ("tail-call",)}


EXTENDED = [
    "(global i32 (i32.mul (i32.const 2) (i32.const 3)))",
    '(import "" "b" (global $b i32)) (memory 1) (data (i32.add (global.get $b) (i32.const 8)) "x")',
    '(import "" "b" (global $b i32)) (table 9 funcref) (func $f) (elem (i32.add (global.get $b) (i32.const 1)) $f)',
    "(table 9 funcref) (func $f) (elem declare func $f) (global i64 (i64.sub (i64.const 1) (i64.const 1)))",
]
PLAIN = [
    '(global i32 (i32.const 106)) (memory 1) (data (i32.const 106) "jklj") (data "jjj")',
    "(table 9 funcref) (func $f) (elem (i32.const 1) $f $f) (elem (i32.const 2) funcref (ref.func $f) (ref.null func))",
    "(table $a 9 funcref) (table $b 9 funcref) (func $f) (elem (table $b) (i32.const 1) func $f) (elem func $f)",
]


@pytest.mark.parametrize("fields", [*EXTENDED, *PLAIN])
def test_constants_that_are_computed(fields: str, inspect_text: InspectText) -> None:
    found = inspect_text(f"(module {fields})")
    assert ("extended-const" in found.modules[0].features) == (fields in EXTENDED)
    wasmer = next(fit for fit in found.engines if fit.engine == "wasmer")
    assert bool(wasmer.lacks) == (fields in EXTENDED)


def test_nested_components_are_a_tree(inspect_text: InspectText) -> None:
    found = inspect_text("(component (component (component (core module))) (instance (instantiate 0)))")
    assert found.tree is not None
    assert [re.sub(r"  [\d(].*", "", line) for line in tree_lines(found.tree)] == [
        "component",
        "├─ component 0",
        "│  └─ component 0",
        "│     └─ core module 0",
        "└─ instance 0",
    ]
    assert [m.where for m in found.modules] == ["component 0/component 0/0"]


def test_a_wit_package(tmp_path: Path) -> None:
    package = wit.parse_text("package a:b@1.0.0; interface i { f: func(x: u32); } world w { import i; }").main
    assert package is not None
    file = tmp_path / "package.wasm"
    file.write_bytes(wit.encode(package))
    found = inspect(file)
    assert (found.kind, found.definition, found.exports) == ("wit package", None, ())
    assert "f: func(x: u32);" in found.world


def test_what_cannot_run_is_told_and_inspected(inspect_text: InspectText) -> None:
    found = inspect_text('(module (import "env" "memory" (memory 1)) (func (export "f") (param i32)))')
    assert "only functions can be supplied" in found.problems[0]
    assert found.definition is None
    assert ("f", "core function (i32) -> ()") in [(o.name, o.what) for o in found.other_exports]
    assert [i.name for i in found.groups[0].imports] == ["env"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", InvalidError),
        (b"\0asm\1\0\0\0\1", BinaryError),
        (b"\0asm\1\0\0\0\x0a\x04\x01\x02\x00\xff", BinaryError),
        (b"(module", WatSyntaxError),
        (b"package a:b;", InvalidError),
        (b"\xff\xfe", InvalidError),
    ],
)
def test_bad_files_are_one_error(content: bytes, error: type[Exception], tmp_path: Path) -> None:
    file = tmp_path / "bad.wasm"
    file.write_bytes(content)
    with pytest.raises(error, match=str(file)):
        inspect(file)


def test_a_method_that_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'compute'"):
        inspect(PEOPLE, method="compuet")


def test_types_that_are_too_large_to_show_have_no_sample() -> None:
    t: ListType | TupleType | RecordType = TupleType((S32, S32))
    for _ in range(40):
        t = TupleType((t, t))
    [function] = exported_functions({"f": FuncType((Param("x", t),))})
    assert (function.shell, function.python) == (None, "guest.call('f', …)")


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)
def test_every_link_of_the_drawing_joins_two_boxes(guest: Path) -> None:
    graph = inspect(guest).graph
    boxes = {box.id for box in graph.boxes}
    assert any(box.startswith("export ") for box in boxes)
    assert graph.links
    for link in graph.links:
        assert {link.source, link.target} <= boxes
        assert link.items


def test_the_report_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "many.wat"
    file.write_text(f"(component {'(core module)' * 3000})")
    sections = {section.heading: section.lines for section in report(inspect(file))}
    assert sections["Core modules"][-1] == "… and 2,800 more lines"


def test_the_report_says_what_must_be_supplied() -> None:
    lines = [line for section in report(inspect(FILES)) for line in section.lines]
    assert "wasi1 grants:" in lines
    assert "    wippywasm run files" in lines


def test_what_does_not_run_yet_is_said(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(component
          (core func $new (canon waitable-set.new))
          (core module $m
            (import "" "new" (func $new (result i32)))
            (func (export "start") (result i32) i32.const 0)
            (func (export "go") (result i32) i32.const 0)
            (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
          (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
          (func (export "go") async (canon lift (core func $i "go") async (callback (core func $i "cb"))))
          (func (export "start") (result u32) (canon lift (core func $i "start"))))"""
    )
    assert found.problems == (
        "asynchronous functions can't be called yet: go",
        "built-ins that are refused when it calls them: waitable-set.new",
    )
    assert [(f.key, f.by_id) for f in found.exports] == [
        ("go", "it is an asynchronous function, which can't be called yet"),
        ("start", None),
    ]
    assert found.definition is not None
    assert [entry.key for entry in found.definition.entries] == ["start"]


def test_what_a_component_exports_of_the_runtime_itself(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(component
          (type $r (resource (rep i32)))
          (core func $new (canon resource.new $r))
          (export $s "r" (type $r))
          (func (export "make") (param "rep" u32) (result (own $s)) (canon lift (core func $new))))"""
    )
    assert found.problems == ()
    assert [box.label for box in found.graph.boxes] == ["functions"]
    assert found.graph.links == ()
    assert "</svg>" in page(found)


def test_a_world_that_wit_cannot_say(inspect_text: InspectText, run: Run, tmp_path: Path) -> None:
    found = inspect_text(
        """(component
          (import "mock" (instance $mock (type $t (record (field "x" u32))) (export "t" (type (eq $t)))))
          (alias export $mock "t" (type $t))
          (import "use" (func (param "t" $t)))
          (import "wasi:http/types" (func)))"""
    )
    assert found.wit == ""
    assert "the type `t` comes from an interface without a name" in found.world
    ran = run("inspect", tmp_path / "guest.wat", "--wit")
    assert (ran.code, ran.out) == (0, "")
    assert "WIT has no words" in ran.err


def test_what_a_toolchain_left_for_itself_is_not_called(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(component
          (core module $m (func (export "f") (param i32)) (func (export "g") (param i32 i32 i32)))
          (core instance $i (instantiate $m))
          (func $f (param "x" u32) (canon lift (core func $i "f")))
          (func $init (param "app-name" u32) (param "symbols" u32) (param "stub-wasi" bool)
            (canon lift (core func $i "g")))
          (instance $exports (export "init" (func $init)))
          (instance $other (export "init" (func $f)))
          (export "exports" (instance $exports))
          (export "mine" (instance $other)))"""
    )
    assert [f.key for f in found.exports] == ["mine#init"]
    assert [(o.name, o.what) for o in found.other_exports] == [
        ("exports#init", "function, for componentize-py when it built this")
    ]


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)
def test_every_field_of_the_json_is_documented(guest: Path) -> None:
    schema = (ROOT / "docs/inspect.md").read_text().partition("## JSON")[2]
    assert fields(to_json(inspect(guest))) <= set(re.findall(r"`([\w-]+)`", schema))


def fields(value: Any) -> set[str]:
    """The keys of all objects inside of JSON."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(fields, inside))


def test_an_interface_of_another_type_than_is_served(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(component
          (import "wasi:clocks/monotonic-clock@0.2.0" (instance
            (export "now" (func (result u32)))
            (export "resolution" (func (result u64)))))
          (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u32))))))"""
    )
    assert [(g.grant, [i.fault for i in g.imports]) for g in found.groups] == [
        ("wasi:clocks", ["it can't be linked: the interface has now as func() -> u64"]),
        (None, [None]),
    ]


def test_core_functions_of_other_types_than_are_served(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(module
          (import "wasi_snapshot_preview1" "sched_yield" (func (result i64)))
          (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"""
    )
    [group] = found.groups
    [preview_1] = group.imports
    assert str(preview_1.fault).startswith("it can't be linked: the interface has sched_yield as ")


def test_resources_of_interfaces_that_are_served_are_the_same_ones(inspect_text: InspectText) -> None:
    found = inspect_text(
        """(component
          (import "wasi:io/error@0.2.0" (instance $e (export "error" (type (sub resource)))
            (export "[method]error.to-debug-string" (func (param "self" (borrow 0)) (result string)))))
          (alias export $e "error" (type $error))
          (import "wasi:filesystem/types@0.2.0" (instance
            (alias outer 1 $error (type $outer))
            (export "error" (type $err (eq $outer)))
            (export "filesystem-error-code" (func (param "err" (borrow $err)) (result u8))))))"""
    )
    faults = {i.name: i.fault for group in found.groups for i in group.imports}
    assert faults["wasi:io/error@0.2.0"] is None
    assert "filesystem-error-code as func(err: " in str(faults["wasi:filesystem/types@0.2.0"])


def test_an_export_without_a_name_has_no_entry(inspect_text: InspectText) -> None:
    found = inspect_text('(module (func (export "")) (func (export "f")))')
    assert [(f.key, f.by_id is None) for f in found.exports] == [("", False), ("f", True)]
    assert "empty name" in str(found.exports[0].by_id)
    assert found.definition is not None
    assert [entry.key for entry in found.definition.entries] == ["f"]


def test_an_entry_says_what_the_default_engine_lacks(
    inspect_text: InspectText, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '(module (global i32 (i32.add (i32.const 1) (i32.const 2))) (func (export "f")))'
    for default, comments in (("wasmtime", 0), ("wasmer", 2)):
        monkeypatch.setattr("wippywasm.engine.default_name", lambda default=default: default)
        definition = inspect_text(text).definition
        assert definition is not None
        lines = definition.text.split("\n")
        assert [line[:1] for line in lines[: comments + 1]] == [*["#"] * comments, "v"]
        assert comments == 0 or "--engine wasmtime" in lines[1]
        assert yaml.safe_load(definition.text)["namespace"] == "guest"


def test_one_of_anything_is_in_the_singular(tmp_path: Path, run: Run, inspect_text: InspectText) -> None:
    one, two = (f"(module {functions})" for functions in ('(func (export "f"))', '(func (export "f")) (func)'))
    guest = tmp_path / "one.wat"
    guest.write_text(one)
    counts = "1 function, 0 imports, 1 export"
    for text in (run("inspect", guest).out, run("inspect", guest, "--tree").out, page(inspect_text(one))):
        assert re.search(rf"{counts}(?!\w)", text)
    assert "2 functions, 0 imports, 1 export<" in page(inspect_text(two))
