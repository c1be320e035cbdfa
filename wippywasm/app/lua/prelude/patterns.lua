-- Lua patterns that can't hang a worker.
--
-- Out: W.matchers. C's matcher takes time that grows with the length of the subject to the power of the pattern's
-- repetitions, and doubles with each '?' of it, and no hook runs in it. So a search that might take long is done by a matcher in Lua instead, slower but
-- under the budget; all others by C's, and a longer one is charged for the time it took. Both give the same, except that
-- this one refuses a malformed pattern also where no match would reach its fault.

local W = ...
local type, error, tostring, tonumber, select = type, error, tostring, tonumber, select
local string, setmetatable = string, setmetatable
local sub, byte, char, gsub, find, match, concat = string.sub, string.byte, string.char, string.gsub, string.find, string.match, table.concat
local spread = table.unpack
local charge, clock = W.charge, W.raw.clock

local CHEAP, DEAR = 1e5, 2e8 -- steps of C's matcher: not worth a look, too many
local CHARGE_PER_SECOND = 1e8
local MAX_DEPTH = 150000
local SPECIALS = "[%^%$%*%+%?%.%(%[%%%-]"

-- The steps that C's matcher may need at worst.
local function worst_case(s, pattern)
  if not find(pattern, SPECIALS) then return #s end
  local _, repeats = gsub(pattern, "[*+-]", "")
  local _, choices = gsub(pattern, "?", "")
  local power = repeats + (byte(pattern) == 94 and 0 or 1)
  return (#s + 1.0) ^ (power < 1 and 1 or power) * 2.0 ^ choices
end

-- parsing --------------------------------------------------------------------------------------------------------

-- Where a set that starts with '[' at `at` ends.
local function set_end(pattern, at)
  at = at + 1
  if byte(pattern, at) == 94 then at = at + 1 end
  repeat
    local c = sub(pattern, at, at)
    if c == "" then error("malformed pattern (missing ']')", 0) end
    at = at + (c == "%" and 2 or 1)
  until sub(pattern, at, at) == "]"
  return at
end

-- The bytes that a single-character item matches.
local function byte_set(item)
  local set, anchored = {}, "^" .. item
  for code = 0, 255 do
    if find(char(code), anchored) then set[code] = true end
  end
  return set
end

local function single_end(pattern, at)
  local c = sub(pattern, at, at)
  if c == "%" then
    if at == #pattern then error("malformed pattern (ends with '%')", 0) end
    return at + 1
  end
  return c == "[" and set_end(pattern, at) or at
end

local function parse_percent(pattern, at, items)
  local kind = sub(pattern, at + 1, at + 1)
  if kind == "b" then
    if at + 3 > #pattern then error("malformed pattern (missing arguments to '%b')", 0) end
    items[#items + 1] = { op = "balance", open = byte(pattern, at + 2), close = byte(pattern, at + 3) }
    return at + 4
  elseif kind == "f" then
    if sub(pattern, at + 2, at + 2) ~= "[" then error("missing '[' after '%f' in pattern", 0) end
    local stop = set_end(pattern, at + 2)
    items[#items + 1] = { op = "frontier", set = byte_set(sub(pattern, at + 2, stop)) }
    return stop + 1
  elseif find(kind, "^%d") then
    items[#items + 1] = { op = "back", number = tonumber(kind) }
    return at + 2
  end
end

local function parse_single(pattern, at, items)
  local stop = single_end(pattern, at)
  local quantity = match(pattern, "^[*+?-]", stop + 1) or ""
  items[#items + 1] = { op = "single" .. quantity, set = byte_set(sub(pattern, at, stop)) }
  return stop + 1 + #quantity
end

local function parse(pattern, at)
  local items = {}
  while at <= #pattern do
    local c = sub(pattern, at, at)
    if c == "(" then
      local position = sub(pattern, at + 1, at + 1) == ")"
      items[#items + 1] = { op = position and "position" or "open" }
      at = at + (position and 2 or 1)
    elseif c == ")" then
      items[#items + 1], at = { op = "close" }, at + 1
    elseif c == "$" and at == #pattern then
      items[#items + 1], at = { op = "finish" }, at + 1
    else
      at = c == "%" and parse_percent(pattern, at, items) or parse_single(pattern, at, items)
    end
  end
  return items
end

-- matching -------------------------------------------------------------------------------------------------------

local Matcher = {}
Matcher.__index = Matcher
local steps = {}

-- Where the items from `k` on, matched at `at`, end; nil where they do not match.
function Matcher:run(at, k)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then error("pattern too complex", 0) end
  local item = self.items[k]
  local stop = not item and at or item and steps[item.op](self, item, at, k)
  self.depth = self.depth - 1
  return stop or nil
end

function steps.single(self, item, at, k)
  return item.set[byte(self.s, at)] and self:run(at + 1, k + 1)
end

steps["single?"] = function(self, item, at, k)
  local stop = item.set[byte(self.s, at)] and self:run(at + 1, k + 1)
  return stop or self:run(at, k + 1)
end

local function greedy(self, item, at, k, least)
  local s, set, count = self.s, item.set, 0
  while set[byte(s, at + count)] do count = count + 1 end
  for n = count, least, -1 do
    local stop = self:run(at + n, k + 1)
    if stop then return stop end
  end
end

steps["single*"] = function(self, item, at, k) return greedy(self, item, at, k, 0) end
steps["single+"] = function(self, item, at, k) return greedy(self, item, at, k, 1) end

steps["single-"] = function(self, item, at, k)
  local s, set = self.s, item.set
  while true do
    local stop = self:run(at, k + 1)
    if stop then return stop end
    if not set[byte(s, at)] then return nil end
    at = at + 1
  end
end

function steps.finish(self, _, at) return at == #self.s + 1 and at end

local function capture(self, from, at, k, open)
  local number = #self.captures + 1
  if number > 32 then error("too many captures", 0) end
  self.captures[number] = { from = from, stop = not open and "position" or nil, open = open }
  local stop = self:run(at, k + 1)
  if not stop then self.captures[number] = nil end
  return stop
end

function steps.open(self, _, at, k) return capture(self, at, at, k, true) end
function steps.position(self, _, at, k) return capture(self, at, at, k, false) end

function steps.close(self, _, at, k)
  local captures = self.captures
  local number = #captures
  while number > 0 and not captures[number].open do number = number - 1 end
  if number == 0 then error("invalid pattern capture", 0) end
  local known = captures[number]
  known.open, known.stop = false, at
  local stop = self:run(at, k + 1)
  if not stop then known.open, known.stop = true, nil end
  return stop
end

function steps.back(self, item, at, k)
  local known = self.captures[item.number]
  if not known or known.open then error("invalid capture index %" .. item.number, 0) end
  if known.stop == "position" then return nil end
  local text = sub(self.s, known.from, known.stop - 1)
  return sub(self.s, at, at + #text - 1) == text and self:run(at + #text, k + 1)
end

function steps.balance(self, item, at, k)
  local s, level = self.s, 1
  if byte(s, at) ~= item.open then return nil end
  for stop = at + 1, #s do
    local c = byte(s, stop)
    if c == item.close then
      level = level - 1
      if level == 0 then return self:run(stop + 1, k + 1) end
    elseif c == item.open then
      level = level + 1
    end
  end
end

function steps.frontier(self, item, at, k)
  local before, here = at > 1 and byte(self.s, at - 1) or 0, byte(self.s, at) or 0
  return not item.set[before] and item.set[here] and self:run(at, k + 1)
end

-- searching ------------------------------------------------------------------------------------------------------

-- A search of `s`; `search:next(at)` gives where the first match from `at` on starts and where the next may.
local function new_search(s, pattern)
  local anchored = byte(pattern) == 94
  return setmetatable({ s = s, items = parse(pattern, anchored and 2 or 1), anchored = anchored }, Matcher)
end

function Matcher:match_at(at)
  self.depth, self.captures = 0, {}
  return self:run(at, 1)
end

function Matcher:next(at)
  for from = at, self.anchored and at or #self.s + 1 do
    local stop = self:match_at(from)
    if stop then return from, stop end
  end
end

function Matcher:capture(number)
  local known = self.captures[number]
  if not known then error("invalid capture index %" .. number, 0) end
  if known.open then error("unfinished capture", 0) end
  return known.stop == "position" and known.from or sub(self.s, known.from, known.stop - 1)
end

-- The captures, or the whole match where there are none and it is asked for.
function Matcher:values(from, stop, whole)
  local count = #self.captures
  if count == 0 and whole then return sub(self.s, from, stop - 1) end
  local list = {}
  for i = 1, count do list[i] = self:capture(i) end
  return spread(list, 1, count)
end

local function start_of(s, init)
  init = init or 1
  if init < 0 then init = #s + init + 1 end
  return init < 1 and 1 or init
end

local slow = {}

function slow.find(s, pattern, init)
  local search, at = new_search(s, pattern), start_of(s, init)
  if at > #s + 1 then return nil end
  local from, stop = search:next(at)
  if not from then return nil end
  return from, stop - 1, search:values(from, stop, false)
end

function slow.match(s, pattern, init)
  local search, at = new_search(s, pattern), start_of(s, init)
  if at > #s + 1 then return nil end
  local from, stop = search:next(at)
  if not from then return nil end
  return search:values(from, stop, true)
end

function slow.gmatch(s, pattern, init)
  local search, at, last = new_search(s, pattern), start_of(s, init), nil
  search.anchored = false
  if byte(pattern) == 94 then search.items = parse("%" .. pattern, 1) end
  return function()
    while at <= #s + 1 do
      local from, stop = search:next(at)
      if not from then at = #s + 2 return nil end
      at = stop
      if stop ~= last then
        last = stop
        return search:values(from, stop, true)
      end
      at = from + 1
    end
  end
end

local function expand(search, text, from, stop)
  return (gsub(text, "%%(.)", function(c)
    if c == "%" then return "%" end
    if c == "0" then return sub(search.s, from, stop - 1) end
    if not find(c, "%d") then error("invalid use of '%' in replacement string", 0) end
    if c == "1" and #search.captures == 0 then return sub(search.s, from, stop - 1) end
    return tostring(search:capture(tonumber(c)))
  end))
end

local function replacement(search, by, from, stop)
  local value
  if type(by) == "function" then value = by(search:values(from, stop, true))
  elseif type(by) == "table" then value = by[(search:values(from, stop, true))]
  else return expand(search, tostring(by), from, stop) end
  if not value then return sub(search.s, from, stop - 1) end
  if type(value) ~= "string" and type(value) ~= "number" then
    error("invalid replacement value (a " .. type(value) .. ")", 0)
  end
  return tostring(value)
end

function slow.gsub(s, pattern, by, limit)
  local search, at, count, parts = new_search(s, pattern), 1, 0, {}
  local last
  while at <= #s + 1 and not (limit and count >= limit) do
    local stop = search:match_at(at)
    if stop and stop ~= last then
      count = count + 1
      parts[#parts + 1] = replacement(search, by, at, stop)
      at, last = stop, stop
    elseif at <= #s then
      parts[#parts + 1], at = sub(s, at, at), at + 1
    else
      break
    end
    if search.anchored then break end
  end
  parts[#parts + 1] = sub(s, at)
  return concat(parts), count
end

-- choosing -------------------------------------------------------------------------------------------------------

local function timed(started, ...)
  charge((clock() - started) * CHARGE_PER_SECOND // 1)
  return ...
end

-- Each is called by its own name, which is how C calls it in its messages.
local by_name = {
  find = function(...) return string.find(...) end,
  match = function(...) return string.match(...) end,
  gmatch = function(...) return string.gmatch(...) end,
  gsub = function(...) return string.gsub(...) end,
}

local function guarded(name)
  local quick, careful = by_name[name], slow[name]
  return function(s, pattern, ...)
    if type(s) == "number" then s = tostring(s) end
    if type(s) ~= "string" or type(pattern) ~= "string" then return quick(s, pattern, ...) end
    if name == "find" and select(2, ...) then return quick(s, pattern, ...) end
    local steps_needed = worst_case(s, pattern)
    if steps_needed <= CHEAP then return quick(s, pattern, ...) end
    if steps_needed <= DEAR then return timed(clock(), quick(s, pattern, ...)) end
    return careful(s, pattern, ...)
  end
end

W.slow_matchers = slow
W.matchers = { find = guarded("find"), match = guarded("match"), gmatch = guarded("gmatch"), gsub = guarded("gsub") }
