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
  local values = page.values(keys)
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

-- Keys of a sorted set by ranks below `bound`, counted from `start`. Where many of them are asked for,
-- all are read: one by one they cost more.
function query.select(name, start, ranks, bound)
  local keys = {}
  if bound <= 4 * #ranks then
    local all = {}
    for first = 0, bound - 1, chunk do
      local last = math.min(bound, first + chunk) - 1
      for _, key in ipairs(redis.call("ZRANGE", name, start + first, start + last)) do
        all[#all + 1] = key
      end
    end
    for index, rank in ipairs(ranks) do keys[index] = all[rank + 1] end
  else
    for index, rank in ipairs(ranks) do
      keys[index] = redis.call("ZRANGE", name, start + rank, start + rank)[1]
    end
  end
  return keys
end

-- prefix, 1 for different keys, then a random number for each
operations.sample = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.k, args[1])
  local choose = args[2] == "1" and query.distinct_ranks or query.any_ranks
  return query.select(place.k, first, choose(args, 3, behind - first), behind - first)
end

-- prefix, then ranks; the keys at these ranks, counted from the first of the prefix, none for what is
-- beyond the last
operations.select_keys = function(args)
  expiry.catch_up()
  local first, behind = query.range(place.k, args[1])
  local ranks = {}
  for index = 2, #args do
    local rank = tonumber(args[index])
    if rank < behind - first then ranks[#ranks + 1] = rank end
  end
  return query.select(place.k, first, ranks, behind - first)
end

-- prefix, limit, claim; how many are deleted, and whether these were all
operations.delete_prefix = function(args)
  guard.require(args[3])
  expiry.catch_up()
  local keys, done = query.page(place.k, args[1], "", tonumber(args[2]))
  live.drop_values(keys)
  return { #keys, done and 1 or 0 }
end
