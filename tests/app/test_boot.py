"""Starting an app: what is compiled, how often, and what is loaded for it. Spec: SPEC section 3."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.app.programs import components
from wippywasm.engine import wat2wasm
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.port import Engine
from wippywasm.errors import DefinitionError

ADD = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
COMPONENT = """(component
  (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const %d))))
  (core instance $i (instantiate $m))
  (func (export "f") (param "x" s32) (result s32) (canon lift (core func $i "f"))))"""


class Counts:
    """How often each stage of loading is reached."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.counted: Counter[str] = Counter()
        self.patch = patch

    def count(self, owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counting(*args: Any, **named: Any) -> Any:
            self.counted[name] += 1
            return real(*args, **named)

        self.patch.setattr(owner, name, counting)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    counts = Counts(monkeypatch)
    counts.count(Compiler, "_load_or_build")
    counts.count(components, "load")
    return counts


def binary_entries(wasm: bytes, count: int, *, more: str = "") -> str:
    digest = hashlib.sha256(wasm).hexdigest()
    entry = (
        f"- name: f%d\n  kind: function.wasm\n  fs: files\n  path: x.wasm\n  hash: sha256:{digest}\n  method: f\n{more}"
    )
    return "- name: files\n  kind: fs.directory\n  directory: .\n" + "".join(entry % i for i in range(count))


def test_hundreds_of_entries_over_one_binary_cost_one_compile(
    load_app: LoadApp, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIPPYWASM_CACHE", "0")
    wasm = wat2wasm(COMPONENT.replace("$m (func", "$m (memory 1) (func", 1) % 31)
    more = "  wit: 'f: func(x: s32) -> s32;%s'\n  limits: {max_memory_mb: %d}\n  pool: {type: lazy, max_size: %d}\n"
    entries = binary_entries(wasm, 300)
    varied = "".join(
        textwrap.dedent(f"""\
            - name: g{i}
              kind: function.wasm
              fs: files
              path: x.wasm
              hash: sha256:{hashlib.sha256(wasm).hexdigest()}
              method: f
            """)
        + more % (" " * (i % 3), i + 1, i + 1)
        for i in range(20)
    )
    app = load_app(entries + varied, x_dot_wasm=wasm)
    assert counts.counted == {"_load_or_build": 1, "load": 1}
    assert len(app.functions) == 320

    async def main() -> list[int]:
        async with app:
            results = [await app.call("t:f7", 2), await app.call("t:g7", 3)]
            before = counts.counted.copy()
            for i in range(20):
                assert await app.call(f"t:g{i}", 1) == 31
            assert counts.counted == before  # whatever their limits are
            return results

    assert asyncio.run(main()) == [62, 93]


def test_a_large_module_is_compiled_before_the_app_serves(load_app: LoadApp, counts: Counts, engine: Engine) -> None:
    body = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))" * 8_000
    text = f'(module (func (export "f") (param i32) (result i32) {body} (local.get 0)))'
    more = "  wit: 'f: func(x: s32) -> s32;'\n  limits: {max_memory_mb: 5}\n"
    app = load_app(binary_entries(wasm := wat2wasm(text), 1, more=more), x_dot_wasm=wasm)
    before = counts.counted["_load_or_build"]
    assert before == {"wasmtime": 1, "wasmer": 2}[engine.name]

    async def main() -> None:
        async with app:
            await app.call("t:f0", 2)

    asyncio.run(main())
    assert counts.counted["_load_or_build"] - before <= 2  # those of our own making


def test_a_wit_that_does_not_fit_is_its_entrys_problem_alone(load_app: LoadApp) -> None:
    wasm = wat2wasm(COMPONENT % 3)
    entries = binary_entries(wasm, 1) + binary_entries(wasm, 1, more="  wit: 'f: func(x: u8) -> s32;'\n").split(
        "directory: .\n"
    )[1].replace("f0", "g")
    with pytest.raises(DefinitionError) as caught:
        load_app(entries, x_dot_wasm=wasm)
    (problem,) = caught.value.problems
    assert (problem.entry, problem.field) == ("t:g", "wit")


def test_mistakes_in_a_wit_tell_their_column_and_what_was_meant(load_app: LoadApp) -> None:
    wasm = wat2wasm(COMPONENT % 3)
    with pytest.raises(DefinitionError) as caught:
        load_app(binary_entries(wasm, 1, more="  wit: 'f: func(x: strng) -> s32;'\n"), x_dot_wasm=wasm)
    (problem,) = caught.value.problems
    assert (problem.field, problem.message) == ("wit", "there is no type `strng`, at column 12")
    assert problem.hint == "did you mean `string`?"


def test_the_second_start_compiles_nothing(load_app: LoadApp, counts: Counts, engine: Engine, tmp_path: Path) -> None:
    backend = type(engine._compiler._backend)  # type: ignore[attr-defined]
    counts.count(backend, "build")
    entries = f"- name: f\n  kind: function.wat\n  method: f\n  source: |\n{textwrap.indent(COMPONENT % 77, '    ')}\n"
    first = load_app(entries)
    assert counts.counted["build"] == 1
    del first
    App.load(tmp_path, engine=engine.name)
    assert counts.counted["build"] == 1


def test_different_modules_are_all_compiled_and_progress_is_told(
    load_app: LoadApp, engine: Engine, tmp_path: Path
) -> None:
    entry = "- name: f{0}\n  kind: function.wat\n  method: f\n  source: |\n{1}\n"
    load_app("".join(entry.format(i, textwrap.indent(COMPONENT % i, "    ")) for i in range(12)))
    told: list[tuple[int, int]] = []
    app = App.load(tmp_path, engine=engine.name, progress=lambda done, total: told.append((done, total)))

    async def main() -> list[int]:
        async with app:
            return [await app.call(f"t:f{i}", 10) for i in range(12)]

    assert asyncio.run(main()) == [10 * i for i in range(12)]
    assert told == sorted(told)
    assert told[0] == (0, 12)
    assert told[-1] == (12, 12)


def test_every_problem_of_modules_compiled_beside_each_other_is_told(load_app: LoadApp) -> None:
    entry = "- name: f{0}\n  kind: function.wat\n  method: f\n  source: '(module {1})'\n"
    broken = ["(fnc)", '(func (export "g"))', '(func (export "f"))', "(func i32.add drop)"]
    with pytest.raises(DefinitionError) as caught:
        load_app("".join(entry.format(i, text) for i, text in enumerate(broken)))
    assert [problem.entry for problem in caught.value.problems] == ["t:f0", "t:f1", "t:f3"]


# what is loaded -------------------------------------------------------------------------------------------------------


def loaded_by(tmp_path: Path, entries: str) -> set[str]:
    """The modules that a fresh Python has after loading an app."""
    (tmp_path / "_index.yaml").write_text("namespace: t\nentries:\n" + textwrap.indent(entries, "  "))
    code = f"import sys; from wippywasm import App; App.load({str(tmp_path)!r}); print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_an_app_without_lua_does_not_load_it(tmp_path: Path) -> None:
    wat = f"- name: f\n  kind: function.wat\n  method: add\n  source: '{ADD}'\n"
    loaded = loaded_by(tmp_path, wat)
    assert "wippywasm.instance.component" in loaded
    assert not {"lupa", "rich", "wippywasm.wasi.wasi", "wippywasm.app.lua.sandbox"} & loaded


def test_an_app_of_lua_alone_does_not_load_what_wasm_needs(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "- name: f\n  kind: function.lua\n  method: main\n  source: 'return function() end'\n")
    assert "lupa" in loaded
    assert not {"wippywasm.abi", "wippywasm.plan", "wippywasm.wit", "wippywasm.instance.component"} & loaded


@pytest.mark.parametrize(
    ("repository", "words"),
    [("checkout/.git", "'checkout' is a checkout with definitions of its own: move it out of the app folder"),
     (".git", "write 'checkout/demo/wasm'")],
)  # fmt: skip
def test_folders_that_a_checkout_below_means_are_not_to_be_named_otherwise(
    repository: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "checkout/demo/wasm").mkdir(parents=True)
    (tmp_path / repository).mkdir()
    entry = "{name: binaries, kind: fs.directory, directory: wasm}"
    (tmp_path / "checkout/demo/_index.yaml").write_text(f"namespace: demo\nentries:\n  - {entry}\n")
    with pytest.raises(DefinitionError) as caught:
        App.load(tmp_path)
    assert words in str(caught.value.problems[0].hint)
