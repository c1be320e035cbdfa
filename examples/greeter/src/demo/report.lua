local funcs = require("funcs")

local function call(id, ...)
  local value, err = funcs.call(id, ...)
  if err then error(err) end
  return value
end

local function main(name)
  print(call("demo.wasm:greet_function", name or "World"))
  print("6 + 7 = " .. call("demo.wasm:add_function", 6, 7))
  print("the 10th Fibonacci number is " .. call("demo.wasm:fibonacci_function", 10))
  print(call("demo.wasm:list_files_function", "/data"))
end

return { main = main }
