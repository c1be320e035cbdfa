-- What the module `json` has for schemas. The host validates; values go there as JSON text.
--
-- Out: more of W.modules.json.

local W = ...
local type = type
local call_host, failure, json = W.call_host, W.failure, W.modules.json

-- The text of a schema, which may be written as a table.
local function schema_text(what, schema)
  if type(schema) == "string" then return schema end
  if type(schema) ~= "table" then return nil, failure("INVALID", what .. " takes a schema, a table or JSON text, got " .. type(schema)) end
  local text, err = json.encode(schema)
  if err then return nil, failure("INVALID", what .. ": the schema has no JSON: " .. err:message()) end
  return text
end

local function validate(schema, text, is_loose)
  local ok, err = call_host("json.validate", schema, text, is_loose)
  return ok == true, err
end

function json.validate(schema, value)
  local given, refused = schema_text("json.validate", schema)
  if not given then return false, refused end
  local text, err = json.encode(value)
  if err then return false, failure("INVALID", "json.validate: the value has no JSON: " .. err:message()) end
  return validate(given, text, true)
end

function json.validate_string(schema, text)
  local given, refused = schema_text("json.validate_string", schema)
  if not given then return false, refused end
  if type(text) ~= "string" then return false, failure("INVALID", "json.validate_string takes JSON text, got " .. type(text)) end
  return validate(given, text, false)
end
