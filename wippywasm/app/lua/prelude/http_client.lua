-- The module `http_client`: requests to other servers.
--
-- Options are checked by the host, which knows them.

local W = ...
local type, ipairs, upper = type, ipairs, string.upper
local call_host, failure, opaque = W.call_host, W.failure, W.opaque

local http_client = {}

local function not_text(what, name, value)
  if type(value) ~= "string" then
    return failure("INVALID", "http_client." .. what .. ": " .. name .. " must be text, got " .. (opaque[value] or type(value)))
  end
end

-- A response as a program has it: one that is streamed has its body as a stream.
local function response(said)
  local number = said.number
  if not number then return said end
  said.number = nil
  said.stream = W.new_stream(
    function(most) return call_host("http_client.read", number, most) end,
    function() return call_host("http_client.close", number) end)
  return said
end

local function request(what, method, url, options)
  local bad = not_text(what, "method", method) or not_text(what, "url", url)
  if bad then return nil, bad end
  local said, err = call_host("http_client.request", method, url, options)
  if err then return nil, err end
  return response(said), nil
end

for _, name in ipairs({ "get", "post", "put", "patch", "delete", "head" }) do
  http_client[name] = function(url, options) return request(name, upper(name), url, options) end
end

function http_client.request(method, url, options) return request("request", method, url, options) end

-- Responses and errors, both by place; no errors where all went well.
function http_client.request_batch(requests)
  local done, err = call_host("http_client.request_batch", requests)
  if err then return nil, err end
  local responses, errors = {}, nil
  for i, result in ipairs(done.results) do
    responses[i] = result.response
    if result.error then
      errors = errors or {}
      errors[i] = result.error
    end
  end
  return responses, errors
end

for _, name in ipairs({ "encode_uri", "decode_uri" }) do
  http_client[name] = function(text)
    local bad = not_text(name, "the text", text)
    if bad then return nil, bad end
    return call_host("http_client." .. name, text)
  end
end

W.modules.http_client = http_client
