-- The module `funcs`: calls of other functions by their ids, now or at the same time.
--
-- A call leaves as a request with its arguments in streams. Arguments of a function with a signature are checked and
-- written by a codec compiled for it (W.codecs, by number); the host says which when it first hears of an id.

local W = ...
local type, select, error, setmetatable, tostring = type, select, error, setmetatable, tostring
local pcall, pack, unpack = W.raw.pcall, table.pack, table.unpack
local ask, failure, opaque = W.ask, W.failure, W.opaque
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
local function request(what, op, id, count, ...)
  local refused
  while true do
    local streams
    if numbers[id] then streams, refused = encode(codec_of(numbers[id]), count, ...) end
    local reply
    if streams then
      reply = pack(ask(what, op, id, numbers[id], unpack(streams, 2, streams.n)))
    else
      reply = pack(ask(what, op, id, UNKNOWN))
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
end

W.outcome = outcome

-- the module -----------------------------------------------------------------------------------------------------

local funcs = {}

function funcs.call(id, ...)
  local bad = check_id(id)
  if bad then return nil, bad end
  local reply, err = request("funcs.call", CALL, id, select("#", ...), ...)
  if not reply then return nil, err end
  return outcome(reply)
end

function funcs.async(id, ...)
  local bad = check_id(id)
  if bad then return nil, bad end
  local reply, err = request("funcs.async", ASYNC, id, select("#", ...), ...)
  if not reply then return nil, err end
  if reply[1] ~= STARTED then return outcome(reply) end
  return W.new_future(reply[2], W.place(2)), nil
end

local executor = {}
local executor_metatable = {
  __name = "executor", __metatable = false,
  __index = function(_, name)
    return executor[name] or error("funcs.new() has no '" .. tostring(name) .. "' yet; it has call and async", 2)
  end,
}
function executor.call(_, id, ...) return funcs.call(id, ...) end
function executor.async(_, id, ...) return funcs.async(id, ...) end

function funcs.new()
  local new = setmetatable({}, executor_metatable)
  opaque[new] = "funcs.new()"
  return new
end

W.modules.funcs = funcs
