-- The module `registry`: entries, snapshots, versions, changes.
--
-- A snapshot is a version's number, and so is a version; the host keeps the tables. Entries are copies.

local W = ...
local type, error, tostring, ipairs = type, error, tostring, ipairs
local match, mtype = string.match, math.type
local call_host, failure, class, opaque = W.call_host, W.failure, W.class, W.opaque

local version_methods, check_version, new_version, version_metatable = class("version")
local snapshot_methods, check_snapshot, new_snapshot = class("snapshot")
local changes_methods, check_changes, new_changes = class("changeset")
local history_methods, check_history, new_history = class("history")

-- ids ------------------------------------------------------------------------------------------------------------

local registry = {}

function registry.parse_id(id)
  local ns, name = match(type(id) == "string" and id or "", "^([^:]+):(.+)$")
  if not ns then return nil, failure("INVALID", "an id is written namespace:name") end
  return { ns = ns, name = name }, nil
end

local function id_of(id)
  if type(id) == "table" and (id.ns or id[1]) then return tostring(id.ns or id[1]) .. ":" .. tostring(id.name or id[2]) end
  return id
end

-- versions -------------------------------------------------------------------------------------------------------

local function all_versions()
  local numbers, err = call_host("registry.versions")
  if err then return nil, err end
  return numbers, nil
end

local function neighbour(number, step)
  local numbers = all_versions() or {}
  for i, other in ipairs(numbers) do
    if other == number and numbers[i + step] then return new_version({ number = numbers[i + step] }) end
  end
  return nil
end

function version_methods.id(version) return check_version(version).number end
function version_methods.string(version) return "v" .. check_version(version).number end
function version_methods.previous(version) return neighbour(check_version(version).number, -1) end
function version_methods.next(version) return neighbour(check_version(version).number, 1) end
function version_metatable.__tostring(version) return "v" .. check_version(version).number end
local function is_version(value) return opaque[value] == "version" end
function version_metatable.__eq(a, b) return is_version(a) and is_version(b) and check_version(a).number == check_version(b).number end

local function number_of(version)
  if mtype(version) == "integer" then return version end
  return is_version(version) and check_version(version).number or nil
end

function registry.versions()
  local numbers, err = all_versions()
  if err then return nil, err end
  local list = {}
  for i, number in ipairs(numbers) do list[i] = new_version({ number = number }) end
  return list, nil
end

function registry.current_version()
  local numbers, err = all_versions()
  if err then return nil, err end
  return new_version({ number = numbers[#numbers] }), nil
end

function registry.apply_version(version)
  local number = number_of(version)
  if not number then return nil, failure("INVALID", "registry.apply_version takes a version") end
  return call_host("registry.apply_version", number)
end

-- entries --------------------------------------------------------------------------------------------------------

function registry.get(id) return call_host("registry.get", nil, id_of(id)) end
function registry.find(criteria) return call_host("registry.find", nil, criteria or {}) end

function registry.snapshot()
  local current, err = registry.current_version()
  if err then return nil, err end
  return new_snapshot({ number = check_version(current).number }), nil
end

function registry.snapshot_at(version)
  local number = number_of(version)
  if not number then return nil, failure("INVALID", "registry.snapshot_at takes a version or its number") end
  local numbers, err = all_versions()
  if err then return nil, err end
  for _, other in ipairs(numbers) do
    if other == number then return new_snapshot({ number = number }), nil end
  end
  return nil, failure("NOT_FOUND", "there is no version " .. number)
end

function snapshot_methods.entries(snapshot) return call_host("registry.entries", check_snapshot(snapshot).number) end
function snapshot_methods.namespace(snapshot, ns) return call_host("registry.entries", check_snapshot(snapshot).number, ns) end
function snapshot_methods.get(snapshot, id) return call_host("registry.get", check_snapshot(snapshot).number, id_of(id)) end
function snapshot_methods.find(snapshot, criteria) return call_host("registry.find", check_snapshot(snapshot).number, criteria or {}) end
function snapshot_methods.version(snapshot) return new_version({ number = check_snapshot(snapshot).number }) end
function snapshot_methods.changes(snapshot)
  check_snapshot(snapshot)
  return new_changes({ operations = {} })
end

-- history --------------------------------------------------------------------------------------------------------

function registry.history() return new_history({}), nil end

function history_methods.versions(history)
  check_history(history)
  return registry.versions()
end

function history_methods.snapshot_at(history, version)
  check_history(history)
  return registry.snapshot_at(version)
end

function history_methods.get_version(history, number)
  check_history(history)
  local snapshot, err = registry.snapshot_at(number)
  if err then return nil, err end
  return snapshot:version(), nil
end

-- changes --------------------------------------------------------------------------------------------------------

local function add(changes, kind, entry)
  if type(entry) ~= "table" or type(entry.id) ~= "string" then error("an entry is a table with an id, namespace:name", 3) end
  local operations = check_changes(changes).operations
  operations[#operations + 1] = { kind = kind, entry = entry }
  return changes
end

function changes_methods.create(changes, entry) return add(changes, "entry.create", entry) end
function changes_methods.update(changes, entry) return add(changes, "entry.update", entry) end
function changes_methods.delete(changes, id) return add(changes, "entry.delete", { id = id_of(id) }) end

function changes_methods.ops(changes)
  local list = {}
  for i, operation in ipairs(check_changes(changes).operations) do list[i] = operation end
  return list
end

function changes_methods.apply(changes)
  local number, err = call_host("registry.apply", check_changes(changes).operations)
  if err then return nil, err end
  return new_version({ number = number }), nil
end

function registry.build_delta(from, to) return call_host("registry.build_delta", from, to) end

W.modules.registry = registry
