-- Streams: bytes that a program reads piece by piece.
--
-- Out: W.new_stream(read, close, size): `read(most, position)` gives bytes, nil at the end, or nil and an error object.

local W = ...
local tostring, mtype = tostring, math.type
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
  return { size = state.size, position = state.position, readable = not state.closed, writable = false, seekable = false }, nil
end

function stream.scanner(self, split)
  local state = state_of(self)
  return W.new_scanner(function(most) return next_piece(state, most) end, split)
end

function W.new_stream(read, close, size)
  return new_object({ read = read, close = close, size = size or -1, position = 0 })
end
