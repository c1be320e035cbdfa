"""`wasi.env`: variables of the app as its guests see them, at the time of the call. Spec: SPEC section 3."""

from __future__ import annotations

import asyncio
import struct

import pytest

from tests.app.conftest import LoadApp
from wippywasm.errors import NotFoundError, PermissionDeniedError

APP = """\
- {name: store, kind: env.storage.memory}
- {name: mode, kind: env.variable, variable: MODE, storage: store}
- {name: key, kind: env.variable, storage: store, default: secret}
- name: f
  kind: function.wat
  method: env
  imports: [wasi:cli]
  wasi:
    env:
      - {id: mode, name: APP_MODE, required: %s}
      - {id: key, name: API_KEY}
  source: |
    (component
      (import "wasi:cli/environment@0.2.0" (instance $e
        (export "get-environment" (func (result (list (tuple string string)))))))
      (alias export $e "get-environment" (func $f))
      (export "env" (func $f)))
"""
PREVIEW_1 = """\
- {name: store, kind: env.storage.static, values: {A: "1", B: "zwei"}}
- {name: a, kind: env.variable, variable: A, storage: store}
- {name: b, kind: env.variable, variable: B, storage: store}
- name: f
  kind: function.wat
  method: f
  imports: [wasi1]
  wasi: {env: [{id: a, name: A}, {id: b, name: BB}]}
  wit: "f: func() -> u64;"
  source: |
    (module
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "f") (result i64)
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (drop (call $get (i32.const 16) (i32.const 64)))
        (i64.or (i64.load (i32.const 0)) (i64.shl (i64.load8_u (i32.const 71)) (i64.const 40)))))
"""


def test_guests_see_what_is_set_when_they_ask(load_app: LoadApp) -> None:
    app = load_app(APP % "false")

    async def main() -> None:
        async with app:
            assert await app.call("t:f") == [("API_KEY", "secret")]
            app.environment.set("MODE", "fast")
            assert await app.call("t:f") == [("APP_MODE", "fast"), ("API_KEY", "secret")]
            app.environment.set("t:key", "other")
            assert dict(await app.call("t:f"))["API_KEY"] == "other"

    asyncio.run(main())


def test_what_is_required_is_asked_for_before_the_guest_runs(load_app: LoadApp) -> None:
    app = load_app(APP % "true")

    async def main() -> None:
        async with app:
            with pytest.raises(NotFoundError, match="environment variable 't:mode' is not set"):
                await app.call("t:f")
            app.environment.set("MODE", "slow")
            assert len(await app.call("t:f")) == 2

    asyncio.run(main())


def test_policies_are_asked(load_app: LoadApp) -> None:
    policy = """\
- {name: no, kind: security.policy, policy: {actions: env.get, resources: "MODE", effect: deny}, groups: [g]}
- {name: yes, kind: security.policy, policy: {actions: "*", resources: "*", effect: allow}, groups: [g]}
"""
    app = load_app(
        policy + (APP % "false").replace("method: env", "method: env\n  security: {actor: {id: a}, groups: [g]}")
    )

    async def main() -> None:
        async with app:
            with pytest.raises(PermissionDeniedError, match=r"may not env\.get 'MODE'"):
                await app.call("t:f")

    asyncio.run(main())


def test_preview_1(load_app: LoadApp) -> None:
    app = load_app(PREVIEW_1)

    async def main() -> int:
        async with app:
            result: int = await app.call("t:f")
            return result

    count, size = struct.unpack("<II", (asyncio.run(main()) & 0xFF_FFFF_FFFF).to_bytes(8, "little"))
    assert (count, size) == (2, len("A=1\0BB=zwei\0"))
