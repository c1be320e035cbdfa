-- The standard library as a program sees it.
--
-- In: the library as it was. Out: W.environment(), a fresh table of globals.
--
-- Left out: io, package, debug, the parts of os that reach the system, string.dump, loadfile, dofile, warn, precompiled
-- chunks. A function of C that can run long for one instruction is charged for its work first, or refused.

local W = ...
local type, select, tostring, pairs, next = type, select, tostring, pairs, next
local error, load, getmetatable, rawlen, rawget = error, load, debug.getmetatable, rawlen, rawget
local collectgarbage = collectgarbage
local string, table, math, utf8, os = string, table, math, utf8, os
local charge, concat = W.charge, table.concat
local log = math.log

local function copy(from, names)
  local to = {}
  for name in names:gmatch("%S+") do to[name] = from[name] end
  return to
end

-- Bytes that C handles while one instruction of Lua runs.
local BYTES = 32

local function charge_bytes(n)
  if n > 4096 then charge(n // BYTES) end
end

local function length_of(s)
  return type(s) == "string" and #s or 0
end

-- string ---------------------------------------------------------------------------------------------------------

local safe_string = copy(string, "byte char len sub pack packsize unpack")

-- Each is called by its own name, which is how C calls it in its messages.
function safe_string.lower(s)
  charge_bytes(length_of(s))
  return string.lower(s)
end

function safe_string.upper(s)
  charge_bytes(length_of(s))
  return string.upper(s)
end

function safe_string.reverse(s)
  charge_bytes(length_of(s))
  return string.reverse(s)
end

function safe_string.format(s, ...)
  charge_bytes(length_of(s))
  return string.format(s, ...)
end

function safe_string.rep(s, n, separator)
  if (s == "" and (separator == nil or separator == "")) and type(n) == "number" then return "" end
  if type(n) == "number" and n > 0 then charge_bytes(length_of(s) * 1.0 * n // 1) end
  return string.rep(s, n, separator)
end

for name, matcher in pairs(W.matchers) do safe_string[name] = matcher end

-- table ----------------------------------------------------------------------------------------------------------

-- The length that C would walk. One that a metatable makes up could be endless.
local function real_length(t, name)
  if type(t) ~= "table" then return 0 end
  local metatable = getmetatable(t)
  if metatable and rawget(metatable, "__len") ~= nil then
    error("table." .. name .. " takes tables with a length of their own: this one's metatable has __len", 3)
  end
  return rawlen(t)
end

local function range(first, last, name)
  if type(first) ~= "number" or type(last) ~= "number" or last < first then return end
  local count = last * 1.0 - first
  if count > 2 ^ 26 then error("bad range to 'table." .. name .. "' (too many elements)", 3) end
  if count > 64 then charge(count // 4) end
end

local safe_table = {}

-- Lists whose elements may all be nil: only that they were made as lists tells `{n = 2}` from a table with a field `n`.
local lists = W.raw.setmetatable({}, { __mode = "k" })

-- Notes that a table is a list of `count` elements, some of them nil.
function W.mark_list(list, count)
  list.n, lists[list] = count, true
  return list
end

W.lists = lists

function safe_table.pack(...) return W.mark_list({ ... }, select("#", ...)) end

function safe_table.concat(t, separator, first, last)
  local n = real_length(t, "concat")
  range(first or 1, last or n, "concat")
  return concat(t, separator, first or 1, last or n)
end

function safe_table.insert(t, ...)
  local n = real_length(t, "insert")
  if select("#", ...) > 1 then range((...), n, "insert") end
  return table.insert(t, ...)
end

function safe_table.remove(t, ...)
  local n = real_length(t, "remove")
  if ... then range((...), n, "remove") end
  return table.remove(t, ...)
end

function safe_table.move(from, first, last, at, to)
  real_length(from, "move")
  real_length(to, "move")
  range(first, last, "move")
  if to == nil then return table.move(from, first, last, at) end
  return table.move(from, first, last, at, to)
end

function safe_table.sort(t, before)
  local n = real_length(t, "sort")
  if n > 64 then charge(n * log(n, 2) // 1) end
  return table.sort(t, before)
end

function safe_table.unpack(t, first, last)
  local n = real_length(t, "unpack")
  range(first or 1, last or n, "unpack")
  return table.unpack(t, first or 1, last or n)
end

-- base -----------------------------------------------------------------------------------------------------------

local function safe_load(environment)
  return function(chunk, name, mode, ...)
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then error("load takes text only, mode 't'", 2) end
    charge_bytes(length_of(chunk) * BYTES)
    if type(name) ~= "string" then name = type(chunk) == "string" and chunk or "=(load)" end
    local scope = environment
    if select("#", ...) > 0 then scope = ... end
    return W.settle_load(load(chunk, name, "t", scope))
  end
end

function W.settle_load(chunk, message)
  if chunk then return chunk end
  W.settle(false)
  return nil, message
end

local function safe_collectgarbage(what)
  if what == "count" then return collectgarbage("count") end
  error("collectgarbage takes only 'count' here: the collector runs by itself", 2)
end

local function print_line(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  W.print(concat(parts, "\t") .. "\n")
end

local BASE = "_VERSION assert error getmetatable ipairs next pairs rawequal rawget rawlen rawset select tonumber tostring type"
local standard = copy(_G, BASE)
for name, guarded in pairs(W.base) do standard[name] = guarded end
standard.string, standard.table = safe_string, safe_table
standard.math, standard.utf8 = copy(math, [[abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min
  mininteger modf pi rad random randomseed sin sqrt tan tointeger type ult]]), copy(utf8, "char charpattern codepoint codes len offset")
for name, more in pairs(W.more_math) do standard.math[name] = more end
standard.os = copy(os, "clock date difftime time")
standard.os.platform = "wippy"
standard.unpack = safe_table.unpack
standard.print, standard.collectgarbage = print_line, safe_collectgarbage
standard.errors, standard.channel = W.errors, W.channel

local metatable = getmetatable("")
metatable.__index = safe_string
metatable.__metatable = "locked"

W.standard = standard

-- Globals of one program or library: its own table, the libraries shared.
function W.environment()
  local environment = {}
  for name, value in next, standard do environment[name] = value end
  environment._G = environment
  environment.load = safe_load(environment)
  return environment
end
