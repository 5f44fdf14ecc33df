-- Expiry: deadlines of keys, and the removal of what is past them, in bounded steps.

local expiry = {}

local function is_there(key)
  if redis.call("HEXISTS", place.v, key) == 0 and redis.call("HEXISTS", place.i, key) == 0 then
    return false
  end
  return not live.is_due(key)
end

-- key, milliseconds, claim
operations.expire = function(args)
  guard.require(args[3])
  if not is_there(args[1]) then return 0 end
  redis.call("ZADD", place.d, place.now() + tonumber(args[2]), args[1])
  return 1
end

-- key, claim
operations.persist = function(args)
  guard.require(args[2])
  if not is_there(args[1]) then return 0 end
  return redis.call("ZREM", place.d, args[1])
end

-- Milliseconds left, -1 for ever, -2 when the key is not there.
operations.ttl = function(args)
  if not is_there(args[1]) then return -2 end
  local deadline = redis.call("ZSCORE", place.d, args[1])
  return deadline and tonumber(deadline) - place.now() or -1
end

-- The earliest deadline of a sorted set, or nil.
local function earliest(name)
  local deadline = redis.call("ZRANGE", name, 0, 0, "WITHSCORES")[2]
  if not deadline or deadline == "inf" then return nil end
  return tonumber(deadline)
end

local function due_in(name, limit)
  if limit <= 0 then return {} end
  return redis.call("ZRANGE", name, "-inf", place.now(), "BYSCORE", "LIMIT", 0, limit)
end

local function is_behind(name)
  local deadline = earliest(name)
  return deadline ~= nil and deadline <= place.now()
end

-- Removes values and arrays that are due; true when more are left.
function expiry.reap_keys(limit)
  if not is_behind(place.d) then return false, 0 end
  local keys = due_in(place.d, limit)
  live.drop_all_due(keys)
  return is_behind(place.d), #keys
end

-- Ends claims: their values are free.
function expiry.end_claims(keys)
  remove_all("HDEL", place.c, keys)
  remove_all("ZREM", place.e, keys)
  add_all(place.f, 0, keys)
end

-- Ends claims whose lease is over. Their values are there: they were not due.
function expiry.reap_claims(limit)
  if not is_behind(place.e) then return false, 0 end
  local keys = due_in(place.e, limit)
  expiry.end_claims(keys)
  return is_behind(place.e), #keys
end

-- Brings values and claims to an instant at which nothing is due. The rest of a long backlog is
-- left to the next call, so that no call takes long.
function expiry.catch_up()
  local more, reaped = expiry.reap_keys(reaped_rows_max)
  if not more then more = expiry.reap_claims(reaped_rows_max - reaped) end
  if more then fail("BEHIND", "call again: more has expired than one call removes") end
end

-- Of keys alone: for those who count claims that have expired.
function expiry.catch_up_keys()
  if expiry.reap_keys(reaped_rows_max) then
    fail("BEHIND", "call again: more has expired than one call removes")
  end
end

function expiry.next_deadline()
  local next = never
  for _, name in ipairs({ place.d, place.e, place.b }) do
    next = math.min(next, earliest(name) or never)
  end
  return math.max(0, next)
end
