-- One call of a program, step by step.
--
-- In: units (a program and its libraries, compiled), deliveries of streams. Out: requests, and at the end a value, an
-- error or the limit that was reached. Python calls W.deliver, then W.step; a step runs fibers until one asks for
-- something, all wait, or the host should have a turn.

local W = ...
local type, error, rawget, next, tostring, setmetatable, ipairs = type, error, rawget, next, tostring, setmetatable, ipairs
local pack, unpack, concat, sort, gmatch = table.pack, table.unpack, table.concat, table.sort, string.gmatch
local raw, HOST, PARK, ask = W.raw, W.HOST, W.PARK, W.ask
local load, resume, pcall, isyieldable = raw.load, raw.resume, raw.pcall, raw.isyieldable
local DONE, ERR, RAISED, LIMIT, PRINT, IDLE, BREATHE = 1, 2, 3, 4, 8, 14, 15
local MAX_SWITCHES = 1000 -- of fibers in one step

-- print ----------------------------------------------------------------------------------------------------------

local printed = {} -- what could not be handed over at once

local function take_printed()
  local text = concat(printed)
  printed = {}
  return text
end

function W.print(text)
  printed[#printed + 1] = text
  if isyieldable() then ask("print", PRINT, take_printed(), 0) end
end

-- units ----------------------------------------------------------------------------------------------------------

local units = {} -- by number: chunk, modules, imports (alias → number), the value once it is loaded
local inbox = {} -- what was delivered and not seen yet

-- Globals of this runtime that people require all the same.
W.globals = { channel = true, coroutine = true, errors = true, process = true }

local function find(unit, name)
  if type(name) ~= "string" then error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 3) end
  local library = unit.imports[name]
  if library then return nil, library end
  if unit.modules[name] and W.modules[name] then return W.modules[name] end
  if W.globals[name] then return W.standard[name] end
  if W.known_modules[name] then error("module '" .. name .. "' is not declared: declare it in modules:", 3) end
  error("no module or library '" .. name .. "': name a library.lua in imports:, as alias: namespace:name", 3)
end

local load_unit

local function require_of(unit)
  return function(name)
    local module, number = find(unit, name)
    if module then return module end
    return load_unit(units[number])
  end
end

-- Waits until another fiber has loaded the unit, or has failed to.
local function wait_for(unit)
  if unit.loading == W.running then error("library '" .. unit.name .. "' requires itself", 4) end
  W.park("require", "load", unit.name, unit.waiting)
end

local function end_loading(unit)
  local waiting = unit.waiting
  unit.loading, unit.waiting = nil, {}
  for _, fiber in ipairs(waiting) do W.wake(fiber) end
end

-- Runs a unit's source, once a worker. A call that fails in it leaves it to the next call to try again.
function load_unit(unit)
  while unit.loading and W.is_live(unit.loading) and not unit.loaded do wait_for(unit) end
  if unit.loaded then return unit.value end
  unit.loading = W.running
  local loading <close> = setmetatable({}, { __close = function() end_loading(unit) end })
  local environment = W.environment()
  environment.require = require_of(unit)
  unit.environment = environment
  unit.value = load(unit.chunk, "", "b", environment)()
  unit.loaded, unit.chunk = true, nil
  return unit.value
end

-- "json funcs" → {json = true, funcs = true}
local function words(text)
  local set = {}
  for word in gmatch(text, "%S+") do set[word] = true end
  return set
end

function W.add_unit(number, name, chunk, modules)
  units[number] = { name = name, chunk = chunk, modules = words(modules), imports = {}, waiting = {} }
end

function W.add_import(number, alias, library) units[number].imports[alias] = library end

-- entry ----------------------------------------------------------------------------------------------------------

local function names_of(functions)
  local names = {}
  for name, value in next, functions do
    if type(name) == "string" and type(value) == "function" then names[#names + 1] = name end
  end
  sort(names)
  return #names > 0 and "it has " .. concat(names, ", ", 1, #names > 20 and 20 or #names) or "it has no functions"
end

-- The function to call: what the source returned, that table's member, or a global that it defined.
local function entry()
  local unit = units[1]
  local value, method = load_unit(unit), W.method
  if type(value) == "function" then return value end
  if type(value) == "table" then
    local member = rawget(value, method)
    if type(member) == "function" then return member end
    error({ refused = "no method '" .. method .. "' in the table that " .. unit.name .. " returned: " .. names_of(value) }, 0)
  end
  local global = unit.environment[method]
  if type(global) == "function" and W.standard[method] ~= global and method ~= "require" then return global end
  error({ refused = "no method '" .. method .. "' in " .. unit.name .. ": return {" .. method .. " = " .. method .. "} from it, or define a global function of that name" }, 0)
end

-- a call ---------------------------------------------------------------------------------------------------------

local NAMES = { "result", "error" }

local function leave(value, err)
  if err then return ERR, "", 0, W.encode_values({ "error" }, 1, err) end
  return DONE, "", 0, W.encode_values(NAMES, 1, value)
end

local function body(count, ints, floats, bytes)
  return leave(entry()(W.decode_values(count, ints, floats, bytes)))
end

-- What this runtime refused, raised as a table so that no place in the program is blamed for it.
local function refusal(value)
  return type(value) == "table" and rawget(value, "refused")
end

-- The message of an error that nobody caught. __tostring is the program's own code, so it runs under a budget.
local function describe(value)
  if type(value) == "string" then return value end
  if refusal(value) then return refusal(value) end
  local metatable = raw.getmetatable(value)
  if type(value) ~= "nil" and not (metatable and rawget(metatable, "__tostring")) then
    return "the program raised a " .. type(value) .. " as its error"
  end
  local ok, text = W.guarded(tostring, value)
  if ok and type(text) == "string" then return text end
  return "the program raised a " .. type(value) .. " whose __tostring fails"
end

-- What an error that nobody caught leaves with: its message, its traceback, and itself where it can leave.
local function raised(message, trace, value)
  local streams = pack(pcall(W.encode_values, nil, 3, message, trace, value))
  if not streams[1] then streams = pack(true, W.encode_values(nil, 3, message, trace, nil)) end
  return RAISED, "", 0, unpack(streams, 2, streams.n)
end

local function failed(fiber, value)
  local frames = W.frames(fiber.co, 0)
  local trace = W.render_frames(frames)
  if fiber.place then trace = trace .. "\n" .. fiber.place .. ": spawned here" end
  if type(value) == "string" then value = W.blame(value, frames[1]) end
  local reason = W.dead or value == "not enough memory" and "memory"
  local message = not reason and describe(value)
  reason = W.dead or reason -- __tostring may have used up its budget
  fiber.is_broken = reason or W.is_overflow(value)
  if reason then return LIMIT, reason, 0, W.encode_values(nil, 1, trace) end
  if type(value) == "string" or refusal(value) then value = nil end
  return raised(message, trace, value)
end

-- What a run of a fiber comes to: nil where others go on, else a request or an outcome.
local function after(fiber, ok, tag, op, ...)
  if not ok then return failed(fiber, tag) end
  if tag ~= HOST then
    if fiber == W.main_fiber then return tag, op, ... end
    return W.ended(fiber)
  end
  if op == PARK then return nil end
  W.requested(fiber)
  return op, ...
end

local function stopped() return LIMIT, W.dead, 0, W.encode_values(nil, 1, "") end

-- An outcome ends the call: what else runs is closed, and may reach a limit yet.
local function finish(answer)
  W.end_fibers()
  if W.dead and answer[1] ~= LIMIT then return stopped() end
  return unpack(answer, 1, answer.n)
end

local function rest()
  if W.dead then return finish(pack(stopped())) end -- events can be too much where no coroutine runs
  local stuck = W.stuck()
  if stuck then return finish(pack(raised(stuck, "", nil))) end
  return IDLE, "", 0
end

-- Runs fibers one after the other. The number is that of the fiber that asks for something.
local function run()
  for _ = 1, MAX_SWITCHES do
    local fiber = W.next_fiber()
    if not fiber then return 0, rest() end
    local values = fiber.values
    local answer = pack(after(fiber, resume(fiber.co, unpack(values, 1, values.n))))
    if W.dead or answer[1] and answer[1] <= LIMIT then return 0, finish(answer) end
    if answer[1] then return fiber.number, unpack(answer, 1, answer.n) end
    if W.wants_breath then break end
  end
  W.wants_breath = nil
  return 0, BREATHE, "", 0
end

-- What a fiber gets when it runs next: streams of arguments for the first, an answer; or an event for a source, whose
-- number is negative.
function W.deliver(...) inbox[#inbox + 1] = pack(...) end

function W.start() W.start_main(body) end

-- Runs the call until it has a request or is over. Out: what was printed, whether there is but one fiber, which asks,
-- the request or outcome, two values for it, its streams.
function W.step()
  local messages = inbox
  inbox = {}
  W.begin_slice()
  W.route_all(messages)
  local answer = pack(run())
  return take_printed(), W.is_alone(), unpack(answer, 1, answer.n)
end

-- Ends a call that waits.
function W.cancel()
  inbox = {}
  W.begin_slice()
  W.end_fibers()
  return take_printed()
end
