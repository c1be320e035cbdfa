-- The module `ctx`: what goes along with the request.

local W = ...
local type = type
local call_host, failure = W.call_host, W.failure

local ctx = {}

function ctx.get(key)
  if type(key) ~= "string" or key == "" then return nil, failure("INVALID", "ctx.get takes a key, a text that is not empty") end
  return call_host("ctx.get", key)
end

function ctx.all() return call_host("ctx.all") end

W.modules.ctx = ctx
