-- The module `fs`: volumes and files, which the host keeps.

local W = ...
local type, error, tostring, setmetatable, ipairs = type, error, tostring, setmetatable, ipairs
local find, sub = string.find, string.sub
local call_host, failure, opaque = W.call_host, W.failure, W.opaque

local CHUNK = 65536
local MAX_TOKEN = 1 << 20 -- bytes of a line or word that a scanner gives

-- A class of objects that stand for a handle of the host's.
local function class(name)
  local methods, handles = {}, setmetatable({}, { __mode = "k" })
  local metatable = {
    __name = name, __metatable = false,
    __index = function(_, method) return methods[method] or error("a " .. name .. " has no '" .. tostring(method) .. "'", 2) end,
  }
  local function new(state)
    local object = setmetatable({}, metatable)
    handles[object], opaque[object] = state, name
    return object
  end
  local function check(object)
    return handles[object] or error("bad argument (" .. name .. " expected; call its methods with ':')", 3)
  end
  return methods, new, check
end

local volume, new_volume, check_volume = class("volume")
local file, new_file, check_file = class("file")
local scanner, new_scanner, check_scanner = class("scanner")

-- volumes --------------------------------------------------------------------------------------------------------

for _, name in ipairs({ "readfile", "writefile", "exists", "stat", "mkdir", "remove", "chdir", "pwd" }) do
  local operation = "fs." .. name
  volume[name] = function(object, ...) return call_host(operation, check_volume(object), ...) end
end
volume.read_file, volume.write_file = volume.readfile, volume.writefile

function volume.isdir(object, path)
  local facts, err = call_host("fs.stat", check_volume(object), path)
  if err then
    if err:kind() == "NOT_FOUND" then return false, nil end
    return nil, err
  end
  return facts.is_dir, nil
end

function volume.open(object, path, mode)
  local handle, err = call_host("fs.open", check_volume(object), path, mode or "r")
  if err then return nil, err end
  return new_file(handle), nil
end

-- An iterator over the entries of a folder; nil and an error where it can't be listed.
function volume.readdir(object, path)
  local entries, err = call_host("fs.list", check_volume(object), path)
  if err then return nil, err end
  local i = 0
  return function()
    i = i + 1
    return entries[i]
  end, nil
end

-- files ----------------------------------------------------------------------------------------------------------

for _, name in ipairs({ "read", "write", "seek", "stat", "sync", "close" }) do
  local operation = "fs.file_" .. name
  file[name] = function(object, ...) return call_host(operation, check_file(object), ...) end
end

-- scanners -------------------------------------------------------------------------------------------------------

-- Each finds the first token of a text: where it starts and ends, and where the rest begins; nil where more is needed.
local splits = {
  lines = function(text, is_end)
    local at = find(text, "\n", 1, true)
    if not at then return is_end and #text > 0 and 1 or nil, #text, #text + 1 end
    return 1, sub(text, at - 1, at - 1) == "\r" and at - 2 or at - 1, at + 1
  end,
  words = function(text, is_end)
    local from, to = find(text, "%S+")
    if not from or to == #text and not is_end then return nil end
    return from, to, to + 1
  end,
  bytes = function(text) return #text > 0 and 1 or nil, 1, 2 end,
  runes = function(text, is_end)
    if #text < 4 and not is_end then return nil end
    local _, to = find(text, "^[\1-\127\194-\244][\128-\191]*")
    return #text > 0 and 1 or nil, to or 1, (to or 1) + 1
  end,
}

function file.scanner(object, split)
  local find_token = splits[split or "lines"]
  if not find_token then return nil, failure("INVALID", "a scanner splits into lines, words, bytes or runes") end
  return new_scanner({ handle = check_file(object), find = find_token, text = "" }), nil
end

local function more(state)
  local data, err = call_host("fs.file_read", state.handle, CHUNK)
  if err then state.err = err end
  if not data then state.is_end = true else state.text = state.text .. data end
end

-- Whether there is one more token.
function scanner.scan(object)
  local state = check_scanner(object)
  while not state.err do
    local from, to, rest = state.find(state.text, state.is_end)
    if from then
      state.token, state.text = sub(state.text, from, to), sub(state.text, rest)
      return true
    end
    if state.is_end then break end
    if #state.text > MAX_TOKEN then state.err = failure("INVALID", "a line or word is longer than " .. MAX_TOKEN .. " bytes") end
    if not state.err then more(state) end
  end
  state.token = nil
  return false
end

function scanner.text(object) return check_scanner(object).token or "" end
function scanner.err(object) return check_scanner(object).err end

-- the module -----------------------------------------------------------------------------------------------------

W.modules.fs = {
  get = function(id)
    local handle, err = call_host("fs.get", id)
    if err then return nil, err end
    return new_volume(handle), nil
  end,
  type = { FILE = "file", DIR = "directory" },
  seek = { SET = "set", CUR = "cur", END = "end" },
}
