-- Streams: bytes that a program reads piece by piece.
--
-- Out: W.new_stream(read, close, size): `read(most, position)` gives bytes, nil at the end, or nil and an error object.

local W = ...
local type, setmetatable, tostring, error = type, setmetatable, tostring, error
local find, sub, match, byte, mtype = string.find, string.sub, string.match, string.byte, math.type
local failure, opaque = W.failure, W.opaque
local PIECE = 32768
local MAX_TOKEN = 65536

local states = W.raw.setmetatable({}, { __mode = "k" })
local stream, scanner = {}, {}

local function metatable(methods, name)
  return {
    __name = name, __metatable = false,
    __index = function(_, key)
      return methods[key] or error("a " .. name .. " has no '" .. tostring(key) .. "'", 2)
    end,
    __close = methods.close,
  }
end

local function state_of(object, what)
  return states[object] or error("bad argument #1 to '" .. what .. "' (an object of this kind expected; call it with ':')", 3)
end

local function next_piece(state, most)
  if state.closed then return nil, failure("INTERNAL", "the stream is closed") end
  local data, err = state.read(most, state.position)
  if data then state.position = state.position + #data end
  return data, err
end

function stream.read(self, most)
  local state = state_of(self, "read")
  if most == nil or most == 0 then most = PIECE end
  if mtype(most) ~= "integer" or most < 1 then
    return nil, failure("INVALID", "stream:read takes a number of bytes, got " .. tostring(most))
  end
  return next_piece(state, most)
end

function stream.close(self)
  local state = state_of(self, "close")
  if not state.closed then
    state.closed = true
    if state.close then state.close() end
  end
  return true, nil
end

function stream.stat(self)
  local state = state_of(self, "stat")
  return { size = state.size, position = state.position, readable = not state.closed, writable = false, seekable = false }, nil
end

-- scanners: a stream's lines, words, bytes or characters --------------------------------------------------------------

-- Each gives where a token at `at` ends with all that belongs to it, and the token; nil where more is needed to tell.
-- `over`: there is no more.
local cutters = {
  lines = function(text, at, over)
    local stop = find(text, "\n", at, true)
    if not stop and not over then return nil end
    local line = sub(text, at, (stop or #text + 1) - 1)
    return stop or #text, byte(line, -1) == 13 and sub(line, 1, -2) or line
  end,
  words = function(text, at, over)
    local first, last = find(text, "%S+", at)
    if first and (last < #text or over) then return last, sub(text, first, last) end
  end,
  bytes = function(text, at) return at, sub(text, at, at) end,
  runes = function(text, at, over)
    local after = match(text, "^[\xc2-\xf4][\x80-\xbf]*()", at) or at + 1
    if after <= #text or over then return after - 1, sub(text, at, after - 1) end
  end,
}

function stream.scanner(self, split)
  local state = state_of(self, "scanner")
  local cut = cutters[split or "lines"]
  if not cut then return nil, failure("INVALID", "stream:scanner splits into lines, words, bytes or runes") end
  local new = setmetatable({}, metatable(scanner, "scanner"))
  states[new], opaque[new] = { source = state, cut = cut, rest = "", at = 1 }, "scanner"
  return new, nil
end

-- Reads on; false and an error where that fails, or where a token is too long.
local function more(state)
  state.rest, state.at = sub(state.rest, state.at), 1
  if #state.rest > MAX_TOKEN then return false, failure("INVALID", "a token is longer than " .. MAX_TOKEN .. " bytes") end
  local data, err = next_piece(state.source, PIECE)
  if err then return false, err end
  state.over, state.rest = data == nil, state.rest .. (data or "")
  return true, nil
end

function scanner.scan(self)
  local state = state_of(self, "scan")
  while not state.err do
    local last, token
    if state.at <= #state.rest then last, token = state.cut(state.rest, state.at, state.over) end
    if last then
      state.token, state.at = token, last + 1
      return true, nil
    end
    if state.over then return false, nil end
    local ok, err = more(state)
    if not ok then state.err = err end
  end
  return false, state.err
end

function scanner.text(self) return state_of(self, "text").token or "" end
function scanner.err(self) return state_of(self, "err").err end

local stream_metatable = metatable(stream, "stream")

function W.new_stream(read, close, size)
  local new = setmetatable({}, stream_metatable)
  states[new], opaque[new] = { read = read, close = close, size = size or -1, position = 0 }, "stream"
  return new
end
