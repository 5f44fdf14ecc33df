-- Once: calls that may be sent again without being carried out again, however late a copy comes.
--
--   r:<client>  hash, with a native expiry
--     begun -> 1                        the client has begun, and the record is all that is known of it
--     slot  -> "<sequence> <reply>"     packed; "<sequence>!<error>" for a call that was refused
--
-- 1. Slots are sequences modulo `slots`. In each, sequences only rise: a lower one is a late copy of a
--    call that has been settled, and is refused.
-- 2. Without its record nobody can tell what a client's calls have done, so nothing is carried out for
--    a client that has not begun, or whose record has expired or was lost. A client begins with a name
--    that it has never used before, and says so once.
-- 3. A refusal stands, too: a copy that comes later is not carried out after all.

local slots = 1024
local kept_ms = 3600000

local function record_of(client) return place.tag .. "r:" .. client end

-- client, a new name
operations.once_begin = function(args)
  redis.call("HSET", record_of(args[1]), "begun", 1)
  redis.call("PEXPIRE", record_of(args[1]), kept_ms)
  return 1
end

-- client; what still comes of it is refused
operations.once_end = function(args)
  return redis.call("UNLINK", record_of(args[1]))
end

-- client, sequences of calls that have settled; their replies are not needed any more, and copies are
-- refused
operations.once_forget = function(args)
  local name = record_of(args[1])
  for index = 2, #args do
    local slot = tonumber(args[index]) % slots
    local last = string.match(redis.call("HGET", name, slot) or "", "^%d+")
    if last == args[index] then
      redis.call("HSET", name, slot, last .. "!ANYKV_SUPERSEDED " .. last)
    end
  end
  return 1
end

-- The reply of an earlier copy, or nil when this is the first one.
local function earlier(name, slot, sequence)
  local record = redis.call("HGET", name, slot)
  if not record then
    if redis.call("EXISTS", name) == 0 then fail("NOT_BEGUN", "nothing is known of this client") end
    return nil
  end
  local last, outcome, text = string.match(record, "^(%d+)(.)(.*)$")
  if tonumber(last) > tonumber(sequence) then fail("SUPERSEDED", last) end
  if last ~= sequence then return nil end
  if outcome == "!" then error({ err = text }) end
  return cmsgpack.unpack(text)
end

-- client, sequence, operation, then its arguments
operations.once = function(args)
  local name, sequence = record_of(args[1]), args[2]
  local slot = tonumber(sequence) % slots
  local known = earlier(name, slot, sequence)
  if known ~= nil then return known end
  local operation = operations[args[3]]
  if not operation then fail("UNKNOWN_OPERATION", args[3]) end
  -- A refusal stands also where the store is made anew meanwhile: the client calls under a new
  -- sequence.
  local is_done, reply = pcall(function()
    guard.require_founded(args[3])
    return operation(from(args, 4))
  end)
  local text = is_done and cmsgpack.pack(reply) or type(reply) == "table" and reply.err or reply
  redis.call("HSET", name, slot, sequence .. (is_done and " " or "!") .. text)
  redis.call("PEXPIRE", name, kept_ms)
  if not is_done then error({ err = text }) end
  return reply
end

-- The same for operations that make room, which run where no memory is left.
operations.once_free = function(args)
  if not freeing[args[3]] then fail("UNKNOWN_OPERATION", args[3]) end
  -- A script may write whatever it likes once it has written what needs no memory.
  redis.call("PEXPIRE", record_of(args[1]), kept_ms)
  return operations.once(args)
end
