-- The module `logger`: loggers with names and fields of their own.

local W = ...
local type, error, tostring, pairs = type, error, tostring, pairs
local call_host, failure, opaque, place = W.call_host, W.failure, W.opaque, W.place

local methods, check, new = W.class("logger")

local function merged(fields, more)
  if not more then return fields end
  if type(more) ~= "table" then error("fields are a table, got " .. type(more), 3) end
  local all = {}
  for key, value in pairs(fields) do all[key] = value end
  for key, value in pairs(more) do all[tostring(key)] = value end
  return all
end

-- What can't leave the program is told as text: a line of a log is never lost for it.
local function plain(fields)
  local told = {}
  for key, value in pairs(fields) do
    local kind = type(value)
    local leaves = kind == "string" or kind == "number" or kind == "boolean" or kind == "table" and not opaque[value]
    told[key] = leaves and value or tostring(value)
  end
  return told
end

for _, level in ipairs({ "debug", "info", "warn", "error" }) do
  methods[level] = function(object, message, fields)
    local state = check(object)
    local all, at = plain(merged(state.fields, fields)), place(2)
    local _, err = call_host("logger.log", level, state.name, tostring(message), all, at)
    if err then call_host("logger.log", level, state.name, tostring(message), {}, at) end
  end
end

methods["with"] = function(object, fields)
  local state = check(object)
  return new({ name = state.name, fields = merged(state.fields, fields) })
end

function methods.named(object, name)
  local state = check(object)
  if type(name) ~= "string" or name == "" then return nil, failure("INVALID", "a logger's name is text, and not empty") end
  return new({ name = state.name == "" and name or state.name .. "." .. name, fields = state.fields })
end

W.modules.logger = new({ name = "", fields = {} })
