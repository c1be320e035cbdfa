-- Objects that modules hand out: what each stands for is kept apart from it, where a program can't change it.
--
-- Out: W.class(name): a table for its methods; `check(object)`, which gives what an object stands for, or raises an error
-- where the method's caller is (at `level`, 3); `new(state)`; and the metatable, for operators.

local W = ...
local type, error, tostring, setmetatable, find = type, error, tostring, setmetatable, string.find
local opaque = W.opaque

function W.class(name)
  local methods, states = {}, setmetatable({}, { __mode = "k" })
  local a = (find(name, "^[aeiou]") and "an " or "a ") .. name
  local metatable = {
    __name = name, __metatable = false,
    __index = function(_, key) return methods[key] or error(a .. " has no '" .. tostring(key) .. "'", 2) end,
  }
  local function check(object, level)
    local state = states[object]
    if state then return state end
    local got = opaque[object] or type(object)
    return error("bad argument (" .. name .. " expected, got " .. got .. "): call its methods with ':'", level or 3)
  end
  local function new(state)
    local object = setmetatable({}, metatable)
    states[object], opaque[object] = state, name
    return object
  end
  return methods, check, new, metatable
end
