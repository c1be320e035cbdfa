"""Storages and variables of an app, and placeholders in its definition files. Spec: SPEC section 2."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.errors import DefinitionError, InvalidError, NotFoundError, PermissionDeniedError

ENV = """\
- {name: os, kind: env.storage.os}
- {name: memory, kind: env.storage.memory}
- {name: fixed, kind: env.storage.static, values: {PORT: 8080, HOST: example, ON: true}}
- {name: file, kind: env.storage.file, file_path: conf/app.env, auto_create: true, file_mode: '0600'}
- {name: chain, kind: env.storage.router, storages: [memory, fixed]}
- {name: port, kind: env.variable, variable: PORT, storage: chain}
- {name: host, kind: env.variable, variable: HOST, storage: fixed}
- {name: "on", kind: env.variable, variable: ON, storage: fixed}
- {name: secret, kind: env.variable, storage: memory, default: hidden}
- {name: token, kind: env.variable, variable: TOKEN, storage: file}
- {name: home, kind: env.variable, variable: WIPPY_TEST_HOME, storage: os, readonly: true}
"""


@pytest.fixture
def app(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("WIPPY_TEST_HOME", "/here")
    return load_app(ENV)


def test_values_by_name_and_by_id(app: App) -> None:
    env = app.environment
    assert (env.get("PORT"), env.get("t:port"), env.get("HOST"), env.get("ON")) == ("8080", "8080", "example", "true")
    assert env.get("t:secret") == "hidden"
    assert env.get("WIPPY_TEST_HOME") == "/here"
    assert env.find("TOKEN") is None
    with pytest.raises(NotFoundError, match="'TOKEN' is not set"):
        env.get("TOKEN")
    with pytest.raises(NotFoundError, match=r"no environment variable 'PROT'.*did you mean 'PORT'"):
        env.get("PROT")
    with pytest.raises(NotFoundError):  # one without a public name has an id only
        env.get("secret")
    with pytest.raises(InvalidError):
        env.get("")


def test_a_router_is_written_to_at_its_first(app: App) -> None:
    env = app.environment
    env.set("PORT", "9")
    assert env.get("PORT") == "9"
    env.set("t:secret", "changed")
    assert env.get("t:secret") == "changed"


def test_what_is_read_only_says_so(app: App) -> None:
    for name, why in (("WIPPY_TEST_HOME", "variable"), ("HOST", "storage 't:fixed'")):
        with pytest.raises(PermissionDeniedError, match=why):
            app.environment.set(name, "x")
    assert app.environment.get("HOST") == "example"


def test_a_file_is_made_when_the_app_starts_and_keeps_what_is_set(app: App) -> None:
    file = app.folder / "conf" / "app.env"

    async def main() -> None:
        assert not file.exists()
        async with app:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            app.environment.set("TOKEN", "a b\n'c'")
            assert app.environment.get("TOKEN") == "a b\n'c'"
            file.write_text("TOKEN=from outside\n")
            assert app.environment.get("TOKEN") == "from outside"

    asyncio.run(main())


def test_placeholders(load_app: LoadApp) -> None:
    app = load_app(
        ENV
        + """\
- name: data
  kind: registry.entry
  url: "http://${env:HOST}:${env:t:port}/"
  or: "${env:NOWHERE|a default} ${NOWHERE|b} ${env:TOKEN|c} ${NOWHERE} $${env:HOST}"
  nested: [{deep: "${env:HOST}"}]
- {name: f, kind: function.lua, method: m, source: "return '${env:HOST}'", pool: {type: static, size: "${env:PORT}"}}
"""
    )
    data = app.entries["t:data"].data
    assert data["url"] == "http://example:8080/"
    assert data["or"] == "a default b c ${NOWHERE} ${env:HOST}"
    assert data["nested"][0]["deep"] == "example"
    assert app.entries["t:f"].data["pool"]["size"] == 8080
    assert "${env:HOST}" in app.entries["t:f"].data["source"].text  # code is left as it is


def test_the_variable_of_a_storage_with_a_problem_is_no_second_problem(load_app: LoadApp) -> None:
    with pytest.raises(DefinitionError) as refused:
        load_app(
            """\
            - {name: file, kind: env.storage.file, file_path: not-there.env}
            - {name: v, kind: env.variable, variable: V, storage: file}
            - {name: x, kind: registry.entry, key: "${env:V}"}
            """
        )
    assert [p.message for p in refused.value.problems] == ["there is no file 'not-there.env'"]


def lua(load_app: LoadApp, body: str) -> Any:
    source = f"local env = require('env')\n            return {{main = function() {body} end}}"
    app = load_app(
        ENV
        + f"""\
- name: f
  kind: function.lua
  modules: [env]
  method: main
  source: |
            {source}
"""
    )

    async def main() -> Any:
        async with app:
            return await app.call("t:f")

    return asyncio.run(main())


def test_lua_reads_and_writes(load_app: LoadApp, tmp_path: Path) -> None:
    assert lua(load_app, "return env.get('PORT')") == "8080"
    assert lua(load_app, "local ok = env.set('PORT', '1'); return {ok, env.get('PORT')}") == [True, "1"]
    assert lua(load_app, "local v, err = env.get('NOPE'); return {v == nil, err:kind()}") == [True, "NOT_FOUND"]
    assert lua(load_app, "local v, err = env.get(''); return err:kind()") == "INVALID"
    assert lua(load_app, "local v, err = env.set('HOST', 'x'); return {v == nil, err:kind()}") == [
        True,
        "PERMISSION_DENIED",
    ]
    assert (
        lua(load_app, "local v, err = env.set('PORT', 5); return err:message()") == "env.set takes text, got a number"
    )
    everything = lua(load_app, "return env.get_all()")
    assert everything["HOST"] == "example"
    assert "TOKEN" not in everything
