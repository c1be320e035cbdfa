"""How a program exposes its method, what it may require, and where its errors point."""

from __future__ import annotations

import asyncio

import pytest

from tests.app_lua.hosts import FakeHost, body, program, run
from wippywasm.app.lua import LuaFunction, LuaLibrary, LuaSource, LuaWorker, check_syntax
from wippywasm.errors import ConflictError, LuaError, UnavailableError


@pytest.mark.parametrize(
    "source",
    [
        "return { main = function(a, b) return a + b end }",
        "return function(a, b) return a + b end",
        "function main(a, b) return a + b end",
        "local function add(a, b) return a + b end main = add",
    ],
)
def test_a_source_returns_a_table_or_a_function_or_defines_a_global(source: str) -> None:
    assert run(source, 2, 3) == 5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "return { go = print, stop = print }",
            "no method 'main' in the table that app:test returned: it has go, stop",
        ),
        ("return {}", "no method 'main' in the table that app:test returned: it has no functions"),
        ("local x = 1", r"no method 'main' in app:test: return \{main = main\} from it"),
        ("return 5", "no method 'main'"),
    ],
)
def test_a_missing_method_is_named(source: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        run(source)


def test_a_builtin_is_not_a_method() -> None:
    with pytest.raises(LuaError, match="no method 'print'"):
        run("local x = 1", method="print")


def test_syntax_errors_name_file_and_line() -> None:
    assert check_syntax("return 1", "src/a.lua") is None
    error = check_syntax("local x = \n\nreturn return", "src/_index.yaml", line=12)
    assert error is not None
    assert str(error).startswith("src/_index.yaml:14: ")


def test_a_precompiled_chunk_is_not_a_source() -> None:
    error = check_syntax("\x1bLua", "a.lua")
    assert error is not None
    assert "binary chunk" in str(error)


def test_a_runtime_error_names_file_and_line_and_has_a_traceback() -> None:
    source = LuaSource(
        "local function deep(x)\n  return x.y.z\nend\nfunction main() return (deep({})) end", "src/r.lua", 10
    )
    worker = LuaWorker(type(program(""))("app:r", source), FakeHost())
    with pytest.raises(LuaError) as caught:
        asyncio.run(worker.call(()))
    assert str(caught.value).startswith("src/r.lua:11: attempt to index a nil value (field 'y')")
    assert "src/r.lua:11: in" in caught.value.traceback
    assert "src/r.lua:13: in" in caught.value.traceback


def test_a_traceback_is_bounded() -> None:
    with pytest.raises(LuaError) as caught:
        body("local function f(n) if n == 0 then error('deep') end return (f(n - 1)) end f(1000)")
    assert len(caught.value.traceback.splitlines()) <= 30


def test_the_program_keeps_its_state_and_runs_its_source_once() -> None:
    host = FakeHost()
    worker = LuaWorker(program("print('loaded') local n = 0 return function() n = n + 1 return n end"), host)
    assert [asyncio.run(worker.call(())) for _ in range(3)] == [1, 2, 3]
    assert host.printed == "loaded\n"


def test_a_source_that_failed_to_load_is_tried_again() -> None:
    host = FakeHost()
    host.serve("app:ready", lambda: len(host.calls) > 1)
    source = "assert(require('funcs').call('app:ready'), 'not yet') return function() return 'ok' end"
    worker = LuaWorker(program(source), host)
    with pytest.raises(LuaError, match="not yet"):
        asyncio.run(worker.call(()))
    assert asyncio.run(worker.call(())) == "ok"


def test_libraries_have_their_own_globals_modules_and_imports() -> None:
    inner = LuaLibrary(
        "app:inner", LuaSource("secret = 1 return { twice = function(x) return 2 * x end }", "inner.lua")
    )
    outer = LuaLibrary(
        "app:outer",
        LuaSource(
            "local m, declared = require('m'), pcall(require, 'json')\n"
            "return { f = function(x) return m.twice(x) + 1 end, declared = declared }",
            "outer.lua",
        ),
        imports={"m": inner},
    )
    source = """local o, i = require('o'), require('i')
        return function(x)
          return { f = o.f(x), declared = o.declared, leaked = secret ~= nil, one = i == require('i') }
        end"""
    assert run(source, 5, imports={"o": outer, "i": inner}) == {
        "f": 11,
        "declared": False,
        "leaked": False,
        "one": True,
    }


def test_a_library_that_requires_itself_is_refused_at_run_time_too() -> None:
    imports: dict[str, LuaLibrary] = {}
    loop = LuaLibrary("app:loop", LuaSource("return require('me')", "loop.lua"), imports=imports)
    imports["me"] = loop
    with pytest.raises(LuaError, match="library 'app:loop' requires itself"):
        run("require('x')", imports={"x": loop})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("'uuid'", "module 'uuid' is not declared: declare it in modules:"),
        ("'os'", "no module or library 'os': name a library.lua in imports:"),
        ("nil", "string expected, got nil"),
    ],
)
def test_what_can_not_be_required_says_why(name: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:1: .*{message}"):
        run(f"require({name})", modules=frozenset({"fs"}))


def test_print_goes_to_the_host_at_once_and_in_order() -> None:
    host = FakeHost()
    seen = []
    host.serve("app:look", lambda: seen.append(host.printed))
    body(
        "print('a', 1, nil, true) funcs.call('app:look')"
        " table.sort({2, 1}, function(a, b) print('c') return a < b end)",
        host=host,
    )
    assert seen == ["a\t1\tnil\ttrue\n"]
    assert host.printed.startswith("a\t1\tnil\ttrue\nc\n")


def test_a_worker_serves_one_call_at_a_time_and_none_when_closed() -> None:
    async def twice() -> None:
        host = FakeHost()
        host.serve("app:wait", lambda: asyncio.sleep(0.01))
        worker = LuaWorker(program("return function() return require('funcs').call('app:wait') end"), host)
        first = asyncio.ensure_future(worker.call(()))
        await asyncio.sleep(0)
        with pytest.raises(ConflictError):
            await worker.call(())
        await first
        worker.close()
        worker.close()
        with pytest.raises(UnavailableError):
            await worker.call(())

    asyncio.run(twice())


def test_a_function_opens_workers_as_it_needs_them() -> None:
    async def several() -> list[int]:
        host = FakeHost()
        host.serve("app:wait", lambda: asyncio.sleep(0.001))
        source = "local n = 0 return function() n = n + 1 require('funcs').call('app:wait') return n end"
        function = LuaFunction(program(source), host)
        counts = list(await asyncio.gather(*(function.call() for _ in range(3))))
        counts.append(await function.call())
        function.close()
        with pytest.raises(UnavailableError):
            await function.call()
        return counts

    assert asyncio.run(several()) == [1, 1, 1, 2]
