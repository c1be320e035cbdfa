-- The module `json`: text to values and back, as RFC 8259 has it.
--
-- Out: W.modules.json. Both functions give `value, nil` or `nil, error`. Arrays and maps are told apart as everywhere
-- (keys 1 to n, or `n`); an object that was empty when it was decoded is encoded as one again.

local W = ...
local type, next, error, tonumber, tostring, select, ipairs = type, next, error, tonumber, tostring, select, ipairs
local find, sub, byte, gsub, format, concat = string.find, string.sub, string.byte, string.gsub, string.format, table.concat
local mtype, huge, ulen, uchar, sort = math.type, math.huge, utf8.len, utf8.char, table.sort
local pcall, failure = W.raw.pcall, W.failure

local MAX_DEPTH = W.limits.depth
local empty_objects = W.raw.setmetatable({}, { __mode = "k" })

local function refuse(why) error({ refused = why }, 0) end

-- Runs `f`, turning its refusals into error objects.
local function outcome(kind, ok, value)
  if ok then return value, nil end
  if type(value) ~= "table" or not value.refused then error(value, 0) end
  return nil, failure(kind, value.refused)
end

-- encoding -------------------------------------------------------------------------------------------------------

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  local c = uchar(code)
  escapes[c] = escapes[c] or format("\\u%04x", code)
end

local function string_text(s)
  local length, at = ulen(s)
  if not length then refuse(format("json.encode: invalid UTF-8: byte 0x%02x at position %d", byte(s, at), at)) end
  return '"' .. gsub(s, '[%z\1-\31"\\]', escapes) .. '"'
end

local function number_text(x)
  if mtype(x) == "integer" then return format("%d", x) end
  if x ~= x or x == huge or x == -huge then return "null" end
  local text = format("%.15g", x)
  if tonumber(text) ~= x then text = format("%.17g", x) end
  return find(text, "[%.e]") and text or text .. ".0"
end

local encode_value

local function put_array(value, count, out, depth, open)
  out[#out + 1] = "["
  for i = 1, count do
    if i > 1 then out[#out + 1] = "," end
    encode_value(value[i], out, depth, open)
  end
  out[#out + 1] = "]"
end

local function sorted_keys(value)
  local keys = {}
  for key in next, value do
    if type(key) ~= "string" then refuse("json.encode: an object's key must be a string, got " .. tostring(key) .. "; an array's are 1 to n, without holes") end
    keys[#keys + 1] = key
  end
  sort(keys)
  return keys
end

local function put_object(value, out, depth, open)
  out[#out + 1] = "{"
  for i, key in ipairs(sorted_keys(value)) do
    out[#out + 1] = (i > 1 and "," or "") .. string_text(key) .. ":"
    encode_value(value[key], out, depth, open)
  end
  out[#out + 1] = "}"
end

local function put_table(value, out, depth, open)
  if W.error_data[value] then out[#out + 1] = string_text(tostring(value)) return end
  if W.opaque[value] then refuse("json.encode: a " .. W.opaque[value] .. " has no JSON") end
  if open[value] then refuse("json.encode: the table contains itself") end
  if depth >= MAX_DEPTH then refuse("json.encode: nested deeper than " .. MAX_DEPTH .. " levels") end
  open[value] = true
  local plain = W.plain(value)
  local count = not empty_objects[value] and W.array_length(plain)
  if count then put_array(plain, count, out, depth + 1, open) else put_object(plain, out, depth + 1, open) end
  open[value] = nil
end

function encode_value(value, out, depth, open)
  local kind = type(value)
  if kind == "string" then out[#out + 1] = string_text(value)
  elseif kind == "number" then out[#out + 1] = number_text(value)
  elseif kind == "boolean" then out[#out + 1] = value and "true" or "false"
  elseif kind == "nil" then out[#out + 1] = "null"
  elseif kind == "table" then put_table(value, out, depth, open)
  else refuse("json.encode: a " .. kind .. " has no JSON") end
end

-- decoding -------------------------------------------------------------------------------------------------------

local function bad(text, at, what)
  local _, lines = gsub(sub(text, 1, at - 1), "\n", "")
  refuse(format("json.decode: line %d, byte %d: %s", lines + 1, at, what))
end

local function skip(text, at) return (select(2, find(text, "^[ \t\r\n]*", at))) + 1 end

local unescapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function hex4(text, at)
  local digits = sub(text, at, at + 3)
  if not find(digits, "^%x%x%x%x$") then bad(text, at, "\\u needs four hexadecimal digits") end
  return tonumber(digits, 16)
end

-- The character of a \u escape whose digits start at `at`, and what follows it.
local function unicode(text, at)
  local code = hex4(text, at)
  if code < 0xD800 or code > 0xDFFF then return uchar(code), at + 4 end
  if code < 0xDC00 and sub(text, at + 4, at + 5) == "\\u" then
    local low = hex4(text, at + 6)
    if low >= 0xDC00 and low <= 0xDFFF then return uchar(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 10 end
  end
  bad(text, at, "half of a surrogate pair")
end

local function decode_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = find(text, '[%z\1-\31"\\]', from)
    if not stop then bad(text, at, "a string without an end") end
    parts[#parts + 1] = sub(text, from, stop - 1)
    local c = sub(text, stop, stop)
    if c == '"' then return concat(parts), stop + 1 end
    if c ~= "\\" then bad(text, stop, "a control character in a string; write it as an escape") end
    local escape = sub(text, stop + 1, stop + 1)
    if escape == "u" then
      parts[#parts + 1], from = unicode(text, stop + 2)
    else
      parts[#parts + 1], from = unescapes[escape] or bad(text, stop, "unknown escape"), stop + 2
    end
  end
end

local function decode_number(text, at)
  local _, stop = find(text, "^-?%d+", at)
  if not stop or find(text, "^-?0%d", at) then bad(text, at, "expected a value") end
  local _, fraction = find(text, "^%.%d+", stop + 1)
  local _, exponent = find(text, "^[eE][-+]?%d+", (fraction or stop) + 1)
  stop = exponent or fraction or stop
  return tonumber(sub(text, at, stop)), stop + 1
end

local decode_value

local function decode_array(text, at, depth)
  local list, count, full = {}, 0, true
  at = skip(text, at + 1)
  if sub(text, at, at) == "]" then return list, at + 1 end
  while true do
    count = count + 1
    list[count], at = decode_value(text, at, depth)
    full = full and list[count] ~= nil
    at = skip(text, at)
    local c = sub(text, at, at)
    if c == "]" then break end
    if c ~= "," then bad(text, at, "expected ',' or ']'") end
    at = skip(text, at + 1)
  end
  return full and list or W.mark_list(list, count), at + 1
end

local function decode_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if sub(text, at, at) == "}" then
    empty_objects[object] = true
    return object, at + 1
  end
  while true do
    if sub(text, at, at) ~= '"' then bad(text, at, "expected a string as a key") end
    local key
    key, at = decode_string(text, at)
    at = skip(text, at)
    if sub(text, at, at) ~= ":" then bad(text, at, "expected ':'") end
    object[key], at = decode_value(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local c = sub(text, at, at)
    if c == "}" then return object, at + 1 end
    if c ~= "," then bad(text, at, "expected ',' or '}'") end
    at = skip(text, at + 1)
  end
end

local words = { t = { "true", true }, f = { "false", false }, n = { "null", nil } }

function decode_value(text, at, depth)
  if depth > MAX_DEPTH then bad(text, at, "nested deeper than " .. MAX_DEPTH .. " levels") end
  local c = sub(text, at, at)
  if c == '"' then return decode_string(text, at) end
  if c == "{" then return decode_object(text, at, depth + 1) end
  if c == "[" then return decode_array(text, at, depth + 1) end
  local word = words[c]
  if not word then return decode_number(text, at) end
  if sub(text, at, at + #word[1] - 1) ~= word[1] then bad(text, at, "expected a value") end
  return word[2], at + #word[1]
end

local function decode_text(text)
  local length, at = ulen(text)
  if not length then refuse(format("json.decode: invalid UTF-8: byte 0x%02x at position %d", byte(text, at), at)) end
  local value, after = decode_value(text, skip(text, 1), 0)
  after = skip(text, after)
  if after <= #text then bad(text, after, "expected the end") end
  return value
end

W.modules.json = {
  encode = function(value)
    local out = {}
    local _, err = outcome("INTERNAL", pcall(encode_value, value, out, 0, {}))
    if err then return nil, err end
    return concat(out), nil
  end,
  decode = function(text)
    if type(text) ~= "string" or text == "" then
      return nil, failure("INVALID", "json.decode takes a string that is not empty, got " .. (text == "" and "an empty one" or "a " .. type(text)))
    end
    return outcome("INTERNAL", pcall(decode_text, text))
  end,
}
