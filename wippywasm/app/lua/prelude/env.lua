-- The module `env`.

local W = ...
local call_host = W.call_host

W.modules.env = {
  get = function(key) return call_host("env.get", key) end,
  set = function(key, value) return call_host("env.set", key, value) end,
  get_all = function() return call_host("env.get_all") end,
}
