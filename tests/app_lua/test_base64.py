"""`base64`: what Lua encodes is what Python decodes, and the reverse."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from tests.app_lua.hosts import FakeHost, run
from wippywasm.app.lua_modules.base64 import operations


def go(body: str, *args: object) -> object:
    host = FakeHost()
    host.operations = dict(operations())
    source = f'local base64 = require("base64")\nreturn function(...) {body} end'
    return run(source, *args, host=host, modules=frozenset({"base64"}))


@given(st.binary(max_size=200))
def test_round_trip(data: bytes) -> None:
    result = go("local e = base64.encode(...); return {e, base64.decode(e) == ...}", data)
    assert result == [base64.b64encode(data).decode(), True]


def test_refusals_are_errors() -> None:
    assert go("local v, err = base64.decode('a*b'); return err:kind()") == "INVALID"
    assert go("local v, err = base64.encode(5); return err:message()") == "base64.encode takes a string, got number"
