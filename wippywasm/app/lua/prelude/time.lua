-- The module `time`: moments, zones, and waiting.
--
-- A moment is seconds and nanoseconds since 1970 UTC, seen from a location. UTC and fixed zones are known here; what a
-- named zone has at a moment, and what time it is, the host is asked. A moment that time.now gave also has the reading of
-- a clock that never goes back, which `sub` goes by.

local W = ...
local type, error, setmetatable, tostring, pairs, select = type, error, setmetatable, tostring, pairs, select
local mtype, tointeger = math.type, math.tointeger
local ask, failure, opaque, calendar, class = W.ask, W.failure, W.opaque, W.calendar, W.class
local nanoseconds, new_duration, duration_of = W.nanoseconds, W.new_duration, W.duration_of
local SLEEP, TIMER, STOP, NOW, ZONE, STARTED = 9, 10, 11, 12, 13, 4
local SECOND, DAY = 1000000000, 86400
local MAX, MIN = math.maxinteger, math.mininteger
local ZERO = -62135596800 -- the seconds of the first moment of the year 1

local time = {}

local function integer(value, name, level)
  local whole = mtype(value) and tointeger(value)
  if not whole then error("bad argument '" .. name .. "' (a whole number expected, got " .. tostring(value) .. ")", level or 3) end
  return whole
end

local function text_of(value, name)
  if type(value) ~= "string" then error("bad argument '" .. name .. "' (string expected, got " .. type(value) .. ")", 3) end
  return value
end

-- locations ------------------------------------------------------------------------------------------------------

local location_methods, check_location, make_location, location_metatable = class("Location")

-- A location knows its own object: moments hand it out.
local function new_location(facts)
  facts.object = make_location(facts)
  return facts.object
end


-- Offset and abbreviation at a moment ("at") or where clocks show a time ("wall").
local function zone_at(location, kind, seconds)
  if location.offset then return location.offset, location.abbreviation end
  local reply, offset, abbreviation = ask("time", ZONE, kind .. " " .. location.zone, seconds)
  if reply == 0 then return offset, abbreviation end
  error("the host knows the zone '" .. location.zone .. "' no more", 0)
end

function location_methods.string(location) return check_location(location).name end
location_metatable.__tostring = location_methods.string

local utc = new_location({ name = "UTC", offset = 0, abbreviation = "UTC" })
local localtz = new_location({ name = "Local", zone = "" })
time.utc, time.localtz = utc, localtz

function time.fixed_zone(name, offset)
  text_of(name, "name")
  return new_location({ name = name, offset = integer(offset, "offset"), abbreviation = name })
end

function time.load_location(name)
  text_of(name, "name")
  if name == "" then return nil, failure("INVALID", "the name of a location is empty") end
  if name == "UTC" then return utc, nil end
  if name == "Local" then return localtz, nil end
  local reply, number, ints, floats, bytes = ask("time.load_location", ZONE, "at " .. name, 0)
  if reply ~= 0 then return nil, (W.decode_values(1, ints, floats, bytes)) end
  return new_location({ name = name, zone = name }), nil
end

-- moments --------------------------------------------------------------------------------------------------------

local methods, check, new, metatable = class("Time")

local function moment(sec, nsec, location, mono)
  sec, nsec = sec + nsec // SECOND, nsec % SECOND
  local facts = { sec = sec, nsec = nsec, location = location, mono = mono }
  facts.offset, facts.zone = zone_at(location, "at", sec)
  return new(facts)
end

local function from_wall(days, seconds, nsec, location)
  seconds = days * DAY + seconds + nsec // SECOND
  return moment(seconds - (zone_at(location, "wall", seconds)), nsec % SECOND, location)
end

local function days_of(t) return (t.sec + t.offset) // DAY end
local function seconds_of(t) return (t.sec + t.offset) % DAY end

local UTC, LOCAL = check_location(utc), check_location(localtz)

function time.now()
  local _, sec, nsec, mono = ask("time.now", NOW, "", 0)
  return moment(sec, nsec, LOCAL, mono)
end

function time.unix(sec, nsec)
  return moment(integer(sec, "sec"), nsec == nil and 0 or integer(nsec, "nsec"), LOCAL)
end

function time.date(year, month, day, hour, minute, second, nanosecond, location)
  local days = calendar.days(integer(year, "year"), integer(month, "month"), integer(day, "day"))
  local function number(value, name) return value == nil and 0 or integer(value, name, 4) end
  local seconds = number(hour, "hour") * 3600 + number(minute, "minute") * 60 + number(second, "second")
  local where = location == nil and LOCAL or check_location(location)
  return from_wall(days, seconds, number(nanosecond, "nanosecond"), where)
end

-- The zone that a parsed text names: by its offset, or by an abbreviation that the location has then.
local function parsed_location(t, seconds, location)
  if t.offset then
    if t.offset == 0 and not t.zone then return UTC end
    return check_location(time.fixed_zone(t.zone or "", t.offset))
  end
  if not t.zone then return location end
  if t.zone == "UTC" then return UTC end
  local _, abbreviation = zone_at(location, "wall", seconds)
  if abbreviation == t.zone then return location end
  local hours = t.zone:match("^GMT([-+]%d+)$") or t.zone:match("^[-+]%d%d$")
  return check_location(time.fixed_zone(t.zone, hours and tointeger(hours + 0) * 3600 or 0))
end

function time.parse(layout, value, location)
  local where = location == nil and LOCAL or check_location(location)
  local t, why = W.parse_time(text_of(layout, "layout"), text_of(value, "value"))
  if not t then return nil, failure("INVALID", "time.parse: " .. why) end
  local days, seconds = calendar.days(t.year, t.month, t.day), t.hour * 3600 + t.minute * 60 + t.second
  return from_wall(days, seconds, t.nanosecond, parsed_location(t, days * DAY + seconds, where)), nil
end

local function moved(t, ns)
  return moment(t.sec + ns // SECOND, t.nsec + ns % SECOND, t.location, t.mono and t.mono + ns)
end

function methods.add(object, duration)
  local t, ns, err = check(object), nanoseconds(duration)
  if not ns then error(err, 2) end
  return moved(t, ns)
end

-- Nanoseconds between two moments; as near as 64 bits come where that is too far.
local function between(a, b)
  if a.mono and b.mono then return a.mono - b.mono end
  local seconds = a.sec - b.sec
  if seconds > MAX // SECOND - 1 then return MAX end
  if seconds < MIN // SECOND + 1 then return MIN end
  return seconds * SECOND + a.nsec - b.nsec
end

function methods.sub(object, other) return new_duration(between(check(object), check(other))) end

function methods.add_date(object, years, months, days)
  local t = check(object)
  local year, month, day = calendar.civil(days_of(t))
  local to = calendar.days(year + integer(years, "years"), month + integer(months, "months"), day + integer(days, "days"))
  return from_wall(to, seconds_of(t), t.nsec, t.location)
end

local function order(a, b)
  if a.sec ~= b.sec then return a.sec < b.sec and -1 or 1 end
  return a.nsec - b.nsec
end

function methods.before(object, other) return order(check(object), check(other)) < 0 end
function methods.after(object, other) return order(check(object), check(other)) > 0 end
function methods.equal(object, other) return order(check(object), check(other)) == 0 end
metatable.__eq, metatable.__lt = methods.equal, methods.before
function metatable.__le(a, b) return order(check(a), check(b)) <= 0 end

local function facts(t)
  local days = days_of(t)
  local year, month, day = calendar.civil(days)
  local hour, minute, second = calendar.clock(seconds_of(t))
  return {
    year = year, month = month, day = day, hour = hour, minute = minute, second = second, nanosecond = t.nsec,
    weekday = calendar.weekday(days), year_day = calendar.year_day(days), offset = t.offset, zone = t.zone,
  }
end

function methods.format(object, layout) return W.format_time(facts(check(object)), text_of(layout, "layout")) end
function methods.format_rfc3339(object) return W.format_time(facts(check(object)), time.RFC3339) end
function metatable.__tostring(object) return W.format_time(facts(check(object)), "2006-01-02 15:04:05.999999999 -0700 MST") end

function methods.unix(object) return check(object).sec end

function methods.unix_nano(object)
  local t = check(object)
  return t.sec * SECOND + t.nsec
end

function methods.date(object) return calendar.civil(days_of(check(object))) end
function methods.clock(object) return calendar.clock(seconds_of(check(object))) end
for _, name in pairs({ "year", "month", "day", "hour", "minute", "second", "nanosecond", "weekday", "year_day" }) do
  methods[name] = function(object) return facts(check(object))[name] end
end

function methods.is_zero(object)
  local t = check(object)
  return t.sec == ZERO and t.nsec == 0
end

function methods.location(object) return check(object).location.object end

local function seen_from(t, location) return moment(t.sec, t.nsec, location, t.mono) end

function methods.utc(object) return seen_from(check(object), UTC) end
function methods.in_local(object) return seen_from(check(object), LOCAL) end
function methods.in_location(object, location) return seen_from(check(object), check_location(location)) end

-- What is left of the time since the year 1 after whole durations, without numbers beyond 64 bits.
local function remainder(t, ns)
  local seconds, left = t.sec - ZERO, 0
  local step = SECOND % ns
  while seconds > 0 do -- (seconds * SECOND) % ns, bit by bit
    if seconds & 1 == 1 then left = left >= ns - step and left - (ns - step) or left + step end
    step = step >= ns - step and step - (ns - step) or step + step
    seconds = seconds >> 1
  end
  local nsec = t.nsec % ns
  return left >= ns - nsec and left - (ns - nsec) or left + nsec
end

local function rounding(object, duration)
  local t = check(object, 4)
  local ns = duration_of(duration) or error("bad argument (Duration expected, as time.parse_duration gives)", 3)
  if ns <= 0 or t.sec < ZERO then return t, 0, ns end
  return t, remainder(t, ns), ns
end

local function plain(t, ns) return moment(t.sec + ns // SECOND, t.nsec + ns % SECOND, t.location) end

function methods.truncate(object, duration)
  local t, left = rounding(object, duration)
  return plain(t, -left)
end

function methods.round(object, duration)
  local t, left, ns = rounding(object, duration)
  return plain(t, left > 0 and left >= ns - left and ns - left or -left)
end

-- waiting --------------------------------------------------------------------------------------------------------

function time.parse_duration(value)
  local ns, err = nanoseconds(value)
  if not ns then return nil, err end
  return new_duration(ns), nil
end

function time.sleep(duration)
  local ns, err = nanoseconds(duration)
  if not ns then error(err, 2) end
  if ns <= 0 then return W.breathe() end
  ask("time.sleep", SLEEP, "", ns)
end

local source = {}
local source_metatable = { __index = source }

function source.can_wake(state) return state.channel.receivers.first end

function source.handle(state, _, sec, nsec, mono)
  if state.kind == "once" then W.remove_source(state.number) end
  W.offer(state.channel, new({ sec = sec, nsec = nsec, location = UTC, mono = mono, offset = 0, zone = "UTC" }))
end

local function positive(duration, what)
  local ns, err = nanoseconds(duration)
  if not ns then return nil, err end
  if ns <= 0 then return nil, failure("INVALID", what .. " takes a duration above zero") end
  return ns
end

-- Starts a timer that feeds `channel`; an error object where there are too many.
local function arm(state, ns)
  local reply, number, ints, floats, bytes = ask("time", TIMER, state.kind, ns)
  if reply ~= STARTED then return (W.decode_values(1, ints, floats, bytes)) end
  state.number = number
  W.add_source(number, state)
end

local function start(duration, what, kind)
  local ns, err = positive(duration, what)
  if not ns then return nil, err end
  local channel = W.new_channel(1, "the channel of the " .. what .. " made at " .. W.place(3))
  local state = setmetatable({ kind = kind, channel = channel }, source_metatable)
  err = arm(state, ns)
  if err then return nil, err end
  return state
end

-- Whether it was still to fire; what it sent and nobody took is forgotten.
local function disarm(state)
  if not state.number then return false end
  local _, was = ask("time", STOP, "", state.number)
  W.remove_source(state.number)
  state.number = nil
  W.drain(state.channel)
  return was == 1
end

function time.after(duration)
  local state, err = start(duration, "time.after", "once")
  if not state then return nil, err end
  return state.channel.object
end

local timer_methods, check_timer, new_timer = class("Timer")

function timer_methods.response(timer) return check_timer(timer).state.channel.object end
timer_methods.channel = timer_methods.response
function timer_methods.stop(timer) return disarm(check_timer(timer).state) end

function timer_methods.reset(timer, duration)
  local state = check_timer(timer).state
  local ns, err = positive(duration, "timer:reset")
  if not ns then error(err, 2) end
  local was = disarm(state)
  err = arm(state, ns)
  if err then error(err, 2) end
  return was
end

function time.timer(duration)
  local state, err = start(duration, "time.timer", "once")
  if not state then return nil, err end
  return new_timer({ state = state }), nil
end

local ticker_methods, check_ticker, new_ticker = class("Ticker")

function ticker_methods.response(ticker) return check_ticker(ticker).state.channel.object end
ticker_methods.channel = ticker_methods.response

-- Its channel is closed, so that nobody waits for a tick that can't come.
function ticker_methods.stop(ticker)
  local state = check_ticker(ticker).state
  local was = disarm(state)
  W.close_channel(state.channel)
  return was
end

function time.ticker(duration)
  local state, err = start(duration, "time.ticker", "tick")
  if not state then return nil, err end
  return new_ticker({ state = state }), nil
end

-- constants ------------------------------------------------------------------------------------------------------

for name, ns in pairs({
  NANOSECOND = 1, MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = SECOND, MINUTE = 60 * SECOND, HOUR = 3600 * SECOND,
}) do time[name] = ns end

for name, layout in pairs({
  RFC3339 = "2006-01-02T15:04:05Z07:00", RFC3339NANO = "2006-01-02T15:04:05.999999999Z07:00", RFC822 = "02 Jan 06 15:04 MST",
  RFC822Z = "02 Jan 06 15:04 -0700", RFC850 = "Monday, 02-Jan-06 15:04:05 MST", RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST",
  RFC1123Z = "Mon, 02 Jan 2006 15:04:05 -0700", KITCHEN = "3:04PM", STAMP = "Jan _2 15:04:05",
  STAMP_MILLI = "Jan _2 15:04:05.000", STAMP_MICRO = "Jan _2 15:04:05.000000", STAMP_NANO = "Jan _2 15:04:05.000000000",
  DATE_TIME = "2006-01-02 15:04:05", DATE_ONLY = "2006-01-02", TIME_ONLY = "15:04:05",
}) do time[name] = layout end

for number, name in pairs(calendar.months) do time[name:upper()] = number end
for number, name in pairs(calendar.weekdays) do time[name:upper()] = number end

W.modules.time = time
