-- The calendar: days since 1970 and what they are called. The Gregorian calendar holds for all time, as in Go.
--
-- Out: W.calendar: days, civil (year, month, day), weekday, year_day, clock.

local W = ...

local calendar = {}

-- Days since 1970-01-01 of a date; a month or day out of range counts on into the next.
function calendar.days(year, month, day)
  year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local of_era = year - era * 400
  local of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

function calendar.civil(days)
  days = days + 719468
  local era = days // 146097
  local of_era = days - era * 146097
  local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * year + year // 4 - year // 100)
  local month = (5 * of_year + 2) // 153
  local day = of_year - (153 * month + 2) // 5 + 1
  month = month + (month < 10 and 3 or -9)
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

-- 0 is Sunday.
function calendar.weekday(days) return (days + 4) % 7 end

function calendar.year_day(days)
  local year = calendar.civil(days)
  return days - calendar.days(year, 1, 1) + 1
end

-- Hour, minute, second of a number of seconds since midnight.
function calendar.clock(seconds) return seconds // 3600, seconds // 60 % 60, seconds % 60 end

function calendar.days_in(year, month) return calendar.days(year, month + 1, 1) - calendar.days(year, month, 1) end

calendar.months = {
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
}
calendar.weekdays = { [0] = "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }

W.calendar = calendar
