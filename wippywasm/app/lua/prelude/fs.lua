-- The module `fs`: volumes and files, which the host keeps.

local W = ...
local ipairs = ipairs
local call_host, failure, class = W.call_host, W.failure, W.class

local volume, check_volume, new_volume = class("volume")
local file, check_file, new_file = class("file")

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

file.flush = file.sync

function file.scanner(object, split)
  local handle = check_file(object)
  return W.new_scanner(function(most) return call_host("fs.file_read", handle, most) end, split)
end

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
