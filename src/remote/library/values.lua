-- Values by key, alone and in batches.

operations.get = function(args)
  return live.find_value(args[1]) or ""
end

-- keys; a value for each of the first ones
operations.get_many = function(args)
  return live.find_values(args)
end

operations.exists = function(args)
  local key = args[1]
  local found = redis.call("HEXISTS", place.v, key) == 1 or redis.call("HEXISTS", place.i, key) == 1
  return found and not live.is_due(key) and 1 or 0
end

-- key, value, claim, expiry. The most frequent write: it asks for nothing twice.
operations.set = function(args)
  local key = args[1]
  guard.require(args[3])
  local deadline = redis.call("ZSCORE", place.d, key)
  if deadline and tonumber(deadline) <= place.now() then
    live.drop_due(key)
    deadline = nil
  elseif redis.call("HEXISTS", place.i, key) == 1 then
    live.refuse_list(key)
  end
  live.put_value(key, args[2], args[4], not deadline)
  return 1
end

-- The keys of `keys` that no claim is on.
local function without_claims(keys)
  if redis.call("HLEN", place.c) == 0 then return keys end
  local free = {}
  for index, claim in ipairs(fields_of(place.c, keys)) do
    if not claim then free[#free + 1] = keys[index] end
  end
  return free
end

-- Every second of `args` from a position on.
local function every_second(args, first)
  local keys = {}
  for index = first, #args, 2 do keys[#keys + 1] = args[index] end
  return keys
end

-- claim, expiry, then key and value in turn. Batches mostly find no array, no deadline and no new
-- key: then the values are all that is touched.
operations.set_many = function(args)
  guard.require(args[1])
  local deadline = live.deadline_in(args[2])
  local has_deadlines = redis.call("ZCARD", place.d) > 0
  local keys = nil
  if has_deadlines or redis.call("HLEN", place.i) > 0 then
    keys = every_second(args, 3)
    live.take_all(keys)
  end
  page.note_all(args, 4, 2)
  local added = 0
  for first = 3, #args, 2 * chunk do
    local last = math.min(#args, first + 2 * chunk - 1)
    added = added + redis.call("HSET", place.v, unpack(args, first, last))
  end
  if added > 0 then
    keys = keys or every_second(args, 3)
    add_all(place.k, 0, keys)
    add_all(place.f, 0, without_claims(keys))
  end
  if deadline == nil then
    if has_deadlines then remove_all("ZREM", place.d, keys) end
  elseif deadline ~= "keep" then
    add_all(place.d, deadline, keys or every_second(args, 3))
  end
  return (#args - 2) / 2
end

-- key, claim
operations.delete = function(args)
  guard.require(args[2])
  if not live.take_value(args[1]) then return 0 end
  live.drop_value(args[1])
  return 1
end

-- claim, then keys
operations.delete_many = function(args)
  guard.require(args[1])
  local keys = from(args, 2)
  live.take_all(keys)
  return live.drop_values(keys)
end

-- key, trust, claim
operations.fetch_remove = function(args)
  local key = args[1]
  guard.require(args[3])
  local value = live.take_value(key)
  if not value then return "" end
  local unread = guard.untrusted({ key }, { value }, args[2])
  if unread then return unread end
  live.drop_value(key)
  return value
end
