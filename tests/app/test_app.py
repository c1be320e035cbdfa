"""An app in Python: loaded, started, called by id, closed. Spec: SPEC sections 2, 4, 6 and 14."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.app.loading import load_app as load_parts
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import (
    DefinitionError,
    InvalidError,
    NotFoundError,
    Trap,
    UnavailableError,
    ValueMismatchError,
)
from wippywasm.model import S32, FuncType, Param

COUNTER = """\
    (module
      (global $n (mut i32) (i32.const 0))
      (func (export "count") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n))
      (func (export "crash-at") (param i32)
        (if (i32.eq (global.get $n) (local.get 0)) (then unreachable))
        (global.set $n (i32.add (global.get $n) (i32.const 1)))))
"""


def counter(name: str, pool: str, method: str = "count") -> str:
    return f"- name: {name}\n  kind: function.wat\n  method: {method}\n  pool: {pool}\n  source: |\n{COUNTER}"


def run(app: App, *calls: tuple[Any, ...]) -> list[Any]:
    """Start the app and make the calls one after the other; an error is its answer."""

    async def main() -> list[Any]:
        answers: list[Any] = []
        async with app:
            for id, *args in calls:
                try:
                    answers.append(await app.call(id, *args))
                except Exception as error:  # noqa: BLE001  the tests look at it
                    answers.append(error)
        return answers

    return asyncio.run(main())


def test_inline_forgets_and_the_others_keep_the_guests_state(load_app: LoadApp) -> None:
    app = load_app(
        counter("fresh", "{type: inline}")
        + counter("lazy", "{type: lazy, max_size: 1}")
        + counter("fixed", "{workers: 1}")
    )
    calls = [(f"t:{name}",) for name in ("fresh", "lazy", "fixed") for _ in range(3)]
    assert run(app, *calls) == [1, 1, 1, 1, 2, 3, 1, 2, 3]


def test_an_instance_that_trapped_is_not_used_again(load_app: LoadApp) -> None:
    app = load_app(counter("f", "{type: static, workers: 1}", "crash-at"))
    answers = run(app, ("t:f", 5), ("t:f", 1), ("t:f", 5), ("t:f", 1))
    assert [type(a) for a in answers] == [type(None), Trap, type(None), Trap]


def test_a_failure_names_its_entry_and_where_calls_nest_the_innermost(load_app: LoadApp) -> None:
    app = load_app(
        """\
        - name: crash
          kind: function.wat
          method: f
          source: (module (func (export "f") unreachable))
        - name: outer
          kind: function.lua
          modules: [funcs]
          method: main
          source: |
            local funcs = require("funcs")
            return {main = function(id)
              local value, err = funcs.call(id)
              if err then error(err) end
            end}
        - name: wrong
          kind: function.lua
          method: main
          source: return {main = function() error("on purpose") end}
        """
    )
    failures = run(app, ("t:crash",), ("t:outer", "t:crash"), ("t:wrong",), ("t:outer", "t:wrong"))
    assert [error.details["entry"] for error in failures] == ["t:crash", "t:crash", "t:wrong", "t:wrong"]


def test_a_refused_value_leaves_the_instance_as_it_was(load_app: LoadApp) -> None:
    app = load_app(counter("f", "{type: static, workers: 1}", "crash-at"))
    answers = run(app, ("t:f", 5), ("t:f", "x"), ("t:f",), ("t:f", 1))
    assert [type(a) for a in answers] == [type(None), ValueMismatchError, InvalidError, Trap]
    assert str(answers[2]).startswith("t:f takes 1 argument, got 0 (it is func(")


def test_many_callers_at_once(load_app: LoadApp) -> None:
    entries = "".join(
        counter(f"f{i}", pool) for i, pool in enumerate(("{type: inline}", "{max_size: 3}", "{workers: 2}"))
    )
    app = load_app(entries)

    async def main() -> None:
        async with app:
            for i in range(3):
                answers = await asyncio.gather(*(app.call(f"t:f{i}") for _ in range(50)))
                assert len(answers) == 50
            metrics = app.metrics()
        assert [metrics[f"t:f{i}"].calls for i in range(3)] == [50, 50, 50]
        assert metrics["t:f2"].live == 2
        assert metrics["t:f0"].live == 0

    asyncio.run(main())


def test_what_the_registry_tells(load_app: LoadApp) -> None:
    app = load_app(
        """\
        - name: add
          kind: function.wat
          method: add
          meta: {command: {name: plus}, comment: adds}
          wit: "add: func(a: s32, b: s32) -> s32;"
          source: (module (func (export "add") (param i32 i32) (result i32) (local.get 0)))
        - {name: lua, kind: function.lua, method: main, source: 'return {main = function(x) return x end}'}
        - {name: data, kind: registry.entry, list: [1, {a: b}]}
        """
    )
    assert list(app.entries) == ["t:add", "t:lua", "t:data"]
    assert app.signature("t:add") == FuncType((Param("a", S32), Param("b", S32)), S32)
    assert app.signature("t:lua") is app.signature("t:nope") is None
    assert {name: entry.id for name, entry in app.commands.items()} == {"plus": "t:add"}
    assert app.entries["t:data"].data["list"] == (1, {"a": "b"})
    with pytest.raises(TypeError):
        app.entries["t:data"].data["list"] = 5  # type: ignore[index]
    with pytest.raises(TypeError):
        app.entries["t:new"] = app.entries["t:data"]  # type: ignore[index]


def test_calls_that_can_not_be(load_app: LoadApp) -> None:
    app = load_app(counter("f", "{type: inline}") + "- {name: d, kind: registry.entry}\n")
    with pytest.raises(UnavailableError, match="the app is not running"):
        asyncio.run(app.call("t:f"))
    answers = run(app, ("t:g",), ("t:d",), ("t:f", 1))
    assert [type(a) for a in answers] == [NotFoundError, InvalidError, InvalidError]
    assert str(answers[0]) == "there is no entry 't:g' (the functions are 't:f')"


def test_an_app_may_be_started_again(load_app: LoadApp) -> None:
    app = load_app(counter("f", "{workers: 1}"))
    assert run(app, ("t:f",), ("t:f",)) == [1, 2]
    assert run(app, ("t:f",)) == [1]

    async def twice() -> None:
        async with app:
            with pytest.raises(InvalidError, match="running already"):
                await app.start()
            assert await app.call("t:f") == 1
        await app.close()

    asyncio.run(twice())


def test_closing_waits_for_the_calls_under_way(load_app: LoadApp) -> None:
    app = load_app(
        """\
- name: twice
  kind: function.lua
  modules: [funcs]
  method: main
  source: |
    local funcs = require("funcs")
    return {main = function()
      local first = funcs.async("t:f")
      return {assert(first:await()), assert(funcs.call("t:f"))}
    end}
"""
        + counter("f", "{workers: 1}")
    )

    async def main() -> None:
        await app.start()
        call = asyncio.create_task(app.call("t:twice"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(app.close())
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError):
            await app.call("t:f")
        assert await call == [1, 2]
        await closing
        assert app.metrics() == {}

    asyncio.run(main())


def test_a_pool_that_can_not_start_says_whose_it_is(load_app: LoadApp) -> None:
    app = load_app(
        counter("good", "{workers: 1}")
        + """\
- name: bad
  kind: function.wat
  method: f
  pool: {workers: 1}
  source: (module (func $s unreachable) (start $s) (func (export "f")))
"""
    )
    with pytest.raises(Trap) as caught:
        asyncio.run(app.start())
    assert caught.value.details["entry"] == "t:bad"
    with pytest.raises(UnavailableError):
        asyncio.run(app.call("t:good"))


def test_one_binary_of_many_entries_is_loaded_once(tmp_path: Path, engine: Engine) -> None:
    data = wat2wasm('(module (func (export "a")) (func (export "b")))')
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "x.wasm").write_bytes(data)
    lines = ["namespace: t", "entries:", "  - {name: fs, kind: fs.directory, directory: .}"]
    for name in "ab":
        lines.append(
            f"  - {{name: {name}, kind: function.wasm, fs: fs, path: /x.wasm, hash: 'sha256:{digest}', method: {name}}}"
        )
    (tmp_path / "_index.yaml").write_text("\n".join(lines))
    loaded = load_parts(tmp_path, engine, [])
    assert loaded.wasm["t:a"].component is loaded.wasm["t:b"].component
    assert (loaded.wasm["t:a"].function, loaded.wasm["t:b"].function) == ("a", "b")


def test_memory_limits_hold(load_app: LoadApp) -> None:
    app = load_app(
        """\
        - name: grow
          kind: function.wat
          method: grow
          pool: {type: inline}
          limits: {max_memory_mb: 1, max_execution_ms: 1000}
          wit: "grow: func(pages: s32) -> s32;"
          source: |
            (module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
        """
    )
    assert not app.warnings
    assert run(app, ("t:grow", 1), ("t:grow", 1000)) == [1, -1]


def test_limits_that_can_not_hold_the_module_are_a_problem(load_app: LoadApp) -> None:
    with pytest.raises(DefinitionError) as refused:
        load_app(
            """\
            - name: big
              kind: function.wat
              method: f
              limits: {max_memory_mb: 1}
              source: (module (memory 32) (func (export "f")))
            - name: many
              kind: function.wat
              method: f
              limits: {max_instances: 1}
              source: |
                (component
                  (core module $m (func (export "f")))
                  (core instance (instantiate $m)) (core instance $i (instantiate $m))
                  (func (export "f") (canon lift (core func $i "f"))))
            """
        )
    problems = [(p.entry, p.field, p.message) for p in refused.value.problems]
    assert problems == [
        ("t:big", "limits", "the guest starts with 2 MiB of memory, more than its limit max_memory_mb = 1"),
        ("t:many", "limits", "the guest starts with 2 core instances, more than its limit max_instances = 1"),
    ]


def test_a_folder_is_made_when_the_app_starts(load_app: LoadApp, tmp_path: Path) -> None:
    app = load_app("- {name: fs, kind: fs.directory, directory: made/here, auto_init: true, mode: 0750}\n")
    assert not (tmp_path / "made").exists()
    run(app)
    assert (tmp_path / "made/here").stat().st_mode & 0o777 == 0o750


def test_overrides(load_app: LoadApp) -> None:
    app = load_app(counter("f", "{type: inline}"), "t:f:pool.type=static", "t:f:pool.workers=1", "t:f:meta.note=x")
    assert run(app, ("t:f",), ("t:f",)) == [1, 2]
    assert app.entries["t:f"].meta["note"] == "x"
    with pytest.raises(DefinitionError) as caught:
        load_app(counter("f", "{type: inline}"), "t:f:pool.type=statik")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.field) == ("-o t:f:pool.type=statik", 0, "pool.type")
    with pytest.raises(DefinitionError, match="an override is UTF-8"):
        load_app(counter("f", "{type: inline}"), "t:f:method=\udcff")


def test_references_of_the_own_namespace_and_of_others(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "src/lib").mkdir(parents=True)
    (tmp_path / "src/lib/_index.yaml").write_text(
        "namespace: app.lib\nname: names\nkind: library.lua\nsource: file://names.lua\n"
    )
    (tmp_path / "src/lib/names.lua").write_text('return {hello = function(n) return "hello " .. n end}')
    (tmp_path / "src/app.yml").write_text(
        "version: '1.0'\nnamespace: app\nentries:\n"
        "  - name: greet\n    kind: function.lua\n    method: greet\n    imports: {names: 'app.lib:names', own: own}\n"
        "    source: |\n      local names, own = require('names'), require('own')\n"
        "      return {greet = function(n) return names.hello(n) .. own end}\n"
        "  - {name: own, kind: library.lua, source: return '!'}\n"
    )
    app = App.load(tmp_path, engine=engine.name)
    assert list(app.entries) == ["app:greet", "app:own", "app.lib:names"]
    assert run(app, ("app:greet", "Zoë")) == ["hello Zoë!"]
