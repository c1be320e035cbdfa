-- Texts to times, by a layout.
--
-- Out: W.parse_time: a layout and a text → {year, month, day, hour, minute, second, nanosecond, offset, zone}, or nil and
-- what is wrong. `offset` is nil where the text does not say one; `zone` is the abbreviation that stands for it.

local W = ...
local sub, match, lower, find, upper = string.sub, string.match, string.lower, string.find, string.upper
local tointeger, ipairs, pairs = math.tointeger, ipairs, pairs
local calendar = W.calendar
local MAX_TEXT = 2000

local function digits(pattern, field, low, high)
  return function(t, text)
    local found = match(text, pattern)
    local number = found and tointeger(found + 0)
    if not number then return nil end
    if number < low or number > high then return nil, field .. " out of range" end
    t[field] = number
    return #found
  end
end

local function names(list, field, length)
  return function(t, text)
    for number, name in pairs(list) do
      local wanted = sub(name, 1, length or #name)
      if lower(sub(text, 1, #wanted)) == lower(wanted) then
        t[field] = number
        return #wanted
      end
    end
  end
end

local function half(text)
  return function(t, given)
    local found = sub(given, 1, 2)
    if found ~= (text == "PM" and upper(found) or lower(found)) then return nil end
    if lower(found) ~= "am" and lower(found) ~= "pm" then return nil end
    t.is_afternoon = lower(found) == "pm"
    return 2
  end
end

-- Seconds may have a fraction that the layout does not show.
local function seconds(pattern)
  local read = digits(pattern, "second", 0, 59)
  return function(t, text, following)
    local length, why = read(t, text)
    if not length then return nil, why end
    local more = not (following and find(following, "^[.,]")) and match(text, "^[.,]%d+", length + 1)
    if not more then return length end
    t.nanosecond = tointeger(sub(sub(more, 2) .. "000000000", 1, 9) + 0)
    return length + #more
  end
end

local function abbreviation(t, text)
  local found = match(text, "^UTC") or match(text, "^GMT[-+]%d%d?") or match(text, "^%u%u%u%u?%u?") or match(text, "^[-+]%d%d%d?%d?")
  if not found then return nil end
  t.zone = found
  return #found
end

local READ = {
  January = names(calendar.months, "month"), Jan = names(calendar.months, "month", 3),
  Monday = names(calendar.weekdays, "weekday"), Mon = names(calendar.weekdays, "weekday", 3), MST = abbreviation,
  ["01"] = digits("^%d%d", "month", 1, 12), ["1"] = digits("^%d%d?", "month", 1, 12),
  ["02"] = digits("^%d%d", "day", 1, 31), ["2"] = digits("^%d%d?", "day", 1, 31), _2 = digits("^ ?%d%d?", "day", 1, 31),
  ["002"] = digits("^%d%d%d", "year_day", 1, 366), __2 = digits("^ ? ?%d%d?%d?", "year_day", 1, 366),
  ["15"] = digits("^%d%d?", "hour", 0, 23), ["03"] = digits("^%d%d", "hour", 1, 12), ["3"] = digits("^%d%d?", "hour", 1, 12),
  ["04"] = digits("^%d%d", "minute", 0, 59), ["4"] = digits("^%d%d?", "minute", 0, 59),
  ["05"] = seconds("^%d%d"), ["5"] = seconds("^%d%d?"),
  ["2006"] = digits("^%d%d%d%d", "year", 0, 9999), PM = half("PM"), pm = half("pm"),
}

READ["06"] = function(t, text)
  local found = match(text, "^%d%d")
  if not found then return nil end
  local number = tointeger(found + 0)
  t.year = number + (number >= 69 and 1900 or 2000)
  return 2
end

local OFFSETS = {
  ["07"] = "^([-+])(%d%d)", ["0700"] = "^([-+])(%d%d)(%d%d)", ["07:00"] = "^([-+])(%d%d):(%d%d)",
  ["070000"] = "^([-+])(%d%d)(%d%d)(%d%d)", ["07:00:00"] = "^([-+])(%d%d):(%d%d):(%d%d)",
}

local function offset(t, text, style)
  if sub(style, 1, 1) == "Z" and sub(text, 1, 1) == "Z" then
    t.offset = 0
    return 1
  end
  local sign, hours, minutes, secs = match(text, OFFSETS[sub(style, 2)])
  if not sign then return nil end
  local total = tointeger(hours * 3600 + (minutes or 0) * 60 + (secs or 0))
  if hours + 0 > 24 or (minutes or 0) + 0 >= 60 then return nil, "time zone offset out of range" end
  t.offset = sign == "-" and -total or total
  return #style
end

local function fraction(t, text, style)
  local wanted = #style - 1
  local found = match(text, "^[.,](%d+)")
  if sub(style, 2, 2) == "9" then
    if not found then return 0 end
  elseif not found or #found < wanted then
    return nil
  else
    found = sub(found, 1, wanted)
  end
  t.nanosecond = tointeger(sub(found .. "000000000", 1, 9) + 0)
  return 1 + #found
end

local function read(t, text, element, following)
  if READ[element] then return READ[element](t, text, following) end
  if find(element, "^[-Z]") then return offset(t, text, element) end
  return fraction(t, text, element)
end

local function check_day(t)
  if t.year_day then
    local days = calendar.days(t.year, 1, 1) + t.year_day - 1
    local year, month, day = calendar.civil(days)
    if year ~= t.year then return "day of year out of range" end
    t.month, t.day = month, day
  elseif t.day > calendar.days_in(t.year, t.month) then
    return "day out of range"
  end
end

local function check_hour(t)
  if t.is_afternoon and t.hour < 12 then t.hour = t.hour + 12 end
  if t.is_afternoon == false and t.hour == 12 then t.hour = 0 end
end

function W.parse_time(layout, text)
  if #layout + #text > MAX_TEXT then return nil, "the layout and the text are longer than " .. MAX_TEXT .. " bytes together" end
  local t = { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, nanosecond = 0 }
  local parts = W.split_layout(layout)
  for i, part in ipairs(parts) do
    if part.literal then
      if sub(text, 1, #part.literal) ~= part.literal then return nil, "'" .. sub(text, 1, 40) .. "' is not '" .. part.literal .. "'" end
      text = sub(text, #part.literal + 1)
    else
      local following = parts[i + 1] and (parts[i + 1].element or parts[i + 1].literal)
      local length, why = read(t, text, part.element, following)
      if not length then return nil, why or "'" .. sub(text, 1, 40) .. "' can't be read as '" .. part.element .. "'" end
      text = sub(text, length + 1)
    end
  end
  if text ~= "" then return nil, "'" .. sub(text, 1, 40) .. "' is left over" end
  check_hour(t)
  local why = check_day(t)
  if why then return nil, why end
  return t
end
