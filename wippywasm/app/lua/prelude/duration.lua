-- Durations: nanoseconds, as numbers, texts ("1h30m") or objects.
--
-- Out: W.nanoseconds (whatever stands for a duration → an integer, or nil and an error object), W.new_duration.

local W = ...
local type, tostring, setmetatable, error = type, tostring, setmetatable, error
local mtype, tointeger, sub, match, format, floor = math.type, math.tointeger, string.sub, string.match, string.format, math.floor
local failure, opaque = W.failure, W.opaque

local UNITS = {
  ns = 1, us = 1000, ["µs"] = 1000, ["μs"] = 1000, ms = 1000000, s = 1000000000, m = 60000000000, h = 3600000000000,
}
local MAX, MIN, MAX_TEXT = math.maxinteger, math.mininteger, 100

local durations = setmetatable({}, { __mode = "k" })

local function invalid(message) return nil, failure("INVALID", message) end

local function is_too_long(amount) return amount >= 2.0 ^ 63 end

-- One part such as "1.5h": its nanoseconds and the rest of the text.
local function part(text)
  local whole, fraction, unit, rest = match(text, "^(%d*)%.?(%d*)([^%d%.%-+]+)(.*)$")
  if not whole or whole .. fraction == "" or not UNITS[unit] then return nil end
  local scale = UNITS[unit]
  local exact = whole == "" and 0 or tointeger(whole + 0)
  local beyond = fraction == "" and 0 or floor(fraction * (scale / 10.0 ^ #fraction))
  if not exact or is_too_long(exact * 1.0 * scale + beyond) then return nil end
  return exact * scale + beyond, rest
end

local function parse(text)
  local sign, rest = match(text, "^([-+]?)(.*)$")
  if rest == "0" then return 0 end
  if #text > MAX_TEXT then rest = "" end
  local total = 0
  while true do
    local amount
    amount, rest = part(rest)
    if not amount or total > MAX - amount then
      return invalid("'" .. sub(text, 1, 60) .. "' is no duration; write it as in '1h30m', '1.5s', '200ms' (units h, m, s, ms, us, ns)")
    end
    total = total + amount
    if rest == "" then return sign == "-" and -total or total end
  end
end

function W.nanoseconds(value)
  if durations[value] then return durations[value] end
  local kind = mtype(value)
  if kind == "integer" then return value end
  if kind == "float" then
    if value ~= value or is_too_long(value < 0 and -value or value) then
      return invalid("a duration can't be " .. tostring(value) .. " nanoseconds")
    end
    return tointeger(value < 0 and -floor(-value) or floor(value))
  end
  if type(value) == "string" then return parse(value) end
  return invalid("a duration is a number of nanoseconds, a text such as '1h30m' or a Duration, got " .. (opaque[value] or type(value)))
end

local methods = {}

local function check(duration)
  return durations[duration] or error("bad argument (Duration expected; call its methods with ':')", 3)
end

-- Towards zero, as integers of Go are divided.
local function divide(ns, by)
  return ns < 0 and -(-ns // by) or ns // by
end

function methods.nanoseconds(duration) return check(duration) end
function methods.microseconds(duration) return divide(check(duration), 1000) end
function methods.milliseconds(duration) return divide(check(duration), 1000000) end
function methods.seconds(duration) return check(duration) / 1000000000 end
function methods.minutes(duration) return check(duration) / 60000000000 end
function methods.hours(duration) return check(duration) / 3600000000000 end

-- A number of a unit with its fraction, without zeros at its end.
local function fraction(ns, unit)
  local text = format("%d.%0" .. #tostring(unit) - 1 .. "d", ns // unit, ns % unit)
  return match(text, "^(.-)%.?0*$")
end

local function shown(ns)
  if ns == 0 then return "0s" end
  if ns == MIN then return "-2562047h47m16.854775808s" end
  if ns < 0 then return "-" .. shown(-ns) end
  if ns < 1000 then return ns .. "ns" end
  if ns < 1000000 then return fraction(ns, 1000) .. "µs" end
  if ns < 1000000000 then return fraction(ns, 1000000) .. "ms" end
  local seconds = fraction(ns % 60000000000, 1000000000) .. "s"
  local minutes = ns // 60000000000
  if minutes == 0 then return seconds end
  if minutes < 60 then return minutes .. "m" .. seconds end
  return minutes // 60 .. "h" .. minutes % 60 .. "m" .. seconds
end

local metatable = {
  __name = "Duration", __metatable = false,
  __index = methods,
  __tostring = function(duration) return shown(check(duration)) end,
  __eq = function(a, b) return check(a) == check(b) end,
  __lt = function(a, b) return check(a) < check(b) end,
  __le = function(a, b) return check(a) <= check(b) end,
}

function W.new_duration(ns)
  local duration = setmetatable({}, metatable)
  durations[duration], opaque[duration] = ns, "Duration"
  return duration
end

-- The nanoseconds of a Duration, nil of anything else.
function W.duration_of(value) return durations[value] end
