-- Error objects, and tracebacks.
--
-- Out: W.errors (the global), W.new_error, W.error_data, W.frames. The facts of an error object are kept apart from it,
-- where a program can't change them.

local W = ...
local type, tostring, error, setmetatable, ipairs = type, tostring, error, setmetatable, ipairs
local getinfo, running, concat = debug.getinfo, coroutine.running, table.concat
local find, sub = string.find, string.sub

local MAX_FRAMES = 30
local KINDS = {
  "NOT_FOUND", "ALREADY_EXISTS", "INVALID", "PERMISSION_DENIED", "UNAVAILABLE", "INTERNAL", "CANCELED", "CONFLICT",
  "TIMEOUT", "RATE_LIMITED", "UNKNOWN",
}
local is_kind = {}
for _, kind in ipairs(KINDS) do is_kind[kind] = true end

local data = setmetatable({}, { __mode = "k" })

-- The frames of a coroutine that are the program's own, innermost first.
local function frames(co, level)
  local found = {}
  while #found < MAX_FRAMES do
    local info = getinfo(co, level, "Sln")
    if not info then break end
    if info.what ~= "C" and info.short_src ~= "[wippy]" then
      found[#found + 1] = {
        source = info.short_src, line = info.currentline, name = info.name or (info.what == "main" and "main chunk" or "?"),
      }
    end
    level = level + 1
  end
  return found
end

local function render(stack)
  local lines = {}
  for i, frame in ipairs(stack) do lines[i] = frame.source .. ":" .. frame.line .. ": in " .. frame.name end
  return concat(lines, "\n")
end

-- A message of C about a function that this runtime wraps, with the place in the program instead of the wrapper's.
function W.blame(message, frame)
  local _, stop = find(message, "^%[wippy%]:%d+: ")
  if not stop then return message end
  return (frame and frame.source .. ":" .. frame.line .. ": " or "") .. sub(message, stop + 1)
end

function W.error_stack(known) return known.stack_text or render(known.stack) end

local methods = {}
local metatable = { __index = methods, __name = "error", __metatable = false }

local function facts(err)
  return data[err] or error("bad argument (error object expected; call its methods with ':')", 3)
end

function methods.kind(err) return facts(err).kind end
function methods.message(err) return facts(err).message end
function methods.retryable(err) return facts(err).retryable end
function methods.details(err) return facts(err).details end
function methods.stack(err) return W.error_stack(facts(err)) end

function metatable.__tostring(err)
  local known = facts(err)
  return known.kind == "UNKNOWN" and known.message or known.kind .. ": " .. known.message
end

function metatable.__concat(a, b) return tostring(a) .. tostring(b) end
function metatable.__newindex() error("an error object can't be changed; use errors.wrap", 2) end

-- An error object with those facts; its stack starts `level` frames up where none is given.
local function new_error(known)
  if not known.stack_text then known.stack = frames(running(), 3) end
  local err = setmetatable({}, metatable)
  data[err] = known
  return err
end

local errors = {}
for _, kind in ipairs(KINDS) do errors[kind] = kind end

local function check_table(given)
  if type(given.message) ~= "string" then error("errors.new needs a message: {message = …}", 3) end
  if given.kind ~= nil and not is_kind[given.kind] then
    error("unknown error kind '" .. tostring(given.kind) .. "'; the kinds are errors." .. concat(KINDS, ", errors."), 3)
  end
  if given.retryable ~= nil and type(given.retryable) ~= "boolean" then error("retryable must be a boolean", 3) end
  if given.details ~= nil and type(given.details) ~= "table" then error("details must be a table", 3) end
end

function errors.new(given, extra)
  if extra ~= nil then error("errors.new takes a message, or one table {kind =, message =, retryable =, details =}", 2) end
  if type(given) == "string" then return new_error({ kind = "UNKNOWN", message = given }) end
  if type(given) ~= "table" then error("errors.new takes a message or a table, got " .. type(given), 2) end
  check_table(given)
  return new_error({
    kind = given.kind or "UNKNOWN", message = given.message, retryable = given.retryable, details = given.details,
  })
end

function errors.wrap(err, context)
  if err == nil then return nil end
  if type(context) ~= "string" then error("errors.wrap takes an error and a text", 2) end
  local known = data[err] or { kind = "UNKNOWN", message = tostring(err) }
  return new_error({
    kind = known.kind, message = context .. ": " .. known.message, retryable = known.retryable, details = known.details,
  })
end

function errors.is(err, kind)
  local known = err ~= nil and data[err]
  return known ~= nil and known ~= false and known.kind == kind
end

function errors.call_stack(err)
  local known = err ~= nil and data[err]
  if not known or not known.stack then return nil end
  return { thread = "main", frames = known.stack }
end

W.errors, W.new_error, W.error_data, W.frames, W.render_frames = errors, new_error, data, frames, render

-- A failure of this runtime's own, as a program gets it.
function W.failure(kind, message, details)
  return new_error({ kind = kind, message = message, retryable = false, details = details })
end
