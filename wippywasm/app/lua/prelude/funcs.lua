-- The module `funcs`: calls of other functions by their ids, now or at the same time.
--
-- A call leaves as a request with its arguments in streams. Arguments of a function with a signature are checked and
-- written by a codec compiled for it (W.codecs, by number); the host says which when it first hears of an id.

local W = ...
local type, select, error, setmetatable, tostring = type, select, error, setmetatable, tostring
local pcall, pack, unpack, find, next = W.raw.pcall, table.pack, table.unpack, string.find, next
local ask, failure, opaque, call_host, identities = W.ask, W.failure, W.opaque, W.call_host, W.identities
local CALL, ASYNC = 5, 6 -- requests
local VALUE, FAILED, PAYLOAD, RECODE, STARTED = 0, 1, 2, 3, 4 -- replies
local UNKNOWN, UNTYPED = -1, 0 -- codec numbers that are no codec

local numbers = {} -- codec number by id

local untyped = {
  encode = function(count, ...) return W.encode_values(nil, count, ...) end,
  decode = function(...) return W.decode_values(1, ...) end,
}
untyped.decode_err = untyped.decode

local function codec_of(number)
  return number == UNTYPED and untyped or W.codecs[number]
end

-- The streams for a call, or nil and an error object.
local function encode(codec, count, ...)
  local streams = pack(pcall(codec.encode, count, ...))
  if streams[1] then return streams end
  local why = streams[2]
  if type(why) ~= "table" or not why.refused then error(why, 0) end
  return nil, failure("INVALID", why.refused, why.details)
end

-- Takes note of the codec for an id; true where it is another than the one last used.
local function recode(id, reply)
  local _, number, source = unpack(reply, 1, 3)
  if source ~= "" and not W.codecs[number] then W.codecs[number] = W.install_codec(source) end
  local changed = numbers[id] ~= number
  numbers[id] = number
  return changed
end

-- Sends a call; nil and an error object where the arguments do not fit. A signature may have changed since the last call:
-- the host says so when it gets streams of the old one, and is asked when the old one does not fit.
-- `target` is the id, with the number of what was set up for the call where there is something.
local function request(what, op, id, target, count, ...)
  local refused
  while true do
    local streams
    if numbers[id] then streams, refused = encode(codec_of(numbers[id]), count, ...) end
    local reply
    if streams then
      reply = pack(ask(what, op, target, numbers[id], unpack(streams, 2, streams.n)))
    else
      reply = pack(ask(what, op, target, UNKNOWN))
    end
    if reply[1] ~= RECODE then return reply end
    if not recode(id, reply) and refused then return nil, refused end
  end
end

local function outcome(reply)
  local op, number, ints, floats, bytes = unpack(reply, 1, 5)
  if op == VALUE then return (codec_of(number).decode(ints, floats, bytes)), nil end
  if op == FAILED then return nil, (untyped.decode(ints, floats, bytes)) end
  local payload = codec_of(number).decode_err(ints, floats, bytes)
  if payload == nil then payload = failure("UNKNOWN", "the function returned an error without a payload") end
  return nil, payload
end

local function check_id(id)
  if type(id) ~= "string" then return failure("INVALID", "a function's id must be a string, got " .. type(id)) end
  if id == "" then return failure("INVALID", "a function's id is empty; it reads namespace:name") end
  if find(id, "\0", 1, true) then return failure("INVALID", "a function's id has no zero in it; it reads namespace:name") end
end

W.outcome = outcome

-- the module -----------------------------------------------------------------------------------------------------

local funcs = {}

-- Sends a call with what is set up for it, which the host keeps until the call takes it.
local function send(given, what, op, id, ...)
  local bad = check_id(id)
  if bad then return nil, bad end
  if not given or next(given) == nil then return request(what, op, id, id, select("#", ...), ...) end
  local ticket, refused = call_host("funcs.prepare", given)
  if not ticket then return nil, refused end
  local reply, err = request(what, op, id, id .. "\0" .. ticket, select("#", ...), ...)
  if not reply then call_host("funcs.forget", ticket) end
  return reply, err
end

local function call(given, id, ...)
  local reply, err = send(given, "funcs.call", CALL, id, ...)
  if not reply then return nil, err end
  return outcome(reply)
end

local function async(given, place, id, ...)
  local reply, err = send(given, "funcs.async", ASYNC, id, ...)
  if not reply then return nil, err end
  if reply[1] ~= STARTED then return outcome(reply) end
  return W.new_future(reply[2], place), nil
end

function funcs.call(id, ...) return call(nil, id, ...) end
function funcs.async(id, ...) return async(nil, W.place(2), id, ...) end

-- executors: what calls have set up, never changed ---------------------------------------------------------------------

local executors = setmetatable({}, { __mode = "k" }) -- object → what it was given
local executor = {}
local executor_metatable = {
  __name = "executor", __metatable = false,
  __index = function(_, name)
    return executor[name] or error("an executor has no '" .. tostring(name) .. "'; it has call, async, with_actor, with_scope, with_context, with_options", 2)
  end,
}

local function given_to(object)
  return executors[object] or error("bad argument (executor expected; call its methods with ':')", 3)
end

local function new_executor(given)
  local new = setmetatable({}, executor_metatable)
  executors[new], opaque[new] = given, "funcs.new()"
  return new
end

-- Another executor with one thing more, where the host allows it; else nil and an error object.
local function with(given, name, value)
  local more = {}
  for key, known in next, given do more[key] = known end
  more[name] = value
  local ok, err = call_host("funcs.check", more)
  if not ok then return nil, err end
  return new_executor(more), nil
end

-- The same with names added to those that were given before.
local function with_more(given, what, name, added)
  if type(added) ~= "table" then return nil, failure("INVALID", what .. " takes a table, got " .. (opaque[added] or type(added))) end
  local merged = {}
  for key, value in next, given[name] or {} do merged[key] = value end
  for key, value in next, W.plain(added) do merged[key] = value end
  return with(given, name, merged)
end

local function with_identity(given, kind, object)
  local known, err = identities.facts(object, kind, "with_" .. kind)
  if not known then return nil, err end
  return with(given, kind, known)
end

function executor.with_actor(object, actor) return with_identity(given_to(object), "actor", actor) end
function executor.with_scope(object, scope) return with_identity(given_to(object), "scope", scope) end
function executor.with_context(object, values) return with_more(given_to(object), "with_context", "values", values) end
function executor.with_options(object, options) return with_more(given_to(object), "with_options", "options", options) end
function executor.call(object, id, ...) return call(given_to(object), id, ...) end
function executor.async(object, id, ...) return async(given_to(object), W.place(2), id, ...) end

function funcs.new() return new_executor({}) end

W.modules.funcs = funcs
