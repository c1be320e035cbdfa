-- A report of checks: each shows what came back, and whether that is what was expected.

local report = {}
report.__index = report

-- A string in quotes; where it is not text, its bytes.
local function quote(text)
  if utf8.len(text) and not text:find("%c") then return string.format("%q", text) end
  return "bytes" .. text:gsub(".", function(byte) return string.format(" %02x", byte:byte()) end)
end

-- Any value as text; tables with their keys in order, so that equal values give equal texts.
local function show(value)
  if type(value) == "string" then return quote(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for index, item in ipairs(value) do parts[index] = show(item) end
  local keys = {}
  for key in pairs(value) do
    if math.type(key) ~= "integer" then keys[#keys + 1] = tostring(key) end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = key .. " = " .. show(value[key]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- Spaces up to `width` characters, which are fewer than bytes outside ASCII.
local function pad(text, width)
  return text .. string.rep(" ", width - utf8.len(text))
end

function report.new(title)
  print(title)
  return setmetatable({passed = 0, failed = 0}, report)
end

function report:section(title)
  print("\n" .. title)
end

-- One line: `got` next to the call it came from, and what it should have been where that differs.
function report:check(call, got, expected)
  local good = show(got) == show(expected)
  if good then self.passed = self.passed + 1 else self.failed = self.failed + 1 end
  print(string.format("  %s %s %s", good and "ok  " or "FAIL", pad(call, 46), show(got)))
  if not good then print("       expected " .. show(expected)) end
end

-- More about the line above.
function report:note(text)
  print("       " .. text)
end

function report:close()
  print(string.format("\n%d checks passed, %d failed", self.passed, self.failed))
  return self.failed == 0
end

return report
