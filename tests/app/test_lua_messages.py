"""What functions of Lua say of arguments that they can't use: in Lua's words, and never as a fault of ours.

Spec: SPEC sections 6 and 11.
"""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.app.conftest import LoadApp
from tests.app.test_lua_surface import GLOBALS, MODULES, OBJECTS, PLACES

LEFT_OUT = ("time", "channel", "logger", "http")
"""Modules that ask nothing of the host, or that only have something to say elsewhere."""
ENDLESS = ("upgrade", "exec")
"""Functions that don't come back."""
PYTHON = re.compile(
    r"\b(dict|NoneType|bytearray|memoryview|positional|keyword|attribute|not subscriptable|\w+Error)\b"
    r"|\b(an?|got|type) '?(list|bytes|str|int|float|bool|tuple)\b"
)
PROGRAM = """
local odd = { {}, {1}, {a = 1}, {[1.5] = 1}, "\\255", "", "x", "t:data", 5, -1.5, true }
local out = {}
local function tell(name, ok, value, err)
  local said = err
  if not ok then said = value end
  if said ~= nil then out[#out + 1] = name .. ": " .. tostring(said) end
end
local function try(name, f, ...)
  tell(name, pcall(f, ...))
  for _, v in ipairs(odd) do
    local n = select("#", ...)
    local values = {...}
    values[n + 1] = v
    tell(name, pcall(f, table.unpack(values, 1, n + 1)))
    values[n + 1], values[n + 2] = v, v
    tell(name, pcall(f, table.unpack(values, 1, n + 2)))
    values[n + 1], values[n + 2], values[n + 3] = "x", v, nil
    tell(name, pcall(f, table.unpack(values, 1, n + 2)))
    values[n + 1], values[n + 2], values[n + 3] = "t:data", "x", v
    tell(name, pcall(f, table.unpack(values, 1, n + 3)))
  end
end
local function at(value, path)
  for part in path:gmatch("[^.]+") do value = value[part] end
  return value
end
"""


def _tries() -> str:
    """Lines that try every function of the modules, and every method of the objects."""
    lines = []
    for module, names in {**MODULES, "process": GLOBALS["process"]}.items():
        for name in names.split() if module not in LEFT_OUT else ():
            if name not in ENDLESS:
                called = f"local f = at({module}, '{name}')"
                lines.append(f"do {called} if type(f) == 'function' then try('{module}.{name}', f) end end")
    for value, names in OBJECTS.items():
        for name in names.split() if not value.startswith(LEFT_OUT) else ():
            if name not in ENDLESS:
                lines.append(f"do local o = {value} try({value!r} .. ':{name}', o.{name}, o) end")
    return "\n".join(lines)


def test_no_message_has_a_word_of_python(load_app: LoadApp) -> None:
    modules = [name for name in MODULES if name not in LEFT_OUT]
    requires = "".join(f'local {name} = require("{name}")\n' for name in modules)
    program = f"{requires}{PROGRAM}\nreturn {{main = function()\n{_tries()}\nreturn out\nend}}"
    entry = f"- {{name: f, kind: function.lua, method: main, modules: [{', '.join(modules)}], source: file://f.lua}}\n"
    app = load_app(PLACES + entry, f_dot_lua=program)

    async def said() -> list[str]:
        async with app:
            return list(await app.call("t:f"))

    messages = asyncio.run(said())
    assert len(messages) > 1000
    assert {message for message in messages if PYTHON.search(message)} == set()
    faults = {message for message in messages if ": INTERNAL:" in message}
    assert {message for message in faults if not message.startswith("json.")} == set()  # those are Wippy's own choice


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (r'registry.get("\255")', "INVALID: an id is written namespace:name, got a string that is not UTF-8"),
        ("registry.get({})", "INVALID: an id is written namespace:name, got a table"),
        ("registry.snapshot():get(5)", "INVALID: an id is written namespace:name, got a number"),
        ("env.get({})", "INVALID: env.get takes text, got a table"),
        ("env.get()", "INVALID: env.get takes text, got nothing"),
        ('env.set("x", true)', "INVALID: env.set takes text, got a boolean"),
        ("uuid.parse({})", "INVALID: a UUID is text, got a table"),
        (
            'http_client.get("http://x", {headers = 5})',
            "INVALID: http_client: headers must be a table of names, got a number",
        ),
        ("registry.build_delta({5}, {})", "INVALID: an entry is {id, kind, meta, data}, got a number"),
        ("registry.build_delta({}, 5)", "INVALID: expected an array of entries, got a number"),
    ],
)
def test_values_are_called_what_lua_calls_them(call: str, words: str, load_app: LoadApp) -> None:
    requires = "".join(f'local {m} = require("{m}") ' for m in ("registry", "env", "uuid", "http_client"))
    program = f"{requires} return {{main = function() local v, err = {call} return tostring(err) end}}"
    modules = "[registry, env, uuid, http_client]"
    entry = f"- {{name: f, kind: function.lua, method: main, modules: {modules}, source: file://f.lua}}\n"
    app = load_app(PLACES + entry, f_dot_lua=program)

    async def said() -> str:
        async with app:
            return str(await app.call("t:f"))

    assert asyncio.run(said()) == words
