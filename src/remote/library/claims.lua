-- Claims: exclusive leases on values, fenced by tokens that rise and never repeat.
--
-- Tokens of a partition rise by the number of partitions, so that no two partitions give the same.

local claims = {}

function claims.is_claimed(key)
  local ends = redis.call("ZSCORE", place.e, key)
  return ends and tonumber(ends) > place.now()
end

-- The token. `lease` is { step of tokens, milliseconds, owner }.
function claims.grant(key, lease)
  local token = decimal(redis.call("HINCRBY", place.n, "token", lease[1]))
  redis.call("HSET", place.c, key, token .. " " .. lease[3])
  redis.call("ZADD", place.e, place.now() + tonumber(lease[2]), key)
  redis.call("ZREM", place.f, key)
  return token
end

function claims.finish(key)
  redis.call("HDEL", place.c, key)
  redis.call("ZREM", place.e, key)
  redis.call("ZADD", place.f, 0, key)
end

-- Free keys of a prefix, one for each random number from `first` on, and their values.
local function choose_free(args, first)
  expiry.catch_up()
  local start, behind = query.range(place.f, args[1])
  local ranks = query.distinct_ranks(args, first, behind - start)
  local keys, values = query.select(place.f, start, ranks), {}
  in_chunks(keys, function(some)
    for _, value in ipairs(redis.call("HMGET", place.v, unpack(some))) do
      values[#values + 1] = value
    end
  end)
  return keys, values
end

-- prefix, step, milliseconds, owner, trust, then a random number for each claim;
-- "ok", end of the leases, then key, token and value in turn
operations.claim_random = function(args)
  guard.require_open(args[2])
  local keys, values = choose_free(args, 6)
  local unread = guard.untrusted(keys, values, args[5])
  if unread then return unread end
  local lease = { args[2], args[3], args[4] }
  local reply = { "ok", decimal(place.now() + tonumber(args[3])) }
  for index, key in ipairs(keys) do
    reply[3 * index] = key
    reply[3 * index + 1] = claims.grant(key, lease)
    reply[3 * index + 2] = values[index]
  end
  return reply
end

-- prefix, trust, claim, then a random number for each; "ok", then key and value in turn
operations.pop_random = function(args)
  guard.require(args[3])
  local keys, values = choose_free(args, 4)
  local unread = guard.untrusted(keys, values, args[2])
  if unread then return unread end
  live.drop_values(keys)
  local reply = { "ok" }
  for index, key in ipairs(keys) do
    reply[2 * index] = key
    reply[2 * index + 1] = values[index]
  end
  return reply
end

-- The value of a key that can be claimed now; nil and why not, otherwise.
local function claimable(key)
  local value = redis.call("HGET", place.v, key)
  if not value or live.is_due(key) then return nil, "missing" end
  if claims.is_claimed(key) then return nil, "busy" end
  return value
end

-- step, milliseconds, owner, trust, 1 for all or nothing, then keys;
-- "ok", end of the leases, then state, token and value for each key, or "blocked", position, state
operations.claim_keys = function(args)
  guard.require_open(args[1])
  local keys, values, states = from(args, 6), {}, {}
  local free, free_values = {}, {}
  for index, key in ipairs(keys) do
    local value, state = claimable(key)
    if state and args[5] == "1" then return { "blocked", index - 1, state } end
    states[index] = state or "claimed"
    values[index] = value or ""
    if value then
      free[#free + 1] = key
      free_values[#free] = value
    end
  end
  local unread = guard.untrusted(free, free_values, args[4])
  if unread then return unread end
  local lease = { args[1], args[2], args[3] }
  local reply = { "ok", decimal(place.now() + tonumber(args[2])) }
  for index, key in ipairs(keys) do
    reply[3 * index] = states[index]
    reply[3 * index + 1] = states[index] == "claimed" and claims.grant(key, lease) or "0"
    reply[3 * index + 2] = values[index]
  end
  return reply
end

-- Changes each claim that is held; `args` has key and token in turn from `first` on.
local function each_held(args, first, change)
  local held = {}
  for index = first, #args, 2 do
    local is_held = guard.is_held(args[index], args[index + 1])
    if is_held then change(args[index]) end
    held[#held + 1] = is_held and 1 or 0
  end
  return held
end

operations.release_claims = function(args)
  return each_held(args, 1, claims.finish)
end

-- 1 to delete the keys, then key and token in turn
operations.complete_claims = function(args)
  return each_held(args, 2, args[1] == "1" and live.drop_value or claims.finish)
end

-- milliseconds, then key and token in turn
operations.renew_claims = function(args)
  local ends = nil
  return each_held(args, 2, function(key)
    ends = ends or place.now() + tonumber(args[1])
    redis.call("ZADD", place.e, ends, key)
  end)
end

-- Ends up to `limit` claims; how many are left.
operations.drop_claims = function(args)
  local limit = tonumber(args[1])
  for _, key in ipairs(redis.call("ZRANGE", place.e, 0, limit - 1)) do claims.finish(key) end
  return redis.call("ZCARD", place.e)
end

-- prefix; values, free ones, claims that have expired and are still there
operations.allocation = function(args)
  local prefix = args[1]
  expiry.catch_up_keys()
  local first, behind = query.range(place.k, prefix)
  local first_free, behind_free = query.range(place.f, prefix)
  local expired = 0
  if redis.call("ZCOUNT", place.e, "-inf", place.now()) > 1000 then expiry.reap_claims(1000) end
  local due = redis.call("ZRANGE", place.e, "-inf", place.now(), "BYSCORE", "LIMIT", 0, 1000)
  for _, key in ipairs(due) do
    if string.sub(key, 1, #prefix) == prefix then expired = expired + 1 end
  end
  return { behind - first, behind_free - first_free, expired }
end
