-- What modules ask of the host by name.
--
-- Out: W.call_host, a request that is answered once; W.listen, a channel that the host feeds. The host checks what it is
-- given; a module checks what a program gives it, where a better message can be had.

local W = ...
local type, select, error = type, select, error
local pcall, pack, unpack = W.raw.pcall, table.pack, table.unpack
local ask, failure = W.ask, W.failure
local HOST = 16 -- request
local VALUE = 0 -- reply

local function answer(code, _, ints, floats, bytes)
  local value = W.decode_values(1, ints, floats, bytes)
  if code == VALUE then return value, nil end
  return nil, value
end

-- Asks for `module.operation` with values of any kind that can leave the program; its value, or nil and an error object.
function W.call_host(name, ...)
  local streams = pack(pcall(W.encode_values, nil, select("#", ...), ...))
  if streams[1] then return answer(ask(name, HOST, name, 0, unpack(streams, 2, streams.n))) end
  local why = streams[2]
  if type(why) ~= "table" or not why.refused then error(why, 0) end
  return nil, failure("INVALID", why.refused)
end

-- A channel that gets what `module.operation` gives, again and again, until that is nil or fails; it is asked ahead of
-- time, but once. `name` is what a report of a deadlock calls the channel. Gives what other parts know as a channel.
function W.listen(name, operation, ...)
  local channel, arguments = W.new_channel(0, name), pack(...)
  W.spawn_pump(channel, function()
    repeat
      local value = W.call_host(operation, unpack(arguments, 1, arguments.n))
    until value == nil or not W.feed(channel, value)
    W.close_channel(channel)
  end)
  return channel
end
