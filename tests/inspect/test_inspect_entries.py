"""The entry that an inspection writes runs as it is, from Python and from the shell. Spec: SPEC sections 3 and 13."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from tests.http.client import Client, served
from tests.inspect.conftest import FILES, FILES_COMPONENT, GREET, GUESTS, PEOPLE, WORDS, ZOO, Run
from tests.wasi_net import net_guests
from wippywasm import App, wit
from wippywasm.app.json_values.from_json import arguments_from_json
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import GuestExit, Trap, WitError
from wippywasm.inspect import Inspection, inspect
from wippywasm.inspect.definition import scalar
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.leb128 import unsigned


def paste(guest: Path, app: Path, method: str | None = None) -> Inspection:
    """An app with the guest in a folder of its own, and the definition that is written for it."""
    (app / "guests").mkdir(parents=True)
    file = Path(shutil.copy(guest, app / "guests"))
    found = inspect(file, app=app, method=method)
    assert found.definition is not None
    (app / "_index.yaml").write_text(found.definition.text)
    return found


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)
def test_every_pasted_entry_loads_and_can_be_called(guest: Path, engine: Engine, tmp_path: Path) -> None:
    found = paste(guest, tmp_path)
    app = App.load(tmp_path, engine=engine.name)
    assert found.definition is not None
    assert app.warnings == ()
    called = [entry.id for entry in found.definition.entries if entry.command is None]
    assert called == list(app.functions)
    assert asyncio.run(call_all(app, found)) == len(called)


async def call_all(app: App, found: Inspection) -> int:
    """Call each function with its sample; the guest may answer with an error of its own."""
    called = 0
    assert found.definition is not None
    async with app:
        for entry in found.definition.entries:
            if entry.command is not None:
                continue
            function = next(f for f in found.exports if f.key == entry.key)
            texts = shlex.split(function.shell or "")
            values = arguments_from_json(entry.id, function.type, [json.loads(text) for text in texts])
            with contextlib.suppress(WitError, GuestExit, Trap):
                await app.call(entry.id, *values)
            called += 1
    return called


@pytest.mark.parametrize(
    ("guest", "key", "answer"),
    [
        (PEOPLE, "compute", 1),
        (PEOPLE, "echo", "text"),
        (PEOPLE, "demo:people/stats@1.0.0#total", 1),
        (GREET, "greet", "Hello, text!"),
        (ZOO, "guests:zoo/kinds@0.3.1#negate", False),
        (ZOO, "guests:zoo/kinds@0.3.1#next-char", "y"),
    ],
)
def test_the_very_command_that_is_shown(guest: Path, key: str, answer: object, tmp_path: Path, run: Run) -> None:
    found = paste(guest, tmp_path, key)
    assert found.definition is not None
    [entry] = found.definition.entries
    function = next(f for f in found.exports if f.key == key)
    assert function.shell is not None
    ran = run("-C", tmp_path, "call", entry.id, *shlex.split(function.shell))
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == answer


@pytest.mark.parametrize("guest", [FILES, FILES_COMPONENT], ids=lambda g: g.name)
def test_a_program_becomes_a_command(guest: Path, tmp_path: Path, run: Run) -> None:
    found = paste(guest, tmp_path)
    assert found.definition is not None
    [entry] = found.definition.entries
    assert entry.command is not None
    ran = run("--json", "-C", tmp_path, "run", "list")
    assert [row["name"] for row in json.loads(ran.out)] == [entry.command]
    ran = run("-C", tmp_path, "run", entry.command)
    assert (ran.err, ran.code in (1, 2)) == ("", True), "without arguments it has nothing to do, and says so"
    (tmp_path / "data").mkdir()
    (tmp_path / "data/hello.txt").write_text("hello from a file\n")
    text = (tmp_path / "_index.yaml").read_text()
    text = text.replace("wasi: {args", "wasi: {mounts: [{fs: data, guest: /d}], args")
    (tmp_path / "_index.yaml").write_text(f"{text}  - {{name: data, kind: fs.directory, directory: data}}\n")
    ran = run("-C", tmp_path, "run", entry.command, "cat", "/d/hello.txt")
    assert (ran.code, ran.out) == (0, "hello from a file\n\n"), ran.err


IMPORTING = """
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "roll") (result i32) (call $random (i32.const 0) (i32.const 4))))
"""


def test_what_the_entry_declares_is_granted(tmp_path: Path, run: Run) -> None:
    guest = tmp_path / "dice.wat"
    guest.write_text(IMPORTING)
    found = paste(guest, tmp_path / "app")
    ran = run("-C", tmp_path / "app", "call", "dice:roll")
    assert (ran.code, ran.out) == (0, "0\n")
    assert found.definition is not None
    denied = found.definition.text.replace("    imports: [wasi1]\n", "")
    assert denied != found.definition.text
    (tmp_path / "app/_index.yaml").write_text(denied)
    ran = run("-C", tmp_path / "app", "call", "dice:roll")
    assert ran.code == 1
    assert "declare 'wasi1'" in ran.err


def test_text_outside_of_the_app_folder_is_written_into_the_entry(tmp_path: Path, run: Run) -> None:
    app, guest = tmp_path / "app", tmp_path / "dice.wat"
    app.mkdir()
    guest.write_text(IMPORTING)
    found = inspect(guest, app=app)
    assert found.definition is not None
    (app / "_index.yaml").write_text(found.definition.text)
    assert run("-C", app, "call", "dice:roll").out == "0\n"


def test_a_long_text_is_written_once_for_all_functions(tmp_path: Path, run: Run) -> None:
    """Each entry alone has it, as it may be pasted alone."""
    app, guest = tmp_path / "app", tmp_path / "numbers.wat"
    app.mkdir()
    functions = "".join(f'(func (export "n{n}") (result i32) i32.const {n})\n' for n in range(40))
    guest.write_text(f"(module\n{functions})")
    found = inspect(guest, app=app).definition
    assert found is not None
    assert len(found.text) < 3 * guest.stat().st_size
    (app / "_index.yaml").write_text(found.text)
    assert [run("-C", app, "call", f"numbers:n{n}").out for n in (0, 1, 39)] == ["0\n", "1\n", "39\n"]
    last = found.entries[-1]
    (app / "_index.yaml").write_text(found.head + last.text)
    assert run("-C", app, "call", last.id).out == "39\n"


def test_a_binary_outside_of_the_app_folder_is_found_by_its_full_path(tmp_path: Path, run: Run) -> None:
    (tmp_path / "app").mkdir()
    found = inspect(WORDS, app=tmp_path / "app")
    assert found.definition is not None
    assert "outside of the app folder" in found.definition.notes[0]
    (tmp_path / "app/_index.yaml").write_text(found.definition.text)
    assert run("-C", tmp_path / "app", "call", "words:split-words", "0", "0").code == 0


def test_a_module_with_its_world_inside_needs_no_other_types(tmp_path: Path, run: Run) -> None:
    package = wit.parse_text(
        "package a:b; interface types { record point { x: u32, y: u32 } } "
        "world w { use types.{point}; export total: func(p: point) -> u32; }"
    ).main
    assert package is not None
    module = '(module (func (export "total") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
    content = b"\x10component-type:w" + wit.encode(package)
    guest = tmp_path / "points.wasm"
    guest.write_bytes(wat2wasm(module) + b"\0" + unsigned(len(content)) + content)
    found = paste(guest, tmp_path / "app")
    assert "record point {" in found.world
    assert found.exports[0].shell == """'{"x":1,"y":1}'"""
    assert run("-C", tmp_path / "app", "call", "points:total({x: 40, y: 2})").out == "42\n"


def test_a_server_becomes_a_service_with_endpoints(tmp_path: Path, run: Run) -> None:
    package = wit.parse_text(net_guests.world(net_guests.SERVER_WORLD)).main
    assert package is not None
    content = b"\x10component-type:w" + wit.encode(package)
    guest = tmp_path / "echo.wasm"
    guest.write_bytes(wat2wasm(net_guests.ECHO) + b"\0" + unsigned(len(content)) + content)
    found = paste(guest, tmp_path / "app")
    assert found.definition is not None
    [entry] = found.definition.entries
    assert (entry.id, entry.command, entry.address) == ("echo:handle", None, "http://127.0.0.1:8080/")
    assert run("-C", tmp_path / "app", "lint").err == ""
    words = run("inspect", guest).out
    assert "wippywasm run\n      curl http://127.0.0.1:8080/" in words
    assert "guest.call" not in words
    assert "curl http://127.0.0.1:8080/" in page(found)
    assert [export["address"] for export in to_json(found)["exports"]] == ["http://127.0.0.1:8080/"]
    file = tmp_path / "app/_index.yaml"
    file.write_text(file.read_text().replace("8080", "0"))
    app = App.load(tmp_path / "app")
    assert app.warnings == ()

    async def ask(client: Client) -> list[tuple[int, bytes]]:
        answers = [await client.ask(m, "/", "a") for m in ("POST", "PUT", "PATCH", "DELETE")]
        answers += [await client.ask("POST", "/any/way", "b"), await client.ask("GET", "/")]
        return [(answer.status, answer.body) for answer in answers]

    assert served(app, ask) == [*[(201, b"a")] * 4, (201, b"b"), (201, b"")]


def test_a_report_says_where_the_rest_of_a_long_entry_is(tmp_path: Path, run: Run) -> None:
    fields = ", ".join(f"field-{n}: u32" for n in range(200))
    package = wit.parse_text(f"package a:b; world w {{ record r {{ {fields} }} export f: func(p: list<r>); }}").main
    assert package is not None
    content = b"\x10component-type:w" + wit.encode(package)
    guest = tmp_path / "long.wasm"
    module = """(module (memory (export "memory") 1) (func (export "f") (param i32 i32))
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable))"""
    guest.write_bytes(wat2wasm(module) + b"\0" + unsigned(len(content)) + content)
    assert "# and so on: 'wippywasm inspect " in run("inspect", guest).out
    assert "field-199: u32" in run("inspect", guest, "--entry").out


def test_names_that_two_interfaces_share(tmp_path: Path) -> None:
    guest = tmp_path / "two.wat"
    guest.write_text(
        """(component
          (core module $m (func (export "f") (result i32) i32.const 1))
          (core instance $i (instantiate $m))
          (func $f (result u32) (canon lift (core func $i "f")))
          (instance $a (export "f" (func $f)))
          (export "a:b/one@1.0.0" (instance $a))
          (export "a:b/two@1.0.0" (instance $a))
          (export "c:d/two" (instance $a)))"""
    )
    found = inspect(guest, app=tmp_path)
    assert found.definition is not None
    assert [entry.id for entry in found.definition.entries] == ["two:f", "two:two-f", "two:two-f-2"]


@pytest.mark.parametrize("text", ["yes", "a b", "x: y", "# no", "\x00\x7f", "", "1.5", "ünï", '"', "true", "-", "a#b"])
def test_any_text_is_a_scalar(text: str) -> None:
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]


MIDDLEWARE = """
(component
  (import "wasi:cli/run@0.2.0" (instance $r (export "run" (func (result (result))))))
  (alias export $r "run" (func $f))
  (core func $l (canon lower (func $f)))
  (core module $m (import "x" "r" (func $r (result i32))) (func (export "f") (result i32) (call $r)))
  (core instance $i (instantiate $m (with "x" (instance (export "r" (func $l))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
"""


@pytest.mark.parametrize("imports", ["", "    imports: [wasi:cli]\n"])
def test_what_other_guests_export_is_not_to_be_declared(tmp_path: Path, run: Run, imports: str) -> None:
    guest = tmp_path / "middle.wat"
    guest.write_text(MIDDLEWARE)
    found = paste(guest, tmp_path / "app")
    assert found.declare == ()
    with (tmp_path / "app/_index.yaml").open("a") as file:
        file.write(imports)
    ran = run("-C", tmp_path / "app", "call", "middle:f")
    assert ran.code == 1
    assert "declare" not in ran.err
    assert "by `with:` and a component that exports it" in ran.err


@pytest.mark.parametrize(
    ("text", "missing", "is_plugged"),
    [
        (MIDDLEWARE, "wasi:cli/run@0.2.0", True),
        ('(module (import "env" "log" (func $log)) (func (export "f") (call $log)))', "env", False),
        (IMPORTING, "", False),
    ],
)
def test_an_entry_that_needs_more_than_grants_says_so(
    text: str, missing: str, is_plugged: bool, tmp_path: Path, run: Run
) -> None:
    guest = tmp_path / "app/guest.wat"
    guest.parent.mkdir()
    guest.write_text(text)
    ran = run("-C", guest.parent, "inspect", guest, "--entry")
    assert ran.code == 0
    (guest.parent / "_index.yaml").write_text(ran.out)
    assert run("-C", guest.parent, "lint").code == 0
    assert ran.err.startswith(f"note: nothing here serves {missing}: ") == bool(missing)
    assert ("component.instantiate(imports=" in ran.err) == bool(missing)
    assert ("`with: [ID]`" in ran.err) == is_plugged
    assert ran.err.count("\n") == bool(missing)
    assert run("-C", guest.parent, "inspect", guest).out.count("nothing here serves") == bool(missing)
