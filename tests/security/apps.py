"""What the apps of these tests have in common: policies, a function that leaves a trace, callers in Lua and wasm."""

from __future__ import annotations

import textwrap

from tests.wasi.wasi_guests import ALLOCATOR

STRICT = "security: {strict_mode: true}\n"
"""`.wippy.yaml` of an app in strict mode."""

POLICIES = """
- name: users_call
  kind: security.policy
  policy: {actions: funcs.call, resources: ["t:open*", "t:via_*"], effect: allow}
  groups: [users]
- name: admins_do_all
  kind: security.policy
  policy: {actions: "*", resources: "*", effect: allow}
  groups: [admins]
- name: nobody_closed
  kind: security.policy
  policy: {actions: funcs.call, resources: "t:closed", effect: deny}
  groups: [users, admins]
- name: seniors
  kind: security.policy
  policy:
    actions: funcs.call
    resources: t:senior
    effect: allow
    conditions: [{field: actor.meta.years, operator: gte, value: 10}]
  groups: [users]
"""

TARGETS = """
- name: open
  kind: function.lua
  method: main
  source: return {main = function(text) print("ran open") return text end}
- name: closed
  kind: function.lua
  method: main
  source: return {main = function(text) print("ran closed") return text end}
- name: other
  kind: function.lua
  method: main
  source: return {main = function(text) print("ran other") return text end}
- name: senior
  kind: function.lua
  method: main
  source: return {main = function(text) print("ran senior") return text end}
"""


def _indented(text: str, by: int) -> str:
    return textwrap.indent(textwrap.dedent(text).strip(), " " * by).lstrip()


def wasm_caller(name: str, pool: str = "{type: inline}") -> str:
    """A guest that calls what it is told to, through `wippy:runtime/funcs`."""
    return f"""
- name: {name}
  kind: function.wat
  method: ask
  imports: [funcs]
  pool: {pool}
  wit: |
    package t:t;
    world w {{
      import wippy:runtime/funcs@0.1.0;
      export ask: func(target: string, input: string) -> result<string, string>;
    }}
    package wippy:runtime@0.1.0 {{
      interface funcs {{
        call-string: func(target: string, input: string) -> result<string, string>;
        call-bytes: func(target: string, input: list<u8>) -> result<list<u8>, string>;
      }}
    }}
  source: |
    (module
      (import "wippy:runtime/funcs@0.1.0" "call-string" (func $call (param i32 i32 i32 i32 i32)))
      {_indented(ALLOCATOR, 6)}
      (func (export "ask") (param i32 i32 i32 i32) (result i32)
        (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 16)) (i32.const 16)))
"""


LUA_CALLERS = """
- name: via_lua
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target, text) return funcs.call(target, text) end}
- name: via_async
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target, text)
      local future, err = funcs.async(target, text)
      if err then return nil, err end
      return future:await()
    end}
- name: via_coroutine
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target, text)
      local answers = channel.new(1)
      coroutine.spawn(function() answers:send({funcs.call(target, text)}) end)
      local answer = answers:receive()
      return answer[1], answer[2]
    end}
- name: via_chain
  kind: function.lua
  method: main
  modules: [funcs]
  source: |
    local funcs = require("funcs")
    return {main = function(target, text) return funcs.call("t:via_wasm", target, text) end}
"""
CALLERS = LUA_CALLERS + wasm_caller("via_wasm") + wasm_caller("via_thread", "{worker_class: wasm, workers: 1}")
WAYS = ("via_lua", "via_async", "via_coroutine", "via_chain", "via_wasm", "via_thread")
APP = POLICIES + TARGETS + CALLERS
