-- Actors, policies and scopes as a program holds them: objects that it can pass on but not make or change.
--
-- Out: W.identities: `actor`, `policy` and `scope` make an object of what the host says, `facts` gives what to tell the
-- host of one. They are values: an actor is its id and meta, a policy its id, a scope the ids of its policies.

local W = ...
local type, error, setmetatable, tostring, next = type, error, setmetatable, tostring, next
local opaque = W.opaque

local facts = setmetatable({}, { __mode = "k" }) -- object → what it is
local classes = {}

local function copy(value)
  if type(value) ~= "table" then return value end
  local new = {}
  for key, item in next, value do new[key] = copy(item) end
  return new
end

local function class(name)
  local methods = {}
  classes[name] = methods
  local metatable = {
    __name = name, __metatable = false,
    __index = function(_, key)
      return methods[key] or error((name == "actor" and "an " or "a ") .. name .. " has no '" .. tostring(key) .. "'", 2)
    end,
  }
  return function(known)
    local object = setmetatable({}, metatable)
    facts[object], opaque[object] = { kind = name, known = known }, "security " .. name
    return object
  end
end

-- What an object is, or nil and an error object where it is none of that kind.
local function facts_of(object, kind, what)
  local found = facts[object]
  if found and found.kind == kind then return found.known end
  return nil, W.failure("INVALID", what .. " takes " .. (kind == "actor" and "an " or "a ") .. kind .. ", got " .. (opaque[object] or type(object)))
end

-- The same for the object of a method.
local function own(object, kind)
  local found = facts[object]
  if found and found.kind == kind then return found.known end
  return error("bad argument (" .. kind .. " expected; call its methods with ':')", 3)
end

W.identities = {
  actor = class("actor"), policy = class("policy"), scope = class("scope"),
  classes = classes, facts = facts_of, own = own, copy = copy,
}
