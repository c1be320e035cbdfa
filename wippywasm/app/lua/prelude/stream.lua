-- Streams: bytes that a program reads piece by piece.
--
-- Out: W.new_stream(read, close, size, seekable): `read(most, position)` gives bytes, nil at the end, or nil and an error
-- object. One that is seekable has a size, and reads at any position.

local W = ...
local tostring, ipairs, mtype = tostring, ipairs, math.type
local failure = W.failure
local PIECE = 32768

local stream, state_of, new_object = W.class("stream")

local function next_piece(state, most)
  if state.closed then return nil, failure("INTERNAL", "the stream is closed") end
  local data, err = state.read(most, state.position)
  if data then state.position = state.position + #data end
  return data, err
end

function stream.read(self, most)
  local state = state_of(self)
  if most == nil or most == 0 then most = PIECE end
  if mtype(most) ~= "integer" or most < 1 then
    return nil, failure("INVALID", "stream:read takes a number of bytes, got " .. tostring(most))
  end
  return next_piece(state, most)
end

function stream.close(self)
  local state = state_of(self)
  if not state.closed then
    state.closed = true
    if state.close then state.close() end
  end
  return true, nil
end

function stream.stat(self)
  local state = state_of(self)
  return { size = state.size, position = state.position, readable = not state.closed, writable = false, seekable = state.seekable }, nil
end

function stream.scanner(self, split)
  local state = state_of(self)
  return W.new_scanner(function(most) return next_piece(state, most) end, split)
end

local bases = {
  set = function() return 0 end,
  cur = function(state) return state.position end,
  ["end"] = function(state) return state.size end,
}

function stream.seek(self, whence, offset)
  local state = state_of(self)
  local base = bases[whence or "cur"]
  offset = offset or 0
  if not base or mtype(offset) ~= "integer" then
    return nil, failure("INVALID", "stream:seek takes one of set, cur, end, and a whole number of bytes")
  end
  if state.closed then return nil, failure("INTERNAL", "the stream is closed") end
  if not state.seekable then return nil, failure("INTERNAL", "the stream can only be read from its start to its end") end
  local position = base(state) + offset
  if position < 0 then return nil, failure("INVALID", "there is no position " .. position .. " in a stream") end
  state.position = position
  return position, nil
end

for _, name in ipairs({ "write", "flush" }) do
  stream[name] = function(self)
    state_of(self)
    return nil, failure("INTERNAL", "the stream can only be read")
  end
end

function W.new_stream(read, close, size, seekable)
  return new_object({ read = read, close = close, size = size or -1, position = 0, seekable = seekable or false })
end
