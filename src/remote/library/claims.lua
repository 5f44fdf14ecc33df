-- Claims: exclusive leases on values, fenced by tokens that rise and never repeat.
--
-- The tokens of partition p of P are congruent to p modulo P, so that no two partitions give the same.
-- Each is above the last one and above the clock: so they do not repeat either when the server has
-- gone back to an older state, or lost all, as long as the clock goes on and the tokens lost were not
-- ahead of it.

local claims = {}

-- Claims that have expired and that one call looks at.
local expired_claims_max = 1000

-- Puts claims on keys that are free; their tokens. `lease` is { step of tokens, milliseconds, owner }.
function claims.grant(keys, lease)
  local tokens, rows = {}, {}
  if #keys == 0 then return tokens end
  local ends, step = decimal(place.now() + tonumber(lease[2])), tonumber(lease[1])
  local before = tonumber(redis.call("HGET", place.n, "token") or 0)
  local last = math.max(before, place.token_at(step, before % step)) + step * #keys
  redis.call("HSET", place.n, "token", decimal(last))
  for index = 1, #keys do
    tokens[index] = decimal(last - step * (#keys - index))
    rows[index] = tokens[index] .. " " .. lease[3]
  end
  set_fields(place.c, keys, rows)
  add_all(place.e, ends, keys)
  remove_all("ZREM", place.f, keys)
  return tokens
end

-- Free keys of a prefix, one for each random number from `first` on, and their values; fewer of both
-- when these are large, and whether they are fewer.
local function choose_free(args, first)
  expiry.catch_up()
  local start, behind = query.range(place.f, args[1])
  local ranks = query.distinct_ranks(args, first, behind - start)
  local found = query.select(place.f, start, ranks, behind - start)
  local values, keys = page.values(found), {}
  for index = 1, #values do keys[index] = found[index] end
  return keys, values, #keys < #found
end

-- prefix, step, milliseconds, owner, trust, then a random number for each claim;
-- "ok" or, if values are so large that they have to be fetched in several calls, "more";
-- end of the leases, then key, token and value in turn
operations.claim_random = function(args)
  guard.require_open(args[2])
  local keys, values, has_more = choose_free(args, 6)
  local unread = guard.untrusted(keys, values, args[5])
  if unread then return unread end
  local reply = { has_more and "more" or "ok", decimal(place.now() + tonumber(args[3])) }
  local tokens = claims.grant(keys, { args[2], args[3], args[4] })
  for index, key in ipairs(keys) do
    reply[3 * index] = key
    reply[3 * index + 1] = tokens[index]
    reply[3 * index + 2] = values[index]
  end
  return reply
end

-- prefix, trust, claim, then a random number for each; "ok" or "more", then key and value in turn
operations.pop_random = function(args)
  guard.require(args[3])
  local keys, values, has_more = choose_free(args, 4)
  local unread = guard.untrusted(keys, values, args[2])
  if unread then return unread end
  live.drop_values(keys, true)
  local reply = { has_more and "more" or "ok" }
  for index, key in ipairs(keys) do
    reply[2 * index] = key
    reply[2 * index + 1] = values[index]
  end
  return reply
end

-- For each of keys whether it can be claimed now: nil if so, "busy" or "missing" otherwise.
local function hindrances(keys, values)
  local deadlines, ends = scores_of(place.d, keys), scores_of(place.e, keys)
  local states = {}
  for index = 1, #values do
    local deadline, lease = deadlines[index], ends[index]
    if not values[index] or deadline and tonumber(deadline) <= place.now() then
      states[index] = "missing"
    elseif lease and tonumber(lease) > place.now() then
      states[index] = "busy"
    end
  end
  return states
end

-- The stored values of keys: of all, or of as many from the first on as one call reads.
local function values_to_claim(keys, are_all)
  return are_all and fields_of(place.v, keys) or page.values(keys)
end

-- step, milliseconds, owner, trust, 1 for all or nothing, then keys;
-- "ok", end of the leases, then state, token and value for each key, or "blocked", position, state.
-- Without all or nothing there are fewer when values are large.
operations.claim_keys = function(args)
  guard.require_open(args[1])
  local keys = from(args, 6)
  local values = values_to_claim(keys, args[5] == "1")
  local states = hindrances(keys, values)
  local free, free_values = {}, {}
  for index = 1, #values do
    if states[index] and args[5] == "1" then return { "blocked", index - 1, states[index] } end
    if not states[index] then
      free[#free + 1] = keys[index]
      free_values[#free] = values[index]
    end
  end
  local unread = guard.untrusted(free, free_values, args[4])
  if unread then return unread end
  local reply = { "ok", decimal(place.now() + tonumber(args[2])) }
  local tokens, granted = claims.grant(free, { args[1], args[2], args[3] }), 0
  for index = 1, #values do
    local state = states[index]
    if not state then granted = granted + 1 end
    reply[3 * index] = state or "claimed"
    reply[3 * index + 1] = state and "0" or tokens[granted]
    reply[3 * index + 2] = state and "" or values[index]
  end
  return reply
end

-- Which of claims are held, 1 or 0 for each, and the keys of those that are; `args` has key and token
-- in turn from `first` on. A claim that ends here is held by the first who names it.
local function held_in(args, first, is_ending)
  local keys, held, held_keys, seen = {}, {}, {}, {}
  for index = first, #args, 2 do keys[#keys + 1] = args[index] end
  local rows, ends = fields_of(place.c, keys), scores_of(place.e, keys)
  local has_deadlines = redis.call("ZCARD", place.d) > 0
  local deadlines = has_deadlines and scores_of(place.d, keys)
  for index, key in ipairs(keys) do
    local token = rows[index] and string.match(rows[index], "^(%d+) ")
    local is_held = token == args[first + 2 * index - 1]
      and not seen[key]
      and ends[index]
      and tonumber(ends[index]) > place.now()
    local deadline = is_held and deadlines and deadlines[index]
    if deadline and tonumber(deadline) <= place.now() then is_held = false end
    held[index] = is_held and 1 or 0
    if is_held then
      held_keys[#held_keys + 1] = key
      seen[key] = is_ending
    end
  end
  return held, held_keys
end

operations.release_claims = function(args)
  local held, keys = held_in(args, 1, true)
  expiry.end_claims(keys)
  return held
end

-- 1 to delete the keys, then key and token in turn
operations.complete_claims = function(args)
  local held, keys = held_in(args, 2, true)
  if args[1] == "1" then live.drop_values(keys) else expiry.end_claims(keys) end
  return held
end

-- milliseconds, then key and token in turn
operations.renew_claims = function(args)
  local held, keys = held_in(args, 2, false)
  if #keys > 0 then add_all(place.e, decimal(place.now() + tonumber(args[1])), keys) end
  return held
end

-- Ends up to `limit` claims; how many are left.
operations.drop_claims = function(args)
  expiry.end_claims(redis.call("ZRANGE", place.e, 0, tonumber(args[1]) - 1))
  return redis.call("ZCARD", place.e)
end

-- prefix; values, free ones, claims that have expired and are still there. Those of a prefix are found
-- one by one, so that no more than `expired_claims_max` may be left of them.
operations.allocation = function(args)
  local prefix = args[1]
  expiry.catch_up_keys()
  local expired = redis.call("ZCOUNT", place.e, "-inf", place.now())
  if prefix ~= "" and expired > 0 then
    if expired > expired_claims_max and expiry.reap_claims(expired_claims_max) then
      fail("BEHIND", "call again: more leases have ended than one call looks at")
    end
    expired = 0
    for _, key in ipairs(redis.call("ZRANGE", place.e, "-inf", place.now(), "BYSCORE")) do
      if string.sub(key, 1, #prefix) == prefix then expired = expired + 1 end
    end
  end
  local first, behind = query.range(place.k, prefix)
  local first_free, behind_free = query.range(place.f, prefix)
  return { behind - first, behind_free - first_free, expired }
end

-- Claims that one call lists.
local listed_claims_max = 100

-- How many keys before a rank are claimed: those that are not free.
local function claimed_before(rank)
  local key = redis.call("ZRANGE", place.k, rank, rank)[1]
  if not key then return redis.call("ZCARD", place.k) - redis.call("ZCARD", place.f) end
  return rank - redis.call("ZLEXCOUNT", place.f, "-", "(" .. key)
end

-- The rank of the first claimed key from a rank on; there is one below `behind`. In steps that grow,
-- and then by halves: O(log n) looks at the free keys, whatever lies between two claims.
local function next_claimed(first, behind)
  local before = claimed_before(first)
  local low, high, step = first, first + 1, 1
  while high < behind and claimed_before(high) == before do
    low, step = high, 2 * step
    high = math.min(behind, high + step)
  end
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if claimed_before(middle) == before then low = middle else high = middle end
  end
  return low
end

-- prefix, after, limit; whether it is the end, then key, token, owner and end of the lease in turn;
-- fewer than asked for when these are many
operations.list_claims = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.k, args[1])
  if args[2] ~= "" then
    first = math.max(first, redis.call("ZLEXCOUNT", place.k, "-", "[" .. args[2]))
  end
  local left = first < behind and claimed_before(behind) - claimed_before(first) or 0
  local count = math.min(left, tonumber(args[3]), listed_claims_max)
  local reply = { count == left and 1 or 0 }
  for _ = 1, count do
    local rank = next_claimed(first, behind)
    local key = redis.call("ZRANGE", place.k, rank, rank)[1]
    local token, owner = string.match(redis.call("HGET", place.c, key), "^(%d+) (.*)$")
    reply[#reply + 1] = key
    reply[#reply + 1] = token
    reply[#reply + 1] = owner
    reply[#reply + 1] = decimal(tonumber(redis.call("ZSCORE", place.e, key)))
    first = rank + 1
  end
  return reply
end
