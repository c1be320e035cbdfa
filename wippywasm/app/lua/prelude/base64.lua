-- The module `base64`.

local W = ...
local type = type
local call_host, failure = W.call_host, W.failure

local function convert(operation)
  return function(text)
    if type(text) ~= "string" then return nil, failure("INVALID", operation .. " takes a string, got " .. type(text)) end
    return call_host(operation, text)
  end
end

W.modules.base64 = { encode = convert("base64.encode"), decode = convert("base64.decode") }
