-- Queries: values in key order, counts and samples. They run on reaped tables, so that ranks count
-- live values only; each one costs O(log n) and the rows that it gives.

local query = {}

-- Ranks of the members of a sorted set that begin with `prefix`: the first, and the one behind the
-- last. Keys are UTF-8, in which there is no byte FF.
function query.range(name, prefix)
  if prefix == "" then return 0, redis.call("ZCARD", name) end
  local first = redis.call("ZLEXCOUNT", name, "-", "(" .. prefix)
  return first, first + redis.call("ZLEXCOUNT", name, "[" .. prefix, "(" .. prefix .. "\255")
end

-- Up to `limit` keys of the prefix behind `after`, and whether they are the last ones.
function query.page(name, prefix, after, limit)
  local first, behind = query.range(name, prefix)
  if after ~= "" then
    first = math.max(first, redis.call("ZLEXCOUNT", name, "-", "[" .. after))
  end
  local stop = math.min(behind, first + limit)
  if first >= stop then return {}, stop >= behind end
  return redis.call("ZRANGE", name, first, stop - 1), stop >= behind
end

-- The values of keys, some at a time until they are `page_bytes` together; how many these are.
function query.values(keys)
  local values, bytes = {}, 0
  for first = 1, #keys, 50 do
    local last = math.min(#keys, first + 49)
    for _, value in ipairs(redis.call("HMGET", place.v, unpack(keys, first, last))) do
      values[#values + 1] = value
      bytes = bytes + #value
    end
    if bytes >= page_bytes then break end
  end
  return values
end

-- prefix, after, limit; whether it is the end, then keys
operations.scan_keys = function(args)
  expiry.catch_up()
  local keys, done = query.page(place.k, args[1], args[2], tonumber(args[3]))
  table.insert(keys, 1, done and 1 or 0)
  return keys
end

-- prefix, after, limit; whether it is the end, then key and value in turn
operations.scan = function(args)
  expiry.catch_up()
  local keys, done = query.page(place.k, args[1], args[2], tonumber(args[3]))
  local values = query.values(keys)
  local reply = { (done and #values == #keys) and 1 or 0 }
  for index, value in ipairs(values) do
    reply[2 * index] = keys[index]
    reply[2 * index + 1] = value
  end
  return reply
end

-- prefix
operations.count = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.k, args[1])
  return behind - first
end

-- prefix; the keys of it that can be claimed
operations.count_free = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.f, args[1])
  return behind - first
end

-- prefix, limit
operations.list_arrays = function(args)
  expiry.catch_up()
  local keys, done = query.page(place.a, args[1], args[2], tonumber(args[3]))
  table.insert(keys, 1, done and 1 or 0)
  return keys
end

-- A random integer in [0, bound) out of one in [0, 2^53).
local function below(random, bound)
  return math.min(bound - 1, math.floor(tonumber(random) / 9007199254740992 * bound))
end

-- One rank in [0, bound) for each random number from the position `first` of `args` on.
function query.any_ranks(args, first, bound)
  local ranks = {}
  for index = first, bound > 0 and #args or 0 do ranks[#ranks + 1] = below(args[index], bound) end
  return ranks
end

-- The same, all of them different, as many as there are: a shuffle that remembers only the places it
-- has touched.
function query.distinct_ranks(args, first, bound)
  local moved, ranks = {}, {}
  for position = 0, math.min(#args - first + 1, bound) - 1 do
    local other = position + below(args[first + position], bound - position)
    ranks[#ranks + 1] = moved[other] or other
    moved[other] = moved[position] or position
  end
  return ranks
end

-- Keys of a sorted set by their ranks, counted from `start`.
function query.select(name, start, ranks)
  local keys = {}
  for index, rank in ipairs(ranks) do
    keys[index] = redis.call("ZRANGE", name, start + rank, start + rank)[1]
  end
  return keys
end

-- prefix, 1 for different keys, then a random number for each
operations.sample = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.k, args[1])
  local choose = args[2] == "1" and query.distinct_ranks or query.any_ranks
  return query.select(place.k, first, choose(args, 3, behind - first))
end

-- prefix, limit, claim; how many are deleted, and whether these were all
operations.delete_prefix = function(args)
  guard.require(args[3])
  expiry.catch_up()
  local keys, done = query.page(place.k, args[1], "", tonumber(args[2]))
  live.drop_values(keys)
  return { #keys, done and 1 or 0 }
end
