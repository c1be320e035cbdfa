-- Layouts of times: the reference time "Mon Jan 2 15:04:05 MST 2006", written as the output is to look.
--
-- Out: W.split_layout (text → what is in it), W.format_time (the facts of a moment → text).

local W = ...
local sub, byte, find, match, format, rep, gsub, concat = string.sub, string.byte, string.find, string.match, string.format, string.rep, string.gsub, table.concat
local ipairs, setmetatable = ipairs, setmetatable
local calendar = W.calendar

-- What stands for something, by its first character; the longer of two comes first.
local ELEMENTS = {
  J = { "January", "Jan" }, M = { "Monday", "Mon", "MST" },
  ["0"] = { "002", "01", "02", "03", "04", "05", "06" }, ["1"] = { "15", "1" }, ["2"] = { "2006", "2" },
  ["3"] = { "3" }, ["4"] = { "4" }, ["5"] = { "5" }, P = { "PM" }, p = { "pm" }, _ = { "__2", "_2" },
  ["-"] = { "-070000", "-07:00:00", "-0700", "-07:00", "-07" },
  Z = { "Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07" },
}

local function is_word_cut_short(element, layout, at)
  return (element == "Jan" or element == "Mon") and find(layout, "^%l", at + 3) ~= nil
end

-- The element that starts at a place, or nil.
local function element_at(layout, at)
  local char = sub(layout, at, at)
  if char == "." or char == "," then
    local digits = match(layout, "^0+", at + 1) or match(layout, "^9+", at + 1)
    return digits and not find(layout, "^%d", at + 1 + #digits) and char .. digits or nil
  end
  if char == "_" and sub(layout, at, at + 4) == "_2006" then return nil end
  for _, element in ipairs(ELEMENTS[char] or {}) do
    if sub(layout, at, at + #element - 1) == element and not is_word_cut_short(element, layout, at) then return element end
  end
end

local kept, how_many = {}, 0

local function split(layout)
  local parts, literal, at = {}, 1, 1
  while at <= #layout do
    local element = element_at(layout, at)
    if element then
      if literal < at then parts[#parts + 1] = { literal = sub(layout, literal, at - 1) } end
      parts[#parts + 1] = { element = element }
      at = at + #element
      literal = at
    else
      at = at + 1
    end
  end
  if literal <= #layout then parts[#parts + 1] = { literal = sub(layout, literal) } end
  return parts
end

-- The parts of a layout, in order: {literal =} or {element =}.
function W.split_layout(layout)
  local parts = kept[layout]
  if not parts then
    parts = split(layout)
    if how_many >= 64 then kept, how_many = {}, 0 end
    if #layout <= 200 then kept[layout], how_many = parts, how_many + 1 end
  end
  return parts
end

local function padded(width) return function(n) return format("%0" .. width .. "d", n) end end
local two = padded(2)

local function year(n)
  return n < 0 and "-" .. format("%04d", -n) or format("%04d", n)
end

local function zone(style, offset)
  if sub(style, 1, 1) == "Z" and offset == 0 then return "Z" end
  local ahead = offset < 0 and -offset or offset
  local hours, minutes, seconds = calendar.clock(ahead)
  local text = (offset < 0 and "-" or "+") .. two(hours)
  local colon = find(style, ":", 1, true) and ":" or ""
  local length = #gsub(sub(style, 2), ":", "")
  if length >= 4 then text = text .. colon .. two(minutes) end
  if length == 6 then text = text .. colon .. two(seconds) end
  return text
end

local function fraction(element, ns)
  local digits = sub(format("%09d", ns), 1, #element - 1) .. rep("0", #element - 10)
  if sub(element, 2, 2) == "0" then return sub(element, 1, 1) .. digits end
  digits = match(digits, "^(.-)0*$")
  return digits == "" and "" or sub(element, 1, 1) .. digits
end

local function hour12(t) return (t.hour + 11) % 12 + 1 end

local WRITE = {
  January = function(t) return calendar.months[t.month] end,
  Jan = function(t) return sub(calendar.months[t.month], 1, 3) end,
  Monday = function(t) return calendar.weekdays[t.weekday] end,
  Mon = function(t) return sub(calendar.weekdays[t.weekday], 1, 3) end,
  MST = function(t) return t.zone ~= "" and t.zone or zone(t.offset % 3600 == 0 and "-07" or "-0700", t.offset) end,
  ["01"] = function(t) return two(t.month) end,
  ["1"] = function(t) return t.month .. "" end,
  ["02"] = function(t) return two(t.day) end,
  ["2"] = function(t) return t.day .. "" end,
  _2 = function(t) return format("%2d", t.day) end,
  __2 = function(t) return format("%3d", t.year_day) end,
  ["002"] = function(t) return format("%03d", t.year_day) end,
  ["15"] = function(t) return two(t.hour) end,
  ["03"] = function(t) return two(hour12(t)) end,
  ["3"] = function(t) return hour12(t) .. "" end,
  ["04"] = function(t) return two(t.minute) end,
  ["4"] = function(t) return t.minute .. "" end,
  ["05"] = function(t) return two(t.second) end,
  ["5"] = function(t) return t.second .. "" end,
  ["2006"] = function(t) return year(t.year) end,
  ["06"] = function(t) return two(t.year % 100) end,
  PM = function(t) return t.hour >= 12 and "PM" or "AM" end,
  pm = function(t) return t.hour >= 12 and "pm" or "am" end,
}
setmetatable(WRITE, {
  __index = function(_, element)
    local first = byte(element)
    if first == 45 or first == 90 then return function(t) return zone(element, t.offset) end end -- "-" and "Z"
    return function(t) return fraction(element, t.nanosecond) end
  end,
})

-- `t` has year, month, day, weekday, year_day, hour, minute, second, nanosecond, offset, zone.
function W.format_time(t, layout)
  W.charge(#layout)
  local out = {}
  for i, part in ipairs(W.split_layout(layout)) do out[i] = part.literal or WRITE[part.element](t) end
  return concat(out)
end
