-- The part of the sandbox that a program can't get around: its budget, and everything that could swallow an error.
--
-- In: the limits, in W.limits. Out, in W: `raw` (the library as it was), `base` (the functions that guard the budget),
-- `ask` (a request to the host), `charge`, `new_fiber` and `begin_slice`.
--
-- A fiber is a coroutine that the scheduler resumes, and it alone. A coroutine of the program's own that waits for the
-- scheduler is `away`: only the answer may resume it.
--
-- A count hook watches every coroutine. When the budget is spent it raises KILL; pcall, xpcall and resume raise it
-- again, so a program can hold it up no longer than one call of a library function takes.

local W = ...
local debug, coroutine, os = debug, coroutine, os
local raw_pcall, raw_error, raw_setmetatable = pcall, error, setmetatable
local type, rawget, select = type, rawget, select
local sethook, clock, time = debug.sethook, os.clock, os.time
local raw_create, raw_resume, raw_yield = coroutine.create, coroutine.resume, coroutine.yield
local raw_close, raw_running, raw_isyieldable = coroutine.close, coroutine.running, coroutine.isyieldable
local raw_status, find = coroutine.status, string.find

local COUNT = 1000 -- instructions between two looks at the budget
local LOOKS = 256 -- looks at the budget between two questions whether the host wants an end
local HOST = {} -- what a coroutine yields first when it speaks to the host
local KILL = raw_setmetatable({}, { __tostring = function() return "limit reached" end, __metatable = false })

local budget, busy_seconds = W.limits.instructions, W.limits.busy_seconds
local slice_time, slice_clock = 0, nil
local interrupted, looks = W.interrupted, 0 -- a function of the host's, where the program runs in a thread
local fibers = raw_setmetatable({}, { __mode = "k" }) -- coroutine → true
local away = raw_setmetatable({}, { __mode = "k" }) -- coroutine → true while it waits for the scheduler
local tick

-- A coroutine that an error left from within the hook has no hooks any more: what its to-be-closed variables would run,
-- nothing could end. Where the stack overflowed, that may have been in the hook.
local broken = raw_setmetatable({}, { __mode = "k" })

local function is_overflow(err)
  return type(err) == "string" and find(err, "stack overflow", 1, true) ~= nil
end

local function die(reason)
  W.dead = W.dead or reason
  sethook(tick, "", 1) -- whatever still runs while the stack unwinds ends at its first instruction
  raw_error(KILL, 0)
end

local function charge(cost)
  budget = budget - cost
  if budget < 0 then die("instructions") end
end

-- Late is what both clocks call late: the processor's counts other threads too, the wall's counts waiting for one. The
-- first is slow to read, so it starts when the second has moved.
local function late()
  local passed = time() - slice_time
  if passed < 1 then return false end
  slice_clock = slice_clock or clock()
  return passed > busy_seconds and clock() - slice_clock > busy_seconds - 1
end

-- The host is asked seldom: an answer may have to wait for other threads.
local function is_interrupted()
  looks = looks + 1
  return looks % LOOKS == 0 and interrupted()
end

function tick()
  if W.dead then die() end
  if interrupted and is_interrupted() then die("interrupted") end
  charge(COUNT)
  if late() then die("time") end
end

-- An error costs as much as a look at the budget: where the stack is full a hook fails before it can look, and the error
-- of that must not be a way to go on for nothing.
local function settle(ok, value, ...)
  if ok then return true, value, ... end
  tick()
  return false, type(value) == "string" and W.blame(value) or value, ...
end

-- A handler runs after its error is caught, not where it is raised: that may be in the hook, where no other hook runs.
local function handle(handler, ok, ...)
  if ok then return true, ... end
  tick()
  return false, select(2, settle(raw_pcall(handler, ...)))
end

-- A coroutine under the budget; a short one that never reaches a look at it pays in advance.
local function spawn(f)
  if type(f) ~= "function" then raw_error("bad argument #1 (function expected)", 3) end
  charge(COUNT)
  local co = raw_create(f)
  sethook(co, tick, "", COUNT)
  return co
end

-- What a coroutine asks of the host travels through whoever resumed it, unseen.
local function pass(co, ok, tag, ...)
  if not ok then
    broken[co] = is_overflow(tag) or nil
    tick()
  end
  if ok and tag == HOST then
    away[co] = true
    return pass(co, raw_resume(co, raw_yield(HOST, ...)))
  end
  away[co] = nil
  return ok, tag, ...
end

local BUSY = "cannot resume non-suspended coroutine"

local function resume(co, ...)
  if fibers[co] or away[co] then return false, BUSY end
  return pass(co, raw_resume(co, ...))
end

local function unwrap(co, ok, ...)
  if ok then return ... end
  if not broken[co] then raw_close(co) end
  raw_error((...), 0)
end

W.anchors = { "debug", "traceback" } -- lupa looks these up where no error may be raised, so they must not be collected

local base = {}

function base.pcall(f, ...)
  return settle(raw_pcall(f, ...))
end

function base.xpcall(f, handler, ...)
  return handle(handler, raw_pcall(f, ...))
end

-- Finalizers run where no hook does, so a sandbox has none.
function base.setmetatable(t, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    raw_error("a sandbox has no finalizers: remove __gc, or use a to-be-closed variable", 2)
  end
  return raw_setmetatable(t, metatable)
end

base.coroutine = {
  create = spawn,
  resume = function(co, ...)
    if type(co) ~= "thread" then raw_error("bad argument #1 to 'resume' (coroutine expected)", 2) end
    return resume(co, ...)
  end,
  wrap = function(f)
    local co = spawn(f)
    return function(...)
      if away[co] then raw_error(BUSY, 2) end
      return unwrap(co, resume(co, ...))
    end
  end,
  yield = function(...)
    if fibers[raw_running()] then raw_error("attempt to yield from outside a coroutine", 2) end
    return raw_yield(...)
  end,
  isyieldable = function(co)
    co = co or raw_running()
    return not fibers[co] and raw_isyieldable(co)
  end,
  running = function()
    local co = raw_running()
    return co, co == W.main
  end,
  close = function(co)
    if fibers[co] or away[co] then raw_error("cannot close a running coroutine", 2) end
    if broken[co] then return false, "stack overflow" end
    return settle(raw_close(co))
  end,
  status = function(co) return away[co] and "normal" or raw_status(co) end,
}

W.raw = {
  pcall = raw_pcall, error = raw_error, setmetatable = raw_setmetatable, getmetatable = debug.getmetatable,
  resume = raw_resume, close = raw_close, getinfo = debug.getinfo, running = raw_running, status = raw_status, yield = raw_yield,
  isyieldable = raw_isyieldable, load = load, clock = clock, time = time,
}
W.is_overflow = is_overflow
W.base, W.charge, W.settle, W.HOST, W.KILL, W.COUNT = base, charge, settle, HOST, KILL, COUNT
W.opaque = raw_setmetatable({}, { __mode = "k" }) -- objects of this runtime that stay where they are, with what they are called

-- Whether the running coroutine can wait.
W.can_wait = raw_isyieldable

-- A request to the host; returns its reply.
function W.ask(what, ...)
  if not raw_isyieldable() then
    raw_error(what .. " can't wait here: a callback of sort or gsub, or an iterator of one, can't be suspended", 0)
  end
  return raw_yield(HOST, ...)
end

-- A coroutine for the scheduler.
function W.new_fiber(f)
  local co = raw_create(f)
  fibers[co] = true
  sethook(co, tick, "", COUNT)
  return co
end

-- A full budget for a new call.
function W.begin_call() budget = W.limits.instructions end

-- Charges for work that is done where no error may be raised.
function W.spend(cost)
  budget = budget - cost
  if budget < 0 then W.dead = W.dead or "instructions" end
end

-- The same clock for each run between two waits.
function W.begin_slice()
  slice_time, slice_clock = time(), nil
  if W.limits.renews then W.begin_call() end
end

-- Runs a guest's function where the budget holds although no call is under way.
function W.guarded(f, ...)
  local co = raw_create(f)
  budget = COUNT * 100
  sethook(co, tick, "", COUNT)
  return raw_resume(co, ...)
end
