"""The matcher that stands in for C's where C's might take long gives the same results."""

from __future__ import annotations

import pytest
from lupa.lua54 import LuaRuntime

from tests.app_lua.hosts import body
from wippywasm.app.lua import LuaLimits, sandbox
from wippywasm.errors import LuaError

COMPARE = """
local slow, seed = ...
math.randomseed(seed)
local atoms = {"a", "b", ".", "%a", "%w*", "[ab]*", "a-", "(", ")", "()", "%1", "b+", "a?", "%b()", "%f[a]", "[^a]",
  "$", "^", "x", "[%w_]", "%d+", "(a*)", "(.-)", "(b+)", "%", "[", "[]a]", "%f", "%b"}
local letters = {"a", "b", "(", ")", "1", " "}

local function some(list, most)
  local text = ""
  for _ = 1, math.random(0, most) do text = text .. list[math.random(#list)] end
  return text
end

local function all(f, s, p)
  local found = {}
  for a, b in f(s, p) do found[#found + 1] = tostring(a) .. "," .. tostring(b) end
  return table.concat(found, ";")
end

local function outcome(name, f, s, p)
  if name == "gmatch" then return table.pack(pcall(all, f, s, p)) end
  if name == "gsub" then return table.pack(pcall(f, s, p, "<%0>")) end
  return table.pack(pcall(f, s, p, 1))
end

-- Only C's overlooks a fault in a part of a pattern that no match reaches.
local function same(a, b)
  if not b[1] and (b[2]:find("malformed pattern") or b[2]:find("missing '%['")) then return true end
  if a[1] ~= b[1] then return false end
  if not a[1] then return true end
  for i = 1, math.max(a.n, b.n) do if a[i] ~= b[i] then return false end end
  return a.n == b.n
end

local compared = 0
for _ = 1, 1500 do
  local s, p = some(letters, 10), some(atoms, 5)
  if p:find("[%^%$%*%+%?%.%(%[%%%-]") then
    for _, name in ipairs{"find", "match", "gmatch", "gsub"} do
      local quick, careful = outcome(name, string[name], s, p), outcome(name, slow[name], s, p)
      if not same(quick, careful) then return name .. " " .. s .. " " .. p end
      compared = compared + 1
    end
  end
end
return compared
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_matchers_agree(seed: int) -> None:
    lua = LuaRuntime(encoding=None)
    shared = lua.eval("{raw = {clock = os.clock}, charge = function() end}")
    chunk = sandbox.prelude("patterns")
    lua.compile(chunk, mode="b")(shared)
    compared = lua.execute(COMPARE, shared[b"slow_matchers"], seed)
    assert isinstance(compared, int), compared
    assert compared > 3000


def test_a_dear_pattern_still_gives_its_result() -> None:
    text = "x = 1;\n" * 3000
    assert body("return select(2, (...):gsub('(%w+)%s*=%s*(%w+)', '%2'))", text) == 3000
    assert body("local n = 0 for k in (...):gmatch('(%w+) = %d') do n = n + 1 end return n", text) == 3000
    assert body("return (('  ' .. (...) .. ' '):match('^%s*(.-)%s*$'))", text) == text.strip()
    assert body("return {(...):find('=%s*1;%s*x', 15000)}", text) == [15004, 15009]


@pytest.mark.parametrize("pattern", ['("a*"):rep(10) .. "b"', '("a?"):rep(40) .. ("a"):rep(40) .. "$"'])
def test_a_short_subject_is_no_way_past_the_budget(pattern: str) -> None:
    limits = LuaLimits(instructions=2_000_000)
    with pytest.raises(LuaError, match="instructions"):
        body(f'return (("a"):rep(40):find({pattern}))', limits=limits)
