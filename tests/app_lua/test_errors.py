"""Error objects, and errors on their way between Lua, Python and other Lua functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.app_lua.hosts import FakeHost, body, program, takes
from wippywasm.app.lua import LuaWorker
from wippywasm.errors import (
    ConflictError,
    Frame,
    InternalError,
    LuaError,
    NotFoundError,
    PermissionDeniedError,
    TimedOutError,
    Trap,
    WippyError,
    WitError,
)
from wippywasm.model import BOOL, STRING, U8, Field, RecordType, ResultType


def raising(error: BaseException) -> FakeHost:
    host = FakeHost()

    def fail(*_: Any) -> None:
        raise error

    host.serve("app:fail", fail)
    return host


def test_an_error_object_has_its_facts() -> None:
    source = """
      local e = errors.new{kind = errors.NOT_FOUND, message = 'no user', retryable = false, details = {id = 7}}
      return { e:kind(), e:message(), e:retryable(), e:details().id, tostring(e), 'x: ' .. e,
               errors.is(e, errors.NOT_FOUND), errors.is(e, 'INVALID'), errors.is('no', 'INVALID'),
               e:stack():match('test.lua:%d+') }"""
    facts = body(source)
    assert facts[:6] == ["NOT_FOUND", "no user", False, 7, "NOT_FOUND: no user", "x: NOT_FOUND: no user"]
    assert facts[6:] == [True, False, False, "test.lua:2"]


def test_an_error_of_a_text_is_of_unknown_kind() -> None:
    assert body(
        "local e = errors.new('m') return {e:kind(), tostring(e), e:retryable() == nil, e:details() == nil}"
    ) == [
        "UNKNOWN",
        "m",
        True,
        True,
    ]


def test_wrapping_keeps_kind_and_details() -> None:
    source = """
      local inner = errors.new{kind = 'CONFLICT', message = 'taken', retryable = true, details = {a = 1}}
      local e = errors.wrap(inner, 'saving')
      return {e:kind(), e:message(), e:retryable(), e:details().a,
              errors.wrap(nil, 'x') == nil, errors.wrap('t', 'x'):message()}"""
    assert body(source) == ["CONFLICT", "saving: taken", True, 1, True, "x: t"]


def test_call_stack_has_frames() -> None:
    assert body("return errors.call_stack(errors.new('x')).frames[1].line") == 1


@pytest.mark.parametrize(
    ("lua", "message"),
    [
        ("errors.new(5)", "takes a message or a table, got number"),
        ("errors.new{}", "needs a message"),
        ("errors.new{message = 'm', kind = 'LOST'}", "unknown error kind 'LOST'; the kinds are errors.NOT_FOUND"),
        ("errors.new('INVALID', 'm')", "takes a message, or one table"),
        ("errors.new{message = 'm', details = 5}", "details must be a table"),
        ("errors.new{message = 'm', retryable = 5}", "retryable must be a boolean"),
        ("errors.new('m').kind()", "call its methods with ':'"),
        ("errors.new('m').x = 1", "can't be changed"),
    ],
)
def test_a_wrong_use_is_blamed_on_the_program(lua: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:1: .*{message}"):
        body(lua)


def test_a_host_failure_is_an_error_object() -> None:
    host = raising(PermissionDeniedError("not yours", hint="ask", details={"import": "wasi:cli"}))
    source = "local v, e = funcs.call('app:fail') return {v == nil, e:kind(), e:message(), e:retryable(), e:details()}"
    assert body(source, host=host) == [True, "PERMISSION_DENIED", "not yours (ask)", False, {"import": "wasi:cli"}]


def test_an_unknown_function_is_not_found() -> None:
    assert (
        body("local v, e = funcs.call('app:nope') return e:kind() .. ' ' .. e:message()")
        == "NOT_FOUND no function 'app:nope'"
    )


@pytest.mark.parametrize("id", ["''", "5", "nil"])
def test_an_id_must_be_a_text(id: str) -> None:
    assert body(f"local v, e = funcs.call({id}) return e:kind()") == "INVALID"


def test_a_trap_carries_its_backtrace() -> None:
    trap = Trap("unreachable", code="unreachable", frames=[Frame("guest", "divide", 3, 0x42)])
    source = "local _, e = funcs.call('app:fail') return {e:kind(), e:details(), e:stack()}"
    frame = "guest!divide @ 0x42"
    details = {"code": "unreachable", "frames": [frame]}
    assert body(source, host=raising(trap)) == ["INTERNAL", details, frame]


@pytest.mark.parametrize("how", ["error(e)", "return nil, e", "local f = coroutine.wrap(function() error(e) end) f()"])
def test_an_error_that_is_handed_on_stays_the_same_exception(how: str) -> None:
    trap = Trap("unreachable", code="unreachable")
    with pytest.raises(Trap) as caught:
        body(f"local _, e = funcs.call('app:fail') {how}", host=raising(trap))
    assert caught.value is trap


def test_any_other_exception_of_the_host_is_internal() -> None:
    source = "local _, e = funcs.call('app:fail') return {e:kind(), e:message(), e:details().exception}"
    assert body(source, host=raising(ZeroDivisionError("oops"))) == [
        "INTERNAL",
        "ZeroDivisionError: oops",
        "ZeroDivisionError",
    ]


def test_details_that_lua_has_no_word_for_are_told_as_text() -> None:
    error = ConflictError("taken", details={"by": object(), "n": 1})
    details = body("local _, e = funcs.call('app:fail') return e:details()", host=raising(error))
    assert details["n"] == "1"
    assert details["by"].startswith("<object object")


def test_an_error_object_becomes_an_exception_of_its_kind() -> None:
    with pytest.raises(NotFoundError, match="no user") as caught:
        body("error(errors.new{kind = 'NOT_FOUND', message = 'no user', retryable = true, details = {ids = {1, 2}}})")
    assert caught.value.details == {"ids": [1, 2]}
    assert caught.value.retryable is True
    assert isinstance(caught.value.__cause__, LuaError)
    assert "test.lua:1" in caught.value.__cause__.traceback


@pytest.mark.parametrize(
    ("kind", "cls"), [("TIMEOUT", TimedOutError), ("INTERNAL", InternalError), ("UNKNOWN", WippyError)]
)
def test_each_kind_has_its_class(kind: str, cls: type[WippyError]) -> None:
    with pytest.raises(WippyError) as caught:
        body(f"return nil, errors.new{{kind = '{kind}', message = 'm'}}")
    assert type(caught.value) is cls


def test_a_second_result_that_is_no_error_object_is_a_payload() -> None:
    with pytest.raises(WitError) as caught:
        body("return nil, {code = 3}")
    assert caught.value.payload == {"code": 3}


def test_errors_survive_two_programs() -> None:
    async def call_through() -> Any:
        host = FakeHost()
        inner = LuaWorker(
            program("return function() error(errors.new{kind = 'CONFLICT', message = 'm', details = {a = 1}}) end"),
            host,
        )
        host.serve("app:inner", lambda: inner.call(()))
        outer = "local v, e = require('funcs').call('app:inner') return {e:kind(), e:message(), e:details(), e:stack()}"
        return await LuaWorker(program(f"return function() {outer} end"), host).call(())

    kind, message, details, stack = asyncio.run(call_through())
    assert (kind, message, details) == ("CONFLICT", "m", {"a": 1})
    assert "test.lua" in stack


def test_the_err_of_a_result_is_its_payload() -> None:
    host = FakeHost()
    failure = RecordType((Field("code", U8), Field("why", STRING)))

    def divide(good: bool) -> int:
        if not good:
            raise WitError({"code": 3, "why": "by zero"})
        return 5

    host.serve("app:divide", divide, takes(BOOL, result=ResultType(U8, failure)))
    assert body("local v, e = funcs.call('app:divide', true) return {v, e == nil}", host=host) == [5, True]
    assert body("local v, e = funcs.call('app:divide', false) return {v == nil, e}", host=host) == [
        True,
        {"code": 3, "why": "by zero"},
    ]


def test_an_err_without_a_payload_is_still_an_error() -> None:
    host = FakeHost()

    def fail() -> None:
        raise WitError(None)

    host.serve("app:fail", fail, takes(result=ResultType(U8, None)))
    assert body("local v, e = funcs.call('app:fail') return e:kind() .. ': ' .. e:message()", host=host) == (
        "UNKNOWN: the function returned an error without a payload"
    )


def test_a_host_value_that_does_not_fit_its_type_is_the_hosts_fault() -> None:
    host = FakeHost()
    host.serve("app:f", lambda: {"x": 1}, takes(result=U8))
    with pytest.raises(InternalError, match="does not fit its own type"):
        body("error(select(2, funcs.call('app:f')))", host=host)


def test_pcall_sees_error_objects_and_texts() -> None:
    source = """
      local ok, e = pcall(error, errors.new('m'))
      local ok2, text = pcall(function() error('boom') end)
      local _, handled = xpcall(function() error('x', 0) end, function(m) return m .. '!' end)
      return {ok, e:message(), ok2, text, handled, select('#', xpcall(function() return 1, nil, 3 end, print))}"""
    assert body(source) == [False, "m", False, "test.lua:3: boom", "x!", 4]


def test_an_error_of_a_wrapped_function_names_the_programs_line() -> None:
    with pytest.raises(LuaError, match=r"^test.lua:2: bad argument #2 to 'format'"):
        body("\nlocal x = string.format('%d', 'a')")
    assert body("return select(2, pcall(string.format, '%d', 'a'))").startswith("bad argument #2 to 'format'")
