-- Calls WebAssembly by id. Lua neither knows nor cares what each function was built from.

local funcs = require("funcs")
local report = require("report")

local users = {
  {id = 1, name = "Alice", tags = {"admin", "dev"}, active = true},
  {id = 2, name = "Bob", tags = {}, active = false},
  {id = 3, name = "Zoë", tags = {"dev"}, active = true},
}

-- Calls a function that should work; an error of the host would end the demo.
local function call(id, ...)
  local value, err = funcs.call(id, ...)
  if err then error(id .. ": " .. tostring(err)) end
  return value
end

local function text_modules(r)
  r:section("WebAssembly text")
  r:check("answer()", call("demo:answer"), 42)
  r:check("greet('World')", call("demo:greet", "World"), "Hello, World!")
end

local function core_module(r)
  r:section("A core module with WIT signatures")
  r:check("title_case('the quick brown fox')", call("demo:title_case", "the quick brown fox"), "The Quick Brown Fox")
  r:check("split_words('to be or not')", call("demo:split_words", "to be or not"), {"to", "be", "or", "not"})
  r:check("sum_of_squares({3, 4, 2000000})", call("demo:sum_of_squares", {3, 4, 2000000}), 4000000000025)
end

local function component(r)
  r:section("A component built from C")
  r:check("compute(6, 7)", call("demo:compute", 6, 7), 42)
  local profiles = call("demo:transform_users", users)
  r:check("transform_users(users)[1]", profiles[1], {
    id = 1, display = "Alice (#1)", tags = {"admin", "dev"}, ["tag-count"] = 2, role = "admin", active = true,
  })
  r:check("  … [3].display, .role", {profiles[3].display, profiles[3].role}, {"Zoë (#3)", "member"})
  r:check("filter_active(users)", call("demo:filter_active", users), {users[1], users[3]})
  r:check("echo('grüße, 世界')", call("demo:echo", "grüße, 世界"), "grüße, 世界")
  r:check("echo_bytes('\\0\\255\\128')", call("demo:echo_bytes", "\0\255\128"), "\0\255\128")
  r:check("summarize({1, 2.5, 4})", call("demo:summarize", {1, 2.5, 4}), {count = 3, lowest = 1.0, highest = 4.0, mean = 2.5})
  r:check("summarize({})", call("demo:summarize", {}), nil)
  r:check("try_divide(42, 6)", call("demo:try_divide", 42, 6), 7)
end

-- A pool of one worker keeps its instance, and the instance its state.
local function guest_state(r)
  r:section("State that lives in a pooled instance")
  local counts = {}
  for i = 1, 3 do counts[i] = call("demo:count_calls") end
  r:check("count_calls(), three times", counts, {1, 2, 3})
end

-- All calls are under way before the first answer is waited for.
local function concurrent(r)
  r:section("Calls side by side")
  local futures = {}
  for n = 1, 3 do futures[n] = assert(funcs.async("demo:compute", n, n)) end
  local squares = {}
  for n, future in ipairs(futures) do squares[n] = assert(future:await()) end
  r:check("async compute(n, n) for n in 1..3", squares, {1, 4, 9})
end

local function failures(r)
  r:section("What goes wrong, stays a value")
  local value, refusal = funcs.call("demo:try_divide", 1, 0)
  r:check("try_divide(1, 0): the guest's own error", {value = value, err = refusal},
    {err = {dividend = 1, divisor = 0, reason = "division by zero"}})

  local _, trap = funcs.call("demo:crash", 2)
  r:check("crash(2): a trap", trap:kind(), "INTERNAL")
  r:note(trap:message())
  for _, frame in ipairs(trap:details().frames) do r:note("at " .. frame) end
  r:check("compute(6, 7) after the trap", call("demo:compute", 6, 7), 42)

  local _, denied = funcs.call("demo:complain", "it is too hot")
  r:check("complain(…): an import nobody granted", denied:kind(), "PERMISSION_DENIED")
  r:note(denied:message())

  local _, misfit = funcs.call("demo:transform_users", {users[1], {id = 2, name = "Bob", tags = 5, active = true}})
  r:check("transform_users(…): a value that does not fit", misfit:kind(), "INVALID")
  r:note(misfit:message())

  local _, unknown = funcs.call("demo:computer", 6, 7)
  r:check("computer(6, 7): no such function", unknown:kind(), "NOT_FOUND")
  r:note(unknown:message())
end

local function main()
  local r = report.new("wippywasm demo: Lua calls WebAssembly by id")
  for _, part in ipairs({text_modules, core_module, component, guest_state, concurrent, failures}) do part(r) end
  if not r:close() then error("the demo found something wrong") end
end

return {main = main}
