-- Enter: what every call passes through. `counted` comes from the table of operations: those that
-- change the content of the store, whatever they find, so that a copy can tell whether it is of one
-- instant.
--
-- What writes, and `founded` is, is refused where the partition is not there: all data have been lost
-- under an open store. Otherwise there were data without a header, and whoever came next could make a
-- store with another number of partitions of them.

-- Without memory a script may still count, unless all it has done is to look: then nothing of what
-- makes room has been found, and there is nothing to count.
local function count(name)
  if not freeing[name] then return redis.call("HINCRBY", place.n, "changes", 1) end
  local reply = redis.pcall("HINCRBY", place.n, "changes", 1)
  local is_refused = type(reply) == "table" and reply.err
  if is_refused and string.sub(reply.err, 1, 3) ~= "OOM" then error(reply) end
end

local function enter(name, keys, args)
  place.enter(keys[1])
  guard.require_founded(name)
  local reply = operations[name](args)
  if counted[name] then count(name) end
  return reply
end
