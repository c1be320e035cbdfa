-- Functions of `math` that programs for Wippy may use and Lua 5.4 has no longer. Out: W.more_math.

local W = ...
local exp, log, atan, abs = math.exp, math.log, math.atan, math.abs

local more = {}

function more.pow(x, y) return x ^ y end
function more.log10(x) return log(x, 10) end
function more.atan2(y, x) return atan(y, x) end

-- Near zero the difference of two exponentials has hardly any digits left, and the series has them all.
local SMALL = 0.5

local function series(x)
  local sum, term, n = x, x, 1
  while true do
    term = term * x * x / ((n + 1) * (n + 2))
    if sum + term == sum then return sum end
    sum, n = sum + term, n + 2
  end
end

-- Halved before it is squared, so that what a float can hold is not lost on the way.
function more.sinh(x)
  if abs(x) < SMALL then return series(x * 1.0) end
  local half = exp(abs(x) / 2)
  local value = half / 2 * half - 1 / (2 * half * half)
  return x < 0 and -value or value
end

function more.cosh(x)
  local half = exp(abs(x) / 2)
  return half / 2 * half + 1 / half / half / 2
end

function more.tanh(x)
  if abs(x) < SMALL then return more.sinh(x) / more.cosh(x) end
  local power = exp(-2 * abs(x))
  local value = (1 - power) / (1 + power)
  return x < 0 and -value or value
end

W.more_math = more
