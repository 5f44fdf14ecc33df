-- Enter: what every call passes through. `counted` comes from the table of operations: those that
-- change the content of the store, whatever they find, so that a copy can tell whether it is of one
-- instant.

local function enter(name, keys, args)
  place.enter(keys[1])
  local reply = operations[name](args)
  if counted[name] then redis.call("HINCRBY", place.n, "changes", 1) end
  return reply
end
