-- The module `http`: the request that the program serves, and its response.
--
-- What a request says comes at once; its body is asked for. What is set and written goes to the host as it is said.

local W = ...
local type, setmetatable, tostring, error, ipairs, tonumber = type, setmetatable, tostring, error, ipairs, tonumber
local lower, match, gmatch, mtype, next = string.lower, string.match, string.gmatch, math.type, next
local call_host, failure, opaque, json = W.call_host, W.failure, W.opaque, W.modules.json

local facts = W.raw.setmetatable({}, { __mode = "k" }) -- request or uploaded file → what is known of it
local request, response, file = {}, {}, {}

local function metatable(methods, name)
  return {
    __name = name, __metatable = false,
    __index = function(_, key)
      return methods[key] or error("a " .. name .. " has no '" .. tostring(key) .. "'", 2)
    end,
  }
end

local request_metatable, response_metatable, file_metatable = metatable(request, "request"), metatable(response, "response"), metatable(file, "file")

local function new(methods_of, name, known)
  local object = setmetatable({}, methods_of)
  facts[object], opaque[object] = known, name
  return object
end

local function known(object, what)
  return facts[object] or error("bad argument #1 to '" .. what .. "' (call it with ':')", 3)
end

-- Raises where the caller's caller is, for a first argument that is no text.
local function check_text(what, value)
  if type(value) ~= "string" then
    error("bad argument #1 to '" .. what .. "' (string expected, got " .. (opaque[value] or type(value)) .. ")", 3)
  end
end

local function not_text(what, value)
  if type(value) ~= "string" then return failure("INVALID", what .. " takes text, got " .. (opaque[value] or type(value))) end
end

local function copy(source)
  local copied = {}
  for key, value in next, source do copied[key] = value end
  return copied
end

-- the request ----------------------------------------------------------------------------------------------------

function request.method(self) return known(self, "method").method end
function request.path(self) return known(self, "path").path end
function request.query(self, name) return known(self, "query").query[name] end
function request.query_params(self) return copy(known(self, "query_params").query_params) end
function request.param(self, name) return known(self, "param").params[name] end
function request.params(self) return copy(known(self, "params").params) end
function request.headers(self) return copy(known(self, "headers").headers) end
function request.host(self) return known(self, "host").headers.host end
function request.remote_addr(self) return known(self, "remote_addr").remote end
function request.content_type(self) return known(self, "content_type").headers["content-type"] end
function request.content_length(self) return known(self, "content_length").length end
function request.has_body(self) return known(self, "has_body").has_body end

function request.header(self, name)
  local state = known(self, "header")
  check_text("header", name)
  return state.headers[lower(name)]
end

local function media_type(text) return lower(match(text or "", "^%s*([^;%s]*)")) end

function request.is_content_type(self, wanted)
  local state = known(self, "is_content_type")
  check_text("is_content_type", wanted)
  return media_type(state.headers["content-type"]) == media_type(wanted)
end

function request.accepts(self, wanted)
  local field = known(self, "accepts").headers.accept
  check_text("accepts", wanted)
  if not field then return true end
  wanted = media_type(wanted)
  local family = match(wanted, "^[^/]*") .. "/*"
  local found, best = false, 0
  for part in gmatch(lower(field), "[^,]+") do
    local kind, weight = media_type(part), tonumber(match(part, ";%s*q=([%d.]+)") or "1") or 0
    local closeness = kind == wanted and 3 or kind == family and 2 or kind == "*/*" and 1 or 0
    if closeness > best then found, best = weight > 0, closeness end
  end
  return found
end

function request.body(self)
  known(self, "body")
  return call_host("http.body")
end

function request.body_json(self)
  known(self, "body_json")
  local body, err = call_host("http.body")
  if err then return nil, err end
  local value, wrong = json.decode(body)
  if wrong then return nil, failure("INVALID", wrong:message()) end
  return value, nil
end

function request.stream(self)
  local state = known(self, "stream")
  return W.new_stream(function(most) return call_host("http.read", most) end, nil, state.length), nil
end

function request.parse_multipart(self)
  known(self, "parse_multipart")
  local form, err = call_host("http.multipart")
  if err then return nil, err end
  for _, files in next, form.files do
    for i, one in ipairs(files) do files[i] = new(file_metatable, "file", one) end
  end
  return form, nil
end
request.multipart = request.parse_multipart

function file.name(self) return known(self, "name").name end
function file.size(self) return known(self, "size").size end
function file.header(self, name) return known(self, "header").headers[lower(tostring(name))] end

function file.stream(self)
  local state = known(self, "stream")
  return W.new_stream(function(most, at) return call_host("http.read_file", state.number, at, most) end, nil, state.size, true), nil
end

-- the response ---------------------------------------------------------------------------------------------------

-- The response again where something was done to it, so that calls can follow one another; else nil and an error object.
local function itself(self, ok, err)
  if not ok then return nil, err end
  return self, nil
end

function response.set_status(self, status)
  known(self, "set_status")
  if mtype(status) ~= "integer" then return nil, failure("INVALID", "set_status takes a whole number, got " .. tostring(status)) end
  return itself(self, call_host("http.set_status", status))
end

function response.set_header(self, name, value)
  known(self, "set_header")
  if type(value) == "number" then value = tostring(value) end
  local bad = not_text("set_header", name) or not_text("set_header", value)
  if bad then return nil, bad end
  return itself(self, call_host("http.set_header", name, value))
end

function response.set_content_type(self, kind) return response.set_header(self, "Content-Type", kind) end

function response.write(self, data)
  known(self, "write")
  local bad = not_text("write", data)
  if bad then return nil, bad end
  return call_host("http.write", data, nil)
end

function response.write_json(self, value)
  known(self, "write_json")
  local text, err = json.encode(value)
  if err then return nil, err end
  return call_host("http.write", text, "application/json")
end

function response.flush(self)
  known(self, "flush")
  return call_host("http.flush")
end

function response.set_transfer(self, mode)
  known(self, "set_transfer")
  if mode ~= "chunked" and mode ~= "sse" then
    return nil, failure("INVALID", "set_transfer takes http.TRANSFER.CHUNKED or http.TRANSFER.SSE, got " .. tostring(mode))
  end
  return call_host("http.stream", mode)
end

local function one_line(value) return type(value) == "string" and not match(value, "[\r\n%z]") end

-- An event as the stream has it: fields of one line each, a JSON text never has more than one.
local function event_text(event)
  if type(event) ~= "table" or event.data == nil then return nil, failure("INVALID", "write_event takes {name = …, data = …}") end
  local name, id = event.name or "message", event.id
  if not one_line(name) or id ~= nil and not one_line(id) then
    return nil, failure("INVALID", "the name and the id of an event are texts of one line")
  end
  local data, err = json.encode(event.data)
  if err then return nil, err end
  return (id and "id: " .. id .. "\n" or "") .. "event: " .. name .. "\ndata: " .. data .. "\n\n", nil
end

function response.write_event(self, event)
  local state = known(self, "write_event")
  local text, err = event_text(event)
  if err then return nil, err end
  if not state.sse then
    state.sse = true
    local ok, refused = call_host("http.stream", "sse")
    if not ok then return nil, refused end
  end
  local ok, failed = call_host("http.write", text, nil)
  if not ok then return nil, failed end
  return call_host("http.flush")
end

-- the module -----------------------------------------------------------------------------------------------------

local http = {
  METHOD = {},
  STATUS = {
    OK = 200, CREATED = 201, ACCEPTED = 202, NO_CONTENT = 204, PARTIAL_CONTENT = 206,
    MOVED_PERMANENTLY = 301, FOUND = 302, SEE_OTHER = 303, NOT_MODIFIED = 304, TEMPORARY_REDIRECT = 307, PERMANENT_REDIRECT = 308,
    BAD_REQUEST = 400, UNAUTHORIZED = 401, PAYMENT_REQUIRED = 402, FORBIDDEN = 403, NOT_FOUND = 404, METHOD_NOT_ALLOWED = 405,
    NOT_ACCEPTABLE = 406, CONFLICT = 409, GONE = 410, UNPROCESSABLE = 422, TOO_MANY_REQUESTS = 429,
    INTERNAL_ERROR = 500, INTERNAL_SERVER_ERROR = 500, NOT_IMPLEMENTED = 501, BAD_GATEWAY = 502, SERVICE_UNAVAILABLE = 503,
    GATEWAY_TIMEOUT = 504, VERSION_NOT_SUPPORTED = 505,
  },
  CONTENT = {
    JSON = "application/json", FORM = "application/x-www-form-urlencoded", MULTIPART = "multipart/form-data",
    TEXT = "text/plain", STREAM = "application/octet-stream",
  },
  TRANSFER = { CHUNKED = "chunked", SSE = "sse" },
  ERROR = { PARSE_FAILED = "PARSE_FAILED", INVALID_STATE = "INVALID_STATE", WRITE_FAILED = "WRITE_FAILED", STREAM_ERROR = "STREAM_ERROR" },
}
for _, method in ipairs({ "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS" }) do http.METHOD[method] = method end

function http.request(options)
  if options ~= nil and type(options) ~= "table" then return nil, failure("INVALID", "http.request takes a table of options, got " .. type(options)) end
  local said, err = call_host("http.request", options and options.timeout, options and options.max_body)
  if err then return nil, err end
  return new(request_metatable, "request", said), nil
end

function http.response()
  local ok, err = call_host("http.response")
  if not ok then return nil, err end
  return new(response_metatable, "response", {}), nil
end

W.modules.http = http
