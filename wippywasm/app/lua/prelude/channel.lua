-- The global `channel`: as Go's channels, between the coroutines of one program.
--
-- Out: W.channel (the global), W.new_channel; W.offer, W.feed and W.drain for what feeds a channel from outside.
--
-- Who waits stands in a queue of the channel, first come first served; one that waits in a select stands in several, and
-- leaves the others when one is served. What a channel has is kept apart from it, where a program can't change it.

local W = ...
local type, error, rawlen, rawget, setmetatable, tostring, ipairs = type, error, rawlen, rawget, setmetatable, tostring, ipairs
local mtype, tointeger, concat = math.type, math.tointeger, table.concat
local park, wake, opaque = W.park, W.wake, W.opaque
local MAX_CAPACITY = 1 << 31

local channels = setmetatable({}, { __mode = "k" }) -- object → {receivers, senders, buffer, head, size, capacity, closed}
local cases = setmetatable({}, { __mode = "k" }) -- object → {channel, is_send, value}

-- queues of who waits --------------------------------------------------------------------------------------------

local function enqueue(queue, waiter)
  waiter.queue, waiter.before = queue, queue.last
  if queue.last then queue.last.after = waiter else queue.first = waiter end
  queue.last = waiter
end

local function remove(waiter)
  local queue, before, after = waiter.queue, waiter.before, waiter.after
  if before then before.after = after else queue.first = after end
  if after then after.before = before else queue.last = before end
  waiter.before, waiter.after = nil, nil
end

-- Takes a waiter out of every queue it stands in.
local function leave(waiter)
  if not waiter.together then return remove(waiter) end
  for _, other in ipairs(waiter.together) do remove(other) end
end

-- Serves a waiter: a receiver gets a value, a sender learns that its own was taken.
local function serve(waiter, value, ok)
  leave(waiter)
  waiter.fiber.waiter = nil
  wake(waiter.fiber, waiter, value, ok)
end

-- A fiber that is ended waits no more.
function W.unhook(fiber)
  if fiber.waiter then leave(fiber.waiter) end
end

-- operations -----------------------------------------------------------------------------------------------------

local function is_ready(case)
  local channel = case.channel
  if case.is_send then return channel.closed or channel.receivers.first or channel.size < channel.capacity end
  return channel.size > 0 or channel.senders.first or channel.closed
end

local function put(channel, value)
  channel.buffer[channel.head + channel.size], channel.size = value, channel.size + 1
end

-- Sends where nobody has to wait; tells whether it could.
local function try_send(channel, value)
  local receiver = channel.receivers.first
  if receiver then
    serve(receiver, value, true)
  elseif channel.size < channel.capacity then
    put(channel, value)
  else
    return false
  end
  return true
end

-- Receives where nobody has to wait: whether it could, the value, whether there was one.
local function try_receive(channel)
  local sender = channel.senders.first
  if channel.size > 0 then
    local value = channel.buffer[channel.head]
    channel.buffer[channel.head], channel.head, channel.size = nil, channel.head + 1, channel.size - 1
    if sender then
      put(channel, sender.value)
      serve(sender, sender.value, true)
    end
    return true, value, true
  elseif sender then
    serve(sender, sender.value, true)
    return true, sender.value, true
  end
  return channel.closed, nil, false
end

local function describe(channel)
  return channel.name or "the channel made at " .. channel.place
end

-- Waits in the queue of one channel, or of each of a select; gives the waiter that was served, and with what.
local function wait(what, why, waiter)
  W.running.waiter = waiter
  return park(what, why, function()
    local names = {}
    for i, other in ipairs(waiter.together or { waiter }) do names[i] = describe(other.channel) end
    return concat(names, ", ")
  end)
end

local function send(channel, value, level)
  if channel.closed then error("send on closed channel", level + 1) end
  if try_send(channel, value) then return end
  if not W.can_wait() then return park("channel:send") end
  local waiter = { fiber = W.running, channel = channel, value = value }
  enqueue(channel.senders, waiter)
  local _, _, ok = wait("channel:send", "send to", waiter)
  if not ok then error("send on closed channel", level + 1) end
end

local function receive(channel)
  local done, value, ok = try_receive(channel)
  if done then return value, ok end
  if not W.can_wait() then return park("channel:receive") end
  local waiter = { fiber = W.running, channel = channel }
  enqueue(channel.receivers, waiter)
  local _, got, is_value = wait("channel:receive", "receive from", waiter)
  return got, is_value
end

-- select ---------------------------------------------------------------------------------------------------------

local state = 0x2545F4914F6CDD1D

local function random(n)
  state = state * 6364136223846793005 + 1442695040888963407
  return (state >> 33) % n
end

-- One of the cases that are ready, each as likely as the others; nil where none is.
local function choose(list)
  local chosen, found = nil, 0
  for i = 1, #list do
    if is_ready(list[i]) then
      found = found + 1
      if found == 1 or random(found) == 0 then chosen = list[i] end
    end
  end
  return chosen
end

local function result(case, value, ok)
  return { channel = case.channel.object, value = value, ok = ok }
end

local function run(case, level)
  if case.is_send then
    if case.channel.closed then error("send on closed channel", level + 1) end
    try_send(case.channel, case.value)
    return result(case, case.value, true)
  end
  local _, value, ok = try_receive(case.channel)
  return result(case, value, ok)
end

local function wait_for_one(list, level)
  if not W.can_wait() then return park("channel.select") end
  local together, fiber = {}, W.running
  for i = 1, #list do
    local case = list[i]
    together[i] = { fiber = fiber, channel = case.channel, value = case.value, case = case, together = together }
    enqueue(case.is_send and case.channel.senders or case.channel.receivers, together[i])
  end
  local why = #list == 0 and "select from no case at all" or "select from"
  local served, value, ok = wait("channel.select", why, together[1] or { together = together })
  if served.case.is_send and not ok then error("send on closed channel", level + 1) end
  return result(served.case, value, ok)
end

local function read_cases(given, level)
  if type(given) ~= "table" then error("channel.select takes a table of cases, got " .. type(given), level + 1) end
  local list = {}
  for i = 1, rawlen(given) do
    local item = rawget(given, i)
    list[i] = item ~= nil and cases[item]
    if not list[i] then
      error("channel.select: case " .. i .. " is a " .. (opaque[item] or type(item)) .. ": make cases with case_receive and case_send", level + 1)
    end
  end
  W.charge(#list)
  return list
end

local polls = 0

-- Who looks again and again without waiting lets others run now and then, the host above all.
local function look_around()
  polls = polls + 1
  if polls % 16 == 0 then W.breathe() end
end

local function select(given)
  local list = read_cases(given, 2)
  local case = choose(list)
  if case then return run(case, 1) end
  if not rawget(given, "default") then return wait_for_one(list, 1) end
  look_around()
  return { default = true, ok = true }
end

-- objects --------------------------------------------------------------------------------------------------------

local methods = {}

local function check(object)
  return channels[object] or error("bad argument (channel expected; call its methods with ':')", 3)
end

function methods.send(object, value)
  send(check(object), value, 2)
  return true
end

-- A channel that is fed from outside asks for nothing before somebody wants it.
local function wanted(object)
  local channel = check(object)
  if channel.start then channel.start() end
  return channel
end

function methods.receive(object) return receive(wanted(object)) end

function methods.close(object) W.close_channel(check(object)) end

local case_metatable = { __name = "case", __metatable = false }

local function new_case(case)
  local object = setmetatable({}, case_metatable)
  cases[object], opaque[object] = case, "select case"
  return object
end

function methods.case_send(object, value) return new_case({ channel = check(object), is_send = true, value = value }) end
function methods.case_receive(object) return new_case({ channel = wanted(object) }) end

local metatable = {
  __name = "channel", __metatable = false,
  __index = function(_, name)
    return methods[name] or error("a channel has no '" .. tostring(name) .. "'; it has send, receive, close, case_send, case_receive", 2)
  end,
  __newindex = function() error("a channel can't be changed; send values to it", 2) end,
}

-- A channel; `name` is what a report of a deadlock calls it.
function W.new_channel(capacity, name, place)
  local object = setmetatable({}, metatable)
  local channel = {
    object = object, name = name, place = place, receivers = {}, senders = {}, buffer = {}, head = 1, size = 0, capacity = capacity,
  }
  channels[object], opaque[object] = channel, "channel"
  return channel
end

function W.close_channel(channel)
  if channel.closed then return end
  channel.closed = true
  while channel.senders.first do serve(channel.senders.first, nil, false) end
  while channel.receivers.first do serve(channel.receivers.first, nil, false) end
end

-- Sends what comes from outside, where there is room for it.
W.offer = try_send

-- Sends what comes from outside, and waits where there is no room; false where the channel is closed.
function W.feed(channel, value)
  if channel.closed then return false end
  if try_send(channel, value) then return true end
  local waiter = { fiber = W.running, channel = channel, value = value }
  enqueue(channel.senders, waiter)
  local _, _, ok = wait("channel:send", "send to", waiter)
  return ok
end

-- Forgets what a channel holds.
function W.drain(channel) channel.buffer, channel.head, channel.size = {}, 1, 0 end

local channel = { select = select }

function channel.new(capacity)
  if capacity == nil then capacity = 0 end
  local whole = mtype(capacity) and tointeger(capacity)
  if not whole or whole < 0 or whole > MAX_CAPACITY then
    error("channel.new takes a size, a whole number that is not negative; got " .. tostring(capacity), 2)
  end
  return W.new_channel(whole, nil, W.place(2)).object
end

W.channel = channel
