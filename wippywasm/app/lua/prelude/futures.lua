-- Futures: calls that funcs.async started.
--
-- Out: W.new_future. The answer to a call comes as an event; it is kept as it came until the program asks for it. A
-- future ends with the call that started it.

local W = ...
local type, next, error, setmetatable, tostring, ipairs = type, next, error, setmetatable, tostring, ipairs
local pack, unpack = table.pack, table.unpack
local ask, failure, opaque = W.ask, W.failure, W.opaque
local CANCEL, VALUE = 7, 0

local states = setmetatable({}, { __mode = "k" }) -- object → {number, reply, result, canceled, awaiting, channel}

-- payloads: a result that is decoded when it is asked for ------------------------------------------------------------

local payload_methods = {}
local payload_states = setmetatable({}, { __mode = "k" })
local payload_metatable = { __index = payload_methods, __name = "payload", __metatable = false }

-- The value and the error that an answer has.
local function settle(state)
  if not state.result then state.result, state.reply = { W.outcome(state.reply) }, { state.reply[1] } end
  return unpack(state.result, 1, 2)
end

function payload_methods.data(payload)
  local state = payload_states[payload] or error("bad argument (payload expected; call its methods with ':')", 2)
  return (settle(state)), nil
end
payload_methods.unmarshal = payload_methods.data
function payload_methods.get_format() return "lua/any" end

local function payload_of(state)
  if not state.payload then
    state.payload = setmetatable({}, payload_metatable)
    payload_states[state.payload], opaque[state.payload] = state, "payload"
  end
  return state.payload
end

-- futures --------------------------------------------------------------------------------------------------------

-- What the channel of a future gives, once: a payload, or the error.
local function feed(state)
  if not state.channel or not state.reply then return end
  if state.reply[1] == VALUE then
    W.offer(state.channel, payload_of(state))
  else
    local _, err = settle(state)
    W.offer(state.channel, err)
  end
  W.close_channel(state.channel)
end

local source = {}

function source.can_wake(state)
  return next(state.awaiting) or state.channel and state.channel.receivers.first
end

function source.handle(state, ...)
  state.reply = pack(...)
  W.remove_source(state.number)
  local awaiting = state.awaiting
  state.awaiting = {}
  for _, fiber in ipairs(awaiting) do W.wake(fiber) end
  feed(state)
end

local source_metatable = { __index = source }

local function check(future)
  return states[future] or error("bad argument (future expected; call its methods with ':')", 3)
end

local function end_with_its_call(state)
  if state.reply or state.result or W.has_source(state.number, state) then return end
  state.result = { nil, failure("CANCELED", "the call that started this future is over, and the future with it") }
end

local function is_settled(state)
  end_with_its_call(state)
  return state.reply ~= nil or state.result ~= nil
end

-- The same for who looks again and again: the call gets a chance to go on.
local function is_done(state)
  if not is_settled(state) then W.breathe() end
  return is_settled(state)
end

local methods = {}

function methods.await(future)
  local state = check(future)
  while not is_settled(state) do
    W.park("future:await", "await", "the call started at " .. state.place, state.awaiting)
  end
  return settle(state)
end

function methods.result(future)
  local state = check(future)
  if not is_done(state) then
    if state.canceled then return nil, failure("CANCELED", "the call was cancelled") end
    return nil, nil
  end
  local _, err = settle(state)
  if err ~= nil then return nil, err end
  return payload_of(state), nil
end

function methods.error(future)
  local state = check(future)
  if not is_done(state) then return nil, false end
  local _, err = settle(state)
  return err, err ~= nil
end

function methods.is_complete(future) return is_done(check(future)) end
function methods.is_canceled(future) return check(future).canceled == true end

function methods.cancel(future)
  local state = check(future)
  if is_settled(state) then return false, nil end
  state.canceled = true
  ask("future:cancel", CANCEL, "", state.number)
  return true, nil
end

function methods.response(future)
  local state = check(future)
  if not state.channel then
    state.channel = W.new_channel(1, "the channel of the call started at " .. state.place)
    if is_settled(state) and not state.reply then W.close_channel(state.channel) end
    feed(state)
  end
  return state.channel.object
end
methods.channel = methods.response

local metatable = {
  __name = "future", __metatable = false,
  __index = function(_, name)
    return methods[name] or error("a future has no '" .. tostring(name) .. "'; it has response, channel, await, result, error, is_complete, is_canceled, cancel", 2)
  end,
}

-- The future of a call that the host knows by `number`.
function W.new_future(number, place)
  local future = setmetatable({}, metatable)
  local state = setmetatable({ number = number, awaiting = {}, place = place }, source_metatable)
  states[future], opaque[future] = W.add_source(number, state), "future"
  return future
end
