"""Changes of a running app: applied whole or not at all, without a lost call, in versions. Spec: SPEC section 2."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.errors import AlreadyExistsError, DefinitionError, InvalidError, NotFoundError

APP = """\
- name: answer
  kind: function.wat
  method: f
  source: (module (func (export "f") (result i32) (i32.const 1)))
- name: caller
  kind: function.lua
  modules: [funcs]
  method: main
  source: |
    local funcs = require("funcs")
    return {main = function() return funcs.call("t:answer") end}
- {name: data, kind: registry.entry, meta: {type: note, tags: [a, b]}, key: value}
"""
COUNT = """\
- name: count
  kind: function.wat
  method: f
  pool: {type: lazy, max_size: 1}
  source: |
    (module (global $n (mut i32) (i32.const 0)) (func (export "f") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
"""


def answer(number: int, **fields: Any) -> dict[str, Any]:
    source = f'(module (func (export "f") (result i32) (i32.const {number})))'
    return {"id": "t:answer", "kind": "function.wat", "data": {"method": "f", "source": source, **fields}}


def lua(name: str, source: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"t:{name}", "kind": "function.lua", "data": {"method": "main", "source": source, **fields}}


def run(app: App, body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with app:
            await body()

    asyncio.run(main())


def test_create_update_delete(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def body() -> None:
        registry = app.registry
        version = (
            await registry.changes().update(answer(2)).create(lua("new", "return function() return 7 end")).apply()
        )
        assert (version.id, registry.current.id) == (2, 2)
        assert await app.call("t:answer") == 2
        assert await app.call("t:caller") == 2
        assert await app.call("t:new") == 7
        await registry.changes().delete("t:new").apply()
        with pytest.raises(NotFoundError, match="no entry 't:new'"):
            await app.call("t:new")
        assert set(app.metrics()) == {"t:answer", "t:caller"}

    run(app, body)


def test_what_did_not_change_keeps_its_instances(load_app: LoadApp) -> None:
    app = load_app(APP + COUNT)

    async def body() -> None:
        assert [await app.call("t:count") for _ in range(2)] == [1, 2]
        await app.registry.changes().update(answer(5)).apply()
        assert await app.call("t:count") == 3
        same = app.registry.get("t:count")
        await app.registry.changes().update({**same, "data": {**same["data"], "pool": {"type": "inline"}}}).apply()
        assert [await app.call("t:count") for _ in range(2)] == [1, 1]

    run(app, body)


def test_a_refused_change_leaves_everything_as_it_was(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def body() -> None:
        registry = app.registry
        refused: list[tuple[type[Exception], Any]] = [
            (DefinitionError, registry.changes().update(answer(3)).create(lua("bad", "return function(")).apply),
            (DefinitionError, registry.changes().update(answer(3, nonsense=1)).apply),
            (DefinitionError, registry.changes().update(answer(3, limits={"max_execution_ms": "long"})).apply),
            (AlreadyExistsError, registry.changes().update(answer(3)).create(answer(4)).apply),
            (NotFoundError, registry.changes().update(answer(3)).delete("t:nothing").apply),
            (InvalidError, registry.changes().apply),
            (NotFoundError, lambda: registry.apply_version(99)),
        ]
        for error, apply in refused:
            with pytest.raises(error):
                await apply()
            assert registry.current.id == 1
            assert await app.call("t:answer") == 1
            assert registry.get("t:answer")["data"]["source"].count("const 1") == 1

    run(app, body)


def test_all_problems_of_a_change_come_together(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def body() -> None:
        changes = app.registry.changes()
        changes.update(answer(3, pool={"type": "lasy"})).create(lua("x", "return 1", modules=["func"])).delete("t:data")
        with pytest.raises(DefinitionError) as refused:
            await changes.apply()
        assert [(p.entry, p.field) for p in refused.value.problems] == [
            ("t:answer", "pool.type"),
            ("t:x", "modules[0]"),
        ]

    run(app, body)


def test_an_instance_that_can_not_be_made_refuses_the_change(load_app: LoadApp) -> None:
    app = load_app(APP)
    traps = '(module (func $s unreachable) (start $s) (func (export "f") (result i32) (i32.const 1)))'

    async def body() -> None:
        bad = answer(0, pool={"type": "static", "workers": 1})
        bad["data"]["source"] = traps
        with pytest.raises(Exception, match="unreachable"):
            await app.registry.changes().update(bad).delete("t:data").apply()
        assert await app.call("t:answer") == 1
        assert app.registry.get("t:data")["data"] == {"key": "value"}

    run(app, body)


def test_versions_and_back(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def body() -> None:
        registry = app.registry
        await registry.changes().update(answer(2)).apply()
        await registry.changes().update(answer(3)).delete("t:data").apply()
        version = await registry.apply_version(1)
        assert version.id == 4
        assert await app.call("t:answer") == 1
        assert registry.get("t:data")["data"] == {"key": "value"}
        assert await app.call("t:answer") == 1
        await registry.apply_version(3)
        assert await app.call("t:answer") == 3
        assert [version.id for version in registry.history.all()] == [1, 2, 3, 4, 5]
        assert registry.get("t:answer", version=2)["data"]["source"].count("const 2") == 1

    run(app, body)


def test_calls_under_way_end_on_the_old_version_and_waiting_ones_run_on_the_new(load_app: LoadApp) -> None:
    slow = 'local time = require("time") return function(n) time.sleep("20ms") return {n, %d} end'
    pool = {"type": "static", "workers": 1}
    fields = {"modules": ["time"], "pool": pool}
    app = load_app(APP)

    async def body() -> None:
        await app.registry.changes().create(lua("slow", slow % 1, **fields)).apply()
        calls = [asyncio.ensure_future(app.call("t:slow", n)) for n in range(5)]
        await asyncio.sleep(0.005)
        await app.registry.changes().update(lua("slow", slow % 2, **fields)).apply()
        results = await asyncio.gather(*calls)
        assert [n for n, _ in results] == [0, 1, 2, 3, 4]
        assert results[0][1] == 1
        assert results[-1][1] == 2

    run(app, body)


def test_no_call_is_lost_while_entries_change(load_app: LoadApp) -> None:
    app = load_app(APP)
    done = 0

    async def client() -> None:
        nonlocal done
        while done < 2000:
            assert await app.call("t:caller") in range(1, 100)
            done += 1
            await asyncio.sleep(0)

    async def changer() -> None:
        number = 1
        while done < 2000:
            number = number % 98 + 1
            await app.registry.changes().update(answer(number, pool={"type": "static", "workers": 2})).apply()
            await asyncio.sleep(0.002)

    async def body() -> None:
        await asyncio.gather(changer(), *(client() for _ in range(20)))

    run(app, body)


def test_find(load_app: LoadApp) -> None:
    registry = load_app(APP).registry

    def ids(**criteria: Any) -> list[str]:
        return [entry["id"] for entry in registry.find({k.replace("_", "."): v for k, v in criteria.items()})]

    assert ids(**{".kind": "function.*"}) == ["t:answer", "t:caller"]
    assert ids(**{".ns": "t", "meta.type": "note"}) == ["t:data"]
    assert ids(type="note") == ["t:data"]
    assert ids(meta={"type": "n*e"}) == ["t:data"]
    assert ids(**{"*tags": "b"}) == ["t:data"]
    assert ids(**{"^.name": "a", "$.kind": "wat"}) == ["t:answer"]
    assert ids(**{"~.id": "^t:(answer|data)$"}) == ["t:answer", "t:data"]
    assert ids(type="other") == []
    for bad in ({".nope": 1}, {"~.id": "("}, {"^.id": 5}):
        with pytest.raises(InvalidError):
            registry.find(bad)


def test_an_app_that_is_not_running_changes_too(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def main() -> None:
        await app.registry.changes().update(answer(9)).apply()
        async with app:
            assert await app.call("t:answer") == 9

    asyncio.run(main())


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "nothing", "kind": "registry.entry"},
        {"id": "t:x", "kind": "registry.entry", "data": [1]},
        {"id": "t:x", "kind": "registry.entry", "method": "f"},
        {"id": "t:x", "kind": "registry.entry", "data": {"a": object()}},
        {"id": "t:x", "kind": "registry.entry", "data": {1: 2}},
        {"id": "t:x", "kind": "no.such.kind"},
        {"id": "t:x"},
    ],
)
def test_what_is_no_entry_is_refused(load_app: LoadApp, entry: dict[str, Any]) -> None:
    app = load_app(APP)

    async def main() -> None:
        with pytest.raises(InvalidError):
            await app.registry.changes().create(entry).apply()

    asyncio.run(main())
    assert app.registry.current.id == 1


def test_changes_one_after_the_other_let_calls_run(load_app: LoadApp) -> None:
    app = load_app(APP)

    async def body() -> None:
        call = asyncio.ensure_future(app.call("t:answer"))
        for number in range(1000):
            await app.registry.changes().update(answer(number)).apply()
            if call.done():
                break
        assert call.done()

    run(app, body)
