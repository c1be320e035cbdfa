-- What the compiled codecs share: the checks that are not worth repeating in each, and the refusals.
--
-- Out: W.typed, handed to every codec, and W.install_codec. A codec is Lua text that codec_lua.py wrote for one function
-- type; it holds the streams in locals, and leaves the path to what it is at in `path`: names and indexes by depth.

local W = ...
local type, next, error, tostring, load, rawget = type, next, error, tostring, load, rawget
local mtype, tointeger, char, find, sub, format = math.type, math.tointeger, string.char, string.find, string.sub, string.format
local ulen, concat, getmetatable, byte, spread, move = utf8.len, table.concat, debug.getmetatable, string.byte, table.unpack, table.move

local H, path = {}, {}
W.codecs = {}

local function shown(value)
  local kind = type(value)
  if kind == "string" then
    local short = #value > 40 and sub(value, 1, 40) .. "…" or value
    return ulen(short) and format("%q", short) or "a string that is not UTF-8"
  end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  return "a " .. kind
end

local function step(key)
  if mtype(key) then return "[" .. tostring(key) .. "]" end
  return find(key, "^[%a_][%w_]*$") and "." .. key or "['" .. key .. "']"
end

local function where(depth, key)
  local parts = { path[0] }
  for i = 1, depth do parts[i + 1] = step(path[i]) end
  if key ~= nil then parts[#parts + 1] = step(key) end
  return concat(parts)
end

local function refuse(depth, key, expected, got)
  local place = where(depth, key)
  error({
    refused = place .. ": expected " .. expected .. ", got " .. got,
    details = { path = place, expected = expected, got = got },
  }, 0)
end

local function fail(depth, key, expected, value) refuse(depth, key, expected, shown(value)) end

function H.bad_text(depth, key, expected, value)
  if type(value) ~= "string" or ulen(value) then fail(depth, key, expected, value) end
  local _, at = ulen(value)
  refuse(depth, key, expected, format("invalid UTF-8: byte 0x%02x at position %d", byte(value, at), at))
end

-- An integer that is written as a float, or a refusal.
function H.int(value, low, high, depth, key, expected)
  local whole = mtype(value) == "float" and tointeger(value) or mtype(value) == "integer" and value
  if not whole and expected == "u64" and mtype(value) == "float" and value >= 2 ^ 63 and value < 2 ^ 64 then
    return tointeger(value - 2 ^ 64)
  end
  if not whole then fail(depth, key, expected, value) end
  if whole < low or whole > high or (expected == "u64" and mtype(value) == "float" and value < 0) then
    refuse(depth, key, expected, tostring(value) .. ", which is out of range")
  end
  return whole
end

function H.unknown(depth, key, expected)
  refuse(depth, nil, expected, "a table with " .. (type(key) == "string" and "the field '" .. key .. "'" or "the key " .. shown(key)))
end

function H.both(depth, key, other, expected)
  refuse(depth, nil, expected, "both '" .. key .. "' and '" .. other .. "'")
end

-- The length of a list whose keys are not just 1 to #list: an optional element may be a hole, then `n` or the highest key
-- says where the list ends.
function H.list_length(list, depth, may_have_holes, expected)
  local count, highest, named = 0, 0, nil
  for key in next, list do
    if mtype(key) == "integer" and key >= 1 then
      count = count + 1
      if key > highest then highest = key end
    elseif key == "n" and mtype(list.n) == "integer" then
      named = list.n
    else
      refuse(depth, nil, expected, "a table with the key " .. shown(key))
    end
  end
  local length = named or highest
  if length < highest or length > W.limits.values then refuse(depth, nil, expected, "a table whose n is " .. shown(named)) end
  if length ~= count and not may_have_holes then
    for i = 1, length do
      if list[i] == nil then refuse(depth, nil, expected, "a table with a hole at " .. i) end
    end
  end
  return length
end

-- The bytes of a list<u8> that is an array.
function H.bytes(list, depth, expected)
  if type(list) ~= "table" then fail(depth, nil, expected, list) end
  if getmetatable(list) then list = W.plain(list) end
  local count = H.list_length(list, depth, false, expected)
  local parts = {}
  for i = 1, count do
    local item = list[i]
    if mtype(item) ~= "integer" or item < 0 or item > 255 then item = H.int(item, 0, 255, depth, i, "u8") end
    parts[i] = char(item)
  end
  return concat(parts)
end

function H.tuple(list, depth, size, expected)
  if type(list) ~= "table" then fail(depth, nil, expected, list) end
  if getmetatable(list) then list = W.plain(list) end
  for key in next, list do
    if not (mtype(key) == "integer" and key >= 1 and key <= size) and key ~= "n" then
      refuse(depth, nil, expected, "a table with the key " .. shown(key))
    end
  end
  return list
end

-- The one key of a table that names a case by it, and what it has there.
local function only_case(value, depth, expected)
  local count = 0
  for _ in next, value do count = count + 1 end
  if count == 1 then return next(value) end
  local got = count == 0 and "an empty table" or "a table with " .. count .. " keys"
  refuse(depth, nil, expected .. " with exactly one case", got)
end

-- The payload of an option that has an option in it: {some = payload}, {} where the inner one is absent.
function H.some(value, depth, expected)
  if type(value) ~= "table" then fail(depth, nil, expected .. " as {some = …}", value) end
  for name in next, value do
    if name ~= "some" then fail(depth, nil, expected .. " as {some = …}", value) end
  end
  return rawget(value, "some")
end

-- The case's number and payload: {tag = case, value = payload}, {[case] = payload} or the bare name.
function H.variant(value, depth, cases, expected)
  local name, payload = value, nil
  if type(value) == "table" then
    local tag = rawget(value, "tag")
    if cases[tag] then
      name, payload = tag, rawget(value, "value")
      for field in next, value do
        if field ~= "tag" and field ~= "value" then refuse(depth, nil, expected, "a table with tag and " .. shown(field)) end
      end
    else
      name, payload = only_case(value, depth, expected)
    end
  end
  local case = cases[name]
  if not case then refuse(depth, nil, expected, type(value) == "table" and "case " .. shown(rawget(value, "tag") or name) or shown(value)) end
  if not case.payload then
    if payload ~= nil and payload ~= true then refuse(depth, nil, expected, "a payload for case '" .. case.name .. "', which has none") end
    payload = nil
  end
  return case.index, payload
end

function H.flags(value, depth, names, expected)
  if type(value) ~= "table" then fail(depth, nil, expected, value) end
  local on, seen = {}, {}
  for name, set in next, value do
    if mtype(name) == "integer" then name, set = set, true end
    if not names[name] then refuse(depth, nil, expected, "the flag " .. shown(name)) end
    if set ~= true and set ~= false then refuse(depth, nil, expected, shown(set) .. " for the flag '" .. name .. "'") end
    if set and not seen[names[name]] then
      on[#on + 1], seen[names[name]] = names[name], true
    end
  end
  return on
end

function H.arity(expected, count)
  error({ refused = "expected " .. expected .. " argument" .. (expected == 1 and "" or "s") .. ", got " .. count }, 0)
end

H.plain = W.plain
H.fail, H.path, H.pack, H.take_ints, H.take_floats = fail, path, W.pack_streams, W.unpack_ints, W.unpack_floats
H.type, H.next, H.mtype, H.ulen, H.getmetatable, H.sub, H.move = type, next, mtype, ulen, getmetatable, sub, move
W.typed = H

function W.install_codec(source)
  return load(source, "@[wippy]", "t", {})(H)
end
