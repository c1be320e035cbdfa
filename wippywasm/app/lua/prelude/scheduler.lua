-- The fibers of a call: its program, and what that started with coroutine.spawn.
--
-- In: functions to run. Out: W.next_fiber, the next one that can go on; W.park and W.wake; W.stuck, what is to be said
-- where none ever can.
--
-- Fibers take turns in the order in which they could go on. One that waits for a request of its own to the host is woken
-- by the answer; one that waits for others is parked: `fiber.why` says for what, `fiber.on` at which channel or channels.
-- A source is what wakes from outside: a timer, a call of funcs.async. It has a handler for its event and `can_wake`.

local W = ...
local type, error, next, ipairs = type, error, next, ipairs
local pack, unpack, concat, sort = table.pack, table.unpack, table.concat, table.sort
local raw, HOST, COUNT = W.raw, W.HOST, W.COUNT
local running, isyieldable, yield, close, getinfo = raw.running, raw.isyieldable, raw.yield, raw.close, raw.getinfo

local PARK = {} -- what a fiber yields that waits for others
local fibers, sources -- by number
local ready, first, last -- fibers that can go on
local made, count, on_request -- how many there were, are, and wait for the host
local pumps -- fibers of this runtime that feed a channel → that channel; none keeps a call from being stuck
local asked -- the fiber whose request is being served; it goes on before the others where it is answered at once

function W.begin_fibers()
  fibers, sources, ready, pumps = {}, {}, {}, {}
  first, last, made, count, on_request = 1, 0, 0, 0, 0
end

W.begin_fibers()

local function push(fiber, ...)
  fiber.values, last = pack(...), last + 1
  ready[last] = fiber
end

local function new(f)
  made, count = made + 1, count + 1
  local fiber = { number = made, co = W.new_fiber(f) }
  fibers[made] = fiber
  return fiber
end

-- The fiber of a call: number 1, which waits for its arguments.
function W.start_main(f)
  W.begin_fibers()
  W.begin_call()
  W.main_fiber = new(f)
  W.main = W.main_fiber.co
  on_request = 1
end

-- Where in the program the caller of a function of this runtime stands.
local function place(level)
  local info = getinfo(level + 1, "Sl")
  return info and info.currentline > 0 and info.short_src .. ":" .. info.currentline or "?"
end

function W.base.coroutine.spawn(f)
  if type(f) ~= "function" then error("bad argument #1 to 'spawn' (function expected, got " .. type(f) .. ")", 2) end
  W.charge(COUNT)
  local fiber = new(f)
  fiber.place = place(2)
  push(fiber)
  return fiber.co
end

-- Starts a fiber of this runtime's own that feeds `channel` from outside.
function W.spawn_pump(channel, f)
  W.charge(COUNT)
  local fiber = new(f)
  fiber.place, pumps[fiber] = "?", channel
  push(fiber)
end

-- Who is next, and out of the queue; nil where everyone waits.
function W.next_fiber()
  if first > last then return nil end
  local fiber = ready[first]
  ready[first], first = nil, first + 1
  W.running = fiber
  return fiber
end

-- The running fiber waits until W.wake, in the list `waiting` where there is one; gives what W.wake was called with.
function W.park(what, why, on, waiting)
  if not isyieldable() then
    error(what .. " can't wait here: a callback of sort or gsub, or an iterator of one, can't be suspended", 0)
  end
  W.charge(COUNT // 10)
  local fiber = W.running
  fiber.why, fiber.on = why, on
  if waiting then waiting[#waiting + 1] = fiber end
  return yield(HOST, PARK)
end

function W.wake(fiber, ...)
  fiber.why, fiber.on = nil, nil
  push(fiber, ...)
end

function W.requested(fiber)
  asked, fiber.asks = fiber, true
  if not pumps[fiber] then on_request = on_request + 1 end
end

-- The running fiber goes on after the others that can, and after whatever else waits for this thread.
function W.breathe()
  if not isyieldable() then return end
  push(W.running)
  W.wants_breath = true
  yield(HOST, PARK)
end

-- What came from outside: for a fiber (its answer), or for a source, whose number is negative here.
local function route(target, ...)
  if target < 0 then
    local source = sources[-target]
    if not source then return end
    W.spend(COUNT)
    return source:handle(...)
  end
  local fiber = fibers[target]
  fiber.asks = nil
  if not pumps[fiber] then on_request = on_request - 1 end
  if fiber ~= asked then return push(fiber, ...) end
  fiber.values, first = pack(...), first - 1
  ready[first] = fiber
end

function W.route_all(messages)
  for _, message in ipairs(messages) do route(unpack(message, 1, message.n)) end
  asked = nil
end

function W.ended(fiber)
  fibers[fiber.number], pumps[fiber], count = nil, nil, count - 1
end

function W.is_alone() return count == 1 end

function W.is_live(fiber) return fibers[fiber.number] == fiber end

-- Ends all fibers, the youngest first: their to-be-closed variables are closed, unless a limit was reached.
function W.end_fibers()
  local numbers = {}
  for number in next, fibers do numbers[#numbers + 1] = number end
  sort(numbers, function(a, b) return a > b end)
  for _, number in ipairs(numbers) do
    W.running = fibers[number]
    if W.unhook then W.unhook(fibers[number]) end
    if not (W.dead or fibers[number].is_broken) then close(fibers[number].co) end
  end
  W.begin_fibers()
end

function W.add_source(number, source)
  sources[number] = source
  return source
end

function W.remove_source(number) sources[number] = nil end
function W.has_source(number, source) return sources[number] == source end

-- deadlocks ------------------------------------------------------------------------------------------------------

local function can_wake()
  if on_request > 0 then return true end
  for _, source in next, sources do
    if source:can_wake() then return true end
  end
  for fiber, channel in next, pumps do
    if fiber.asks and channel.receivers.first then return true end
  end
  return false
end

local MAX_NAMED = 20

local function describe(fiber)
  local frame = W.frames(fiber.co, 0)[1]
  local who = fiber.number == 1 and "the call" or "the coroutine spawned at " .. fiber.place
  local at = frame and " at " .. frame.source .. ":" .. frame.line or ""
  local on = type(fiber.on) == "function" and fiber.on() or fiber.on
  return who .. " waits" .. at .. " to " .. fiber.why .. (on and " " .. on or "")
end

-- Nil, or what there is to say of fibers none of which can ever go on.
function W.stuck()
  if can_wake() then return nil end
  local lines, waiting = {}, count
  for _ in next, pumps do waiting = waiting - 1 end
  for number = 1, made do
    local fiber = not pumps[fibers[number]] and fibers[number]
    if fiber and #lines == MAX_NAMED then
      lines[#lines + 1] = "… and " .. (waiting - MAX_NAMED) .. " more"
      break
    end
    if fiber then lines[#lines + 1] = describe(fiber) end
  end
  return "deadlock: " .. (waiting == 1 and "" or "all " .. waiting .. " coroutines wait, and nothing can wake them: ") .. concat(lines, "; ")
end

W.PARK, W.place = PARK, place
