-- The command: sends numbers through the pipeline and prints what comes back. A stage that fails takes the jobs that it
-- has with it; once it runs again, those without an answer are sent again, each for itself.

local time = require("time")

local STAGES, ATTEMPTS = { "factor", "steps" }, 3

local function line(answer)
  local job = answer:payload():data()
  if answer:topic() == "failed" then return job.number, job.number .. ": " .. job.why end
  return job.number, string.format("%s: smallest factor %d, %d steps", job.number, job.factor, job.steps)
end

-- Wait until every stage runs, and be told of its end.
local function watch_stages()
  for _, stage in ipairs(STAGES) do
    while not process.monitor(stage) do time.sleep("20ms") end
  end
end

local function are_found(numbers, found)
  for _, number in ipairs(numbers) do
    if not found[number] then return false end
  end
  return true
end

-- Send these, and take answers until all are there or a stage ends.
local function try(numbers, found)
  watch_stages()
  for _, number in ipairs(numbers) do
    process.send(STAGES[1], "job", { number = number, from = process.pid() })
  end
  while not are_found(numbers, found) do
    local got = channel.select { process.inbox():case_receive(), process.events():case_receive() }
    if got.channel == process.events() then return end
    local number, text = line(got.value)
    found[number] = text
  end
end

local function main(...)
  local numbers, found, missing = { ... }, {}, 0
  try(numbers, found)
  for _, number in ipairs(numbers) do
    for _ = 2, ATTEMPTS do
      if not found[number] then try({ number }, found) end
    end
    missing = missing + (found[number] and 0 or 1)
    print(found[number] or number .. ": no answer, " .. ATTEMPTS .. " times")
  end
  return missing == 0 and 0 or 1
end

return { main = main }
