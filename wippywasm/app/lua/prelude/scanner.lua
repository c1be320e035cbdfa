-- Scanners: what is read, in lines, words, bytes or characters.
--
-- Out: W.new_scanner(read, split): `read(most)` gives bytes, nil at the end, or nil and an error object.

local W = ...
local find, sub, match, byte = string.find, string.sub, string.match, string.byte
local failure = W.failure
local PIECE = 65536
local MAX_TOKEN = 1 << 20 -- bytes of a line or word

local scanner, state_of, new_object = W.class("scanner")

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

-- Reads on, or notes why that can't be.
local function more(state)
  state.rest, state.at = sub(state.rest, state.at), 1
  if #state.rest > MAX_TOKEN then
    state.err = failure("INVALID", "a line or word is longer than " .. MAX_TOKEN .. " bytes")
    return
  end
  local data, err = state.read(PIECE)
  state.err, state.over, state.rest = err, data == nil, state.rest .. (data or "")
end

-- Whether there is one more token; false and an error object where reading failed.
function scanner.scan(self)
  local state = state_of(self)
  while not state.err do
    local last, token
    if state.at <= #state.rest then last, token = state.cut(state.rest, state.at, state.over) end
    if last then
      state.token, state.at = token, last + 1
      return true, nil
    end
    if state.over then break end
    more(state)
  end
  state.token = nil
  return false, state.err
end

function scanner.text(self) return state_of(self).token or "" end
function scanner.err(self) return state_of(self).err end

function W.new_scanner(read, split)
  local cut = cutters[split or "lines"]
  if not cut then return nil, failure("INVALID", "a scanner splits into lines, words, bytes or runes") end
  return new_object({ read = read, cut = cut, rest = "", at = 1 }), nil
end
