-- Guards: the fence of writes, and what stands between an unreadable value and its last reader.

local guard = {}

-- Whether `token` is that of the claim that holds `key` now.
function guard.is_held(key, token)
  local claim = redis.call("HGET", place.c, key)
  if not claim or string.match(claim, "^(%d+) ") ~= token then return false end
  local ends = redis.call("ZSCORE", place.e, key)
  if not ends or tonumber(ends) <= place.now() then return false end
  return redis.call("HEXISTS", place.v, key) == 1 and not live.is_due(key)
end

-- `claim` is "<token> <key>", or nothing where nothing guards the write.
function guard.require(claim)
  if claim == nil or claim == "" then return end
  local token, key = string.match(claim, "^(%d+) (.*)$")
  if not token or not guard.is_held(key, token) then fail("STALE_CLAIM", "nothing was changed") end
end

-- Of calls that grant tokens, whose step is the number of partitions: where all data have been lost
-- under an open store, tokens would begin again, or meet those of other partitions. Whoever opens the
-- partition anew gives it tokens that were never granted.
function guard.require_open(step)
  if redis.call("HGET", place.n, "partitions") ~= step then fail("NOT_OPEN", "the store was lost") end
end

-- Of operations that write.
function guard.require_founded(operation)
  if not founded[operation] or redis.call("HEXISTS", place.n, "layout") == 1 then return end
  fail("NOT_OPEN", "the store was lost")
end

local function is_trusted(value, kinds, trust)
  if string.find(kinds, string.sub(value, 1, 1), 1, true) then return true end
  return #trust > #kinds and string.find(trust, redis.sha1hex(value), #kinds + 1, true) ~= nil
end

-- { "check", key, value, ... } for the values that have to be looked at before they are handed out
-- for the last time, nil if there is none. `trust` is "<kinds> <digests>": the kinds that the caller
-- can always read, and the SHA-1 of further values that it has seen and found readable.
function guard.untrusted(keys, values, trust)
  local reply = { "check" }
  local kinds = string.match(trust, "^%l*")
  for index, value in ipairs(values) do
    if not is_trusted(value, kinds, trust) then
      reply[#reply + 1] = keys[index]
      reply[#reply + 1] = value
    end
  end
  return #reply > 1 and reply or nil
end
