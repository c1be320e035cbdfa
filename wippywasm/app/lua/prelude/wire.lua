-- How values cross the border: as a few byte strings, never as objects.
--
-- A message is four streams: integers (8 bytes each), floats, text and bytes. Towards the host, text (valid UTF-8) and
-- bytes each come with the lengths of their pieces; from the host both are in one run and the integers have the lengths.
-- The same layout is read and written by wire.py; what an untyped value looks like in it, by untyped.py.

local W = ...
local type, next, select, tostring, error = type, next, select, tostring, error
local pack, unpack, rep, sub, find, concat = string.pack, string.unpack, string.rep, string.sub, string.find, table.concat
local spread, move, mtype, ulen, getmetatable = table.unpack, table.move, math.type, utf8.len, debug.getmetatable
local pcall = W.raw.pcall
local error_data, opaque, lists = W.error_data, W.opaque, W.lists

local CHUNK = 512
local formats = {}
for _, code in ipairs({ "i8", "d", "I4" }) do formats[code] = "<" .. rep(code, CHUNK) end

-- Packs the first `count` numbers of a list.
local function pack_numbers(list, count, code)
  if count == 0 then return "" end
  local parts, full = {}, count // CHUNK * CHUNK
  for i = 1, full, CHUNK do parts[#parts + 1] = pack(formats[code], spread(list, i, i + CHUNK - 1)) end
  parts[#parts + 1] = pack("<" .. rep(code, count - full), spread(list, full + 1, count))
  return concat(parts)
end

local function lengths(list, count)
  local sizes = {}
  for i = 1, count do sizes[i] = #list[i] end
  return pack_numbers(sizes, count, "I4")
end

-- The streams as strings: integers, floats, text lengths, text, byte lengths, bytes.
function W.pack_streams(ints, n, floats, f, texts, t, blobs, b)
  return pack_numbers(ints, n, "i8"), pack_numbers(floats, f, "d"), lengths(texts, t), concat(texts, "", 1, t), lengths(blobs, b), concat(blobs, "", 1, b)
end

-- The numbers that a string packs, as a list.
local function unpack_numbers(text, code)
  local count, list = #text // 8, {}
  local full, at = count // CHUNK * CHUNK, 1
  for i = 1, full, CHUNK do
    move({ unpack(formats[code], text, at) }, 1, CHUNK, i, list)
    at = at + 8 * CHUNK
  end
  move({ unpack("<" .. rep(code, count - full), text, at) }, 1, count - full, full + 1, list)
  return list
end

function W.unpack_ints(text) return unpack_numbers(text, "i8") end
function W.unpack_floats(text) return text == "" and {} or unpack_numbers(text, "d") end

-- untyped values -------------------------------------------------------------------------------------------------

local NIL, FALSE, TRUE, INT, FLOAT, TEXT, BYTES, ARRAY, MAP, ERROR = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
local MAX_DEPTH, MAX_VALUES = W.limits.depth, W.limits.values

local ints, n, floats, f, texts, t, blobs, b, values, path, depth, open

-- Refuses a value; the path to it reads as Lua would index it.
local function refuse(why)
  local parts = { path[0] }
  for i = 1, depth do
    local key = path[i]
    parts[#parts + 1] = type(key) == "string" and find(key, "^[%a_][%w_]*$") and "." .. key
      or type(key) == "string" and "['" .. key .. "']" or "[" .. tostring(key) .. "]"
  end
  error({ refused = concat(parts) .. ": " .. why }, 0)
end

local function put_string(s)
  n = n + 1
  if ulen(s) then
    t = t + 1
    ints[n], texts[t] = TEXT, s
  else
    b = b + 1
    ints[n], blobs[b] = BYTES, s
  end
end

local function put_number(x)
  n = n + 1
  if mtype(x) == "integer" then
    ints[n], ints[n + 1] = INT, x
    n = n + 1
  else
    f = f + 1
    ints[n], floats[f] = FLOAT, x
  end
end

-- How many elements a table has as an array, or nil where it is a map. A table with holes says its length in `n`, as
-- table.pack makes them; one that has nothing but `n` is a map, unless it was made as a list. An empty table is an array.
local function array_length(value)
  local count, highest, named = 0, 0, nil
  for key, item in next, value do
    if mtype(key) == "integer" and key >= 1 then
      count = count + 1
      if key > highest then highest = key end
    elseif key == "n" and mtype(item) == "integer" and item >= 0 then
      named = item
    else
      return nil
    end
  end
  if named and count == 0 and not lists[value] then return nil end
  if named then return named >= highest and named <= MAX_VALUES and named or nil end
  return count == highest and count or nil
end

-- The same table without its metatable: what reads it runs no code of the program.
local function plain(value)
  if not getmetatable(value) then return value end
  local copy = {}
  for key, item in next, value do copy[key] = item end
  return copy
end

W.plain, W.array_length = plain, array_length

local put

local function put_array(value, count)
  ints[n + 1], ints[n + 2] = ARRAY, count
  n = n + 2
  for i = 1, count do
    path[depth] = i
    put(value[i])
  end
end

local function put_map(value)
  local at = n + 2
  ints[n + 1], n = MAP, at
  local count = 0
  for key, item in next, value do
    path[depth] = key
    if type(key) == "string" then put_string(key)
    elseif mtype(key) == "integer" then put_number(key)
    else refuse("a key must be a string or an integer, got a " .. type(key)) end
    put(item)
    count = count + 1
  end
  ints[at] = count
end

-- Details that can't leave say why, rather than losing their error.
local function put_details(details)
  local n_was, f_was, t_was, b_was, depth_was = n, f, t, b, depth
  local ok, why = pcall(put, details)
  if ok then return end
  if type(why) ~= "table" or not why.refused then error(why, 0) end
  n, f, t, b, depth, open = n_was, f_was, t_was, b_was, depth_was, {}
  put({ unavailable = why.refused })
end

local RETRYABLE, FROM_RETRYABLE = { [true] = 1, [false] = 2 }, { true, false }

local function put_error(known)
  ints[n + 1], ints[n + 2], ints[n + 3] = ERROR, RETRYABLE[known.retryable] or 0, known.origin or 0
  n = n + 3
  put_string(known.kind)
  put_string(known.message)
  put_string(W.error_stack(known))
  put_details(known.details)
end

local function put_table(value)
  if opaque[value] then refuse("a " .. opaque[value] .. " can't leave its program") end
  if open[value] then refuse("the table contains itself") end
  if depth >= MAX_DEPTH then refuse("nested deeper than " .. MAX_DEPTH .. " levels") end
  open[value], depth = true, depth + 1
  local bare = plain(value)
  local count = array_length(bare)
  if count then put_array(bare, count) else put_map(bare) end
  open[value], depth = nil, depth - 1
end

function put(value)
  values = values + 1
  if values > MAX_VALUES then refuse("more than " .. MAX_VALUES .. " values") end
  local kind = type(value)
  if kind == "string" then put_string(value)
  elseif kind == "number" then put_number(value)
  elseif kind == "table" and error_data[value] then put_error(error_data[value])
  elseif kind == "table" then put_table(value)
  elseif kind == "boolean" or kind == "nil" then
    n = n + 1
    ints[n] = value and TRUE or value == nil and NIL or FALSE
  else refuse("a " .. kind .. " can't leave its program") end
end

-- The streams of `count` values, the count first; raises {refused = message}.
function W.encode_values(names, count, ...)
  ints, n, floats, f, texts, t, blobs, b, values = { count }, 1, {}, 0, {}, 0, {}, 0, 0
  open, path, depth = {}, {}, 0
  for i = 1, count do
    path[0] = names and names[i] or "argument " .. i
    put((select(i, ...)))
  end
  return W.pack_streams(ints, n, floats, f, texts, t, blobs, b)
end

local run, at

local function take_string()
  n = n + 1
  local size = ints[n]
  at = at + size
  return sub(run, at - size + 1, at)
end

local take
local takers = {
  [NIL] = function() return nil end,
  [FALSE] = function() return false end,
  [TRUE] = function() return true end,
  [INT] = function()
    n = n + 1
    return ints[n]
  end,
  [FLOAT] = function()
    f = f + 1
    return floats[f]
  end,
  [TEXT] = take_string,
}

takers[ARRAY] = function()
  local count, list, full = ints[n + 1], {}, true
  n = n + 1
  for i = 1, count do
    local item = take()
    list[i] = item
    if item == nil then full = false end
  end
  return full and list or W.mark_list(list, count)
end

takers[MAP] = function()
  local count, map = ints[n + 1], {}
  n = n + 1
  for _ = 1, count do
    local key = take()
    map[key] = take()
  end
  return map
end

takers[ERROR] = function()
  local retryable, origin = ints[n + 1], ints[n + 2]
  n = n + 2
  local kind, message, stack_text = take(), take(), take()
  return W.new_error({
    kind = kind, message = message, stack_text = stack_text, details = take(), origin = origin ~= 0 and origin or nil,
    retryable = FROM_RETRYABLE[retryable],
  })
end

function take()
  n = n + 1
  return takers[ints[n]]()
end

-- The values of a message from the host.
function W.decode_values(count, int_stream, float_stream, bytes)
  ints, n, floats, f, run, at = W.unpack_ints(int_stream), 0, W.unpack_floats(float_stream), 0, bytes, 0
  local list = {}
  for i = 1, count do list[i] = take() end
  return spread(list, 1, count)
end
