-- The global `process`: processes started, told, watched; and what this one is told.
--
-- The host keeps mailboxes. A channel of messages asks it for the next one when the program first receives from it, so
-- that everything a program listens to at its start is known before a message is taken out.

local W = ...
local type, select, error, setmetatable, tostring, rawget, next = type, select, error, setmetatable, tostring, rawget, next
local ulen = utf8.len
local call_host, failure, opaque = W.call_host, W.failure, W.opaque
local NONE, MONITOR, LINK, BOTH = 0, 1, 2, 3

local process = {}

-- arguments ------------------------------------------------------------------------------------------------------

local function refuse(what, name, expected, got)
  return failure("INVALID", "process." .. what .. ": " .. name .. " must be " .. expected .. ", got " .. (got == "" and "an empty text" or opaque[got] or type(got)))
end

-- The error object for the first of some named arguments that is no text, which has to be UTF-8.
local function not_text(what, ...)
  for i = 1, select("#", ...), 2 do
    local name, value = select(i, ...)
    if type(value) ~= "string" or value == "" then return refuse(what, name, "text", value) end
    if not ulen(value) then return failure("INVALID", "process." .. what .. ": " .. name .. " must be text in UTF-8, got other bytes") end
  end
end

-- who ------------------------------------------------------------------------------------------------------------

-- One value where it is there, so that it can stand last among the arguments of another call.
for _, name in next, { "id", "pid", "get_options" } do
  process[name] = function()
    local value, err = call_host("process." .. name)
    if err then return nil, err end
    return value
  end
end

function process.set_options(options)
  if type(options) ~= "table" then return false, refuse("set_options", "options", "a table", options) end
  local ok, err = call_host("process.set_options", options)
  return ok == true, err
end

-- others ---------------------------------------------------------------------------------------------------------

-- Spawns by `how` to be bound, with what a spawner declares, or nil.
local function spawn(what, how, declared, id, host, ...)
  local bad = not_text(what, "id", id, "host", host)
  if bad then return nil, bad end
  return call_host("process.spawn", how, declared, id, host, ...)
end

local function exec(declared, id, host, ...)
  local bad = not_text("exec", "id", id, "host", host)
  if bad then return nil, bad end
  return call_host("process.exec", declared, id, host, ...)
end

local BONDS = { spawn = NONE, spawn_monitored = MONITOR, spawn_linked = LINK, spawn_linked_monitored = BOTH }
for name, how in next, BONDS do
  process[name] = function(...) return spawn(name, how, nil, ...) end
end
function process.exec(...) return exec(nil, ...) end

function process.send(destination, topic, ...)
  local bad = not_text("send", "destination", destination, "topic", topic)
  if bad then return nil, bad end
  return call_host("process.send", destination, topic, ...)
end

for _, name in next, { "terminate", "monitor", "unmonitor", "link", "unlink" } do
  process[name] = function(destination)
    local bad = not_text(name, "destination", destination)
    if bad then return nil, bad end
    return call_host("process." .. name, destination)
  end
end

function process.cancel(destination, grace, reason)
  local bad = not_text("cancel", "destination", destination)
  if bad then return nil, bad end
  if type(grace) == "userdata" or opaque[grace] == "duration" then grace = tostring(grace) end
  return call_host("process.cancel", destination, grace, reason)
end

-- spawners: what a process is started with beyond its arguments -----------------------------------------------------

local spawners = setmetatable({}, { __mode = "k" }) -- object → what it declares
local spawner = {}
local spawner_metatable = {
  __name = "spawner", __metatable = false,
  __index = function(_, name)
    return spawner[name] or error("a spawner has no '" .. tostring(name) .. "'", 2)
  end,
}

local function declared_by(object)
  return spawners[object] or error("bad argument (spawner expected; call its methods with ':')", 3)
end

local function new_spawner(declared)
  local object = setmetatable({}, spawner_metatable)
  spawners[object], opaque[object] = declared, "spawner"
  return object
end

local function copy(t)
  local new = {}
  for key, value in next, t do new[key] = value end
  return new
end

-- A new spawner with one thing more.
local function with(object, key, value)
  local new = copy(declared_by(object))
  new[key] = value
  return new_spawner(new)
end

local function merged(object, key, values)
  if type(values) ~= "table" then error("bad argument (table expected, got " .. type(values) .. ")", 3) end
  local all = copy(declared_by(object)[key] or {})
  for name, value in next, values do all[name] = value end
  return with(object, key, all)
end

-- The same for an actor or a scope, where the host allows it.
local function with_identity(object, kind, identity)
  local known, refused = W.identities.facts(identity, kind, "with_" .. kind)
  if not known then return nil, refused end
  local ok, err = call_host("process.check_spawner", { [kind] = known })
  if not ok then return nil, err end
  return with(object, kind, known)
end

function spawner.with_actor(object, actor) return with_identity(object, "actor", actor) end
function spawner.with_scope(object, scope) return with_identity(object, "scope", scope) end
function spawner.with_context(object, values) return merged(object, "values", values) end
function spawner.with_options(object, options) return merged(object, "options", options) end

function spawner.with_name(object, name)
  if type(name) ~= "string" then error("bad argument (text expected, got " .. type(name) .. ")", 2) end
  if not ulen(name) then error("bad argument (text in UTF-8 expected, got other bytes)", 2) end
  return with(object, "name", name)
end

function spawner.with_message(object, topic, ...)
  if type(topic) ~= "string" then error("bad argument (text expected, got " .. type(topic) .. ")", 2) end
  if not ulen(topic) then error("bad argument (text in UTF-8 expected, got other bytes)", 2) end
  local messages = copy(declared_by(object).messages or {})
  messages[#messages + 1] = { topic = topic, values = { n = select("#", ...), ... } }
  return with(object, "messages", messages)
end

for name, how in next, BONDS do
  spawner[name] = function(object, ...) return spawn(name, how, declared_by(object), ...) end
end
function spawner.exec(object, ...) return exec(declared_by(object), ...) end

-- A spawner, where the host allows it.
local function first_spawner(declared)
  local ok, err = call_host("process.check_spawner", declared)
  if not ok then return nil, err end
  return new_spawner(declared)
end

function process.with_context(values)
  if type(values) ~= "table" then return nil, refuse("with_context", "values", "a table", values) end
  return first_spawner({ values = copy(values) })
end

function process.with_options(options)
  if type(options) ~= "table" then return nil, refuse("with_options", "options", "a table", options) end
  return first_spawner({ options = copy(options) })
end

-- messages -------------------------------------------------------------------------------------------------------

local messages = setmetatable({}, { __mode = "k" }) -- message or payload → {topic, from, payload}
local function of(object)
  return messages[object] or error("bad argument (message expected; call its methods with ':')", 3)
end

local payload = {}
local payload_metatable = { __index = payload, __name = "payload", __metatable = false }
function payload.data(object) return of(object).payload end
payload.unmarshal = payload.data
function payload.get_format(object)
  of(object)
  return "lua/any"
end

local message = {}
local message_metatable = { __index = message, __name = "message", __metatable = false }
function message.topic(object) return of(object).topic end
function message.from(object) return of(object).from end

function message.payload(object)
  local facts = of(object)
  local new = setmetatable({}, payload_metatable)
  messages[new], opaque[new] = facts, "payload"
  return new
end

local function new_message(facts)
  local new = setmetatable({}, message_metatable)
  messages[new], opaque[new] = facts, "message"
  return new
end

local function raw_payload(facts) return facts.payload end
local function itself(facts) return facts end

-- channels -------------------------------------------------------------------------------------------------------

local call, channels, numbers -- of the running call: its fiber; channel and its stream by topic; stream by channel

-- What was opened by an earlier call of this program is closed.
local function forget_earlier_calls()
  if call ~= W.main_fiber then call, channels, numbers = W.main_fiber, {}, {} end
end

local function pump(channel, stream, convert)
  return function()
    channel.start = nil
    W.spawn_pump(channel, function()
      repeat
        local facts = call_host("process.receive", stream.number)
        if facts ~= nil then stream.received = stream.received + 1 end
      until facts == nil or not W.feed(channel, convert(facts))
      W.close_channel(channel)
    end)
  end
end

local function open(key, name, convert, operation, ...)
  forget_earlier_calls()
  local known = channels[key]
  if known then return known.convert == convert and known.object or nil, failure("ALREADY_EXISTS", name .. " is open already") end
  local number, err = call_host(operation, ...)
  if not number then return nil, err end
  local channel = W.new_channel(0, name)
  local stream = { number = number, key = key, received = 0 }
  channel.start = pump(channel, stream, convert)
  channels[key] = { object = channel.object, convert = convert, channel = channel, stream = stream }
  numbers[channel.object] = stream
  return channel.object
end

function process.inbox() return (open("@inbox", "process.inbox()", new_message, "process.inbox")) end
function process.events() return (open("@events", "process.events()", itself, "process.events")) end

function process.listen(topic, options)
  local bad = not_text("listen", "topic", topic)
  if bad then return nil, bad end
  if options ~= nil and type(options) ~= "table" then return nil, refuse("listen", "options", "a table", options) end
  local convert = options and rawget(options, "message") and new_message or raw_payload
  local object, err = open(topic, "process.listen('" .. topic .. "')", convert, "process.listen", topic)
  if object then return object end
  return nil, err
end

function process.unlisten(object)
  forget_earlier_calls()
  local known = numbers[object]
  if not known then return nil, refuse("unlisten", "channel", "one that listen gave", object) end
  local channel = channels[known.key].channel
  numbers[object], channels[known.key] = nil, nil
  call_host("process.unlisten", known.number)
  W.close_channel(channel)
  return true
end

-- other code -------------------------------------------------------------------------------------------------------

-- How many things the program has had of each stream. One that was asked for ahead may stand before its channel.
local function seen()
  forget_earlier_calls()
  local counts = {}
  for _, known in next, channels do
    local is_waiting = known.channel.senders.first ~= nil
    counts[known.stream.number] = known.stream.received - (is_waiting and 1 or 0)
  end
  return counts
end

-- Comes back only where it fails.
function process.upgrade(id, ...)
  if id ~= nil then
    local bad = not_text("upgrade", "id", id)
    if bad then return nil, bad end
  end
  return call_host("process.upgrade", id, seen(), ...)
end

-- names ----------------------------------------------------------------------------------------------------------

local registry = { LOCAL = 0, EVENTUAL = 1, CONSISTENT = 2, STRONG = 3 }

local function not_local(scope)
  if scope ~= nil and scope ~= registry.LOCAL then
    return failure("INVALID", "process.registry: this app is no cluster, its names are local: use process.registry.LOCAL")
  end
end

function registry.register(name, pid, scope)
  local bad = not_text("registry.register", "name", name) or pid ~= nil and not_text("registry.register", "pid", pid) or not_local(scope)
  if bad then return nil, bad end
  return call_host("process.register", name, pid)
end

function registry.lookup(name)
  local bad = not_text("registry.lookup", "name", name)
  if bad then return nil, bad end
  return call_host("process.lookup", name)
end

function registry.unregister(name, scope)
  local bad = not_text("registry.unregister", "name", name) or not_local(scope)
  if bad then return nil, bad end
  return call_host("process.unregister", name)
end

process.registry = registry
process.event = { CANCEL = "pid.cancel", EXIT = "pid.exit", LINK_DOWN = "pid.link.down", OUTDATED = "pid.outdated" }

W.standard.process = process
