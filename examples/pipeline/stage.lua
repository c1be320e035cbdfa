-- A stage of the pipeline: a process of wasm for each job, and what it found goes to the next stage with the job.

local function main(name, worker, next_stage)
  process.registry.register(name)
  local inbox, events, jobs = process.inbox(), process.events(), {}

  local function begin(job)
    local number = assert(math.tointeger(job.number), job.number .. " is no whole number") -- the end of this stage
    jobs[assert(process.spawn_monitored(worker, "pipeline:processes", number))] = job
  end

  local function finish(job, result)
    if result.error then
      process.send(job.from, "failed", { number = job.number, why = name .. ": " .. result.error:message() })
      return
    end
    job[name] = result.value
    process.send(next_stage or job.from, "done", job)
  end

  while true do
    local got = channel.select { inbox:case_receive(), events:case_receive() }
    if got.channel == inbox then
      begin(got.value:payload():data())
    elseif got.value.kind == process.event.EXIT then
      finish(jobs[got.value.from], got.value.result)
      jobs[got.value.from] = nil
    else
      return
    end
  end
end

return { main = main }
