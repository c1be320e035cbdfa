-- A report of checks: each shows what came back, and whether that is what was expected.

local report = {}
report.__index = report

-- Any value as text; tables with their keys in order, so that equal values give equal texts.
local function show(value)
  if type(value) == "string" then return string.format("%q", value) end
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
  print(string.format("  %s %-44s %s", good and "ok  " or "FAIL", call, show(got)))
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
