-- The module `uuid`.

local W = ...
local call_host = W.call_host

local uuid = {}
for _, name in ipairs({ "v1", "v3", "v4", "v5", "v7", "validate", "version", "variant", "parse", "format" }) do
  uuid[name] = function(one, two) return call_host("uuid." .. name, one, two) end
end

W.modules.uuid = uuid
