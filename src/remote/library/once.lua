-- Once: a call that may be sent again without being carried out again.
--
--   r:<client>  hash  slot -> "<sequence> <packed reply>", with a native expiry
--
-- Slots are sequences modulo `slots`: a client has fewer calls than that under way. An error changes
-- nothing, so it is not kept.

local slots = 1024
local kept_ms = 3600000

-- client, sequence, operation, then its arguments
operations.once = function(args)
  local name = place.tag .. "r:" .. args[1]
  local slot = tonumber(args[2]) % slots
  local record = redis.call("HGET", name, slot)
  local sequence, packed = string.match(record or "", "^(%d+) (.*)$")
  if sequence == args[2] then return cmsgpack.unpack(packed) end
  local operation = operations[args[3]]
  if not operation then fail("UNKNOWN_OPERATION", args[3]) end
  local reply = operation(from(args, 4))
  redis.call("HSET", name, slot, args[2] .. " " .. cmsgpack.pack(reply))
  redis.call("PEXPIRE", name, kept_ms)
  return reply
end
