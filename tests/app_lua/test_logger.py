"""`logger`: records of Python's logging, with what a program says and where it says it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.app_lua.hosts import FakeHost, run
from wippywasm.app.lua_modules.logger import operations


def go(body: str, *args: object) -> Any:
    host = FakeHost()
    host.operations = dict(operations())
    source = f'local logger = require("logger")\nreturn function(...)\n{body}\nend'
    return run(source, *args, host=host, modules=frozenset({"logger"}))


def test_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "wippywasm.lua")
    go(
        """
        logger:info("hello", {n = 1, deep = {a = {1}}})
        local child = logger:named("auth"):named("db"):with({user = "u", n = 2})
        child:warn("careful", {n = 3})
        logger:debug(5)
        logger:error("bad", {f = print, c = channel.new()})
        """
    )
    records: list[Any] = caplog.records
    assert [(r.name, r.levelname, r.getMessage()) for r in records] == [
        ("wippywasm.lua", "INFO", "hello"),
        ("wippywasm.lua.auth.db", "WARNING", "careful"),
        ("wippywasm.lua", "DEBUG", "5"),
        ("wippywasm.lua", "ERROR", "bad"),
    ]
    assert records[0].fields == {"n": 1, "deep": {"a": [1]}}
    assert records[1].fields == {"user": "u", "n": 3}
    assert set(records[3].fields) == {"f", "c"}
    assert [r.location for r in records] == ["test.lua:4", "test.lua:6", "test.lua:7", "test.lua:8"]
    assert {r.entry for r in records} == {"app:test"}


def test_what_nobody_listens_to_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "wippywasm.lua")
    go("logger:info('x') logger:warn('100% %s')")
    assert [r.getMessage() for r in caplog.records] == ["100% %s"]


def test_refusals() -> None:
    assert go("local l, err = logger:named('') return {l == nil, err:kind()}") == [True, "INVALID"]
