-- Upkeep: emptying, background removal, and what is told of the whole partition.
--
--   g             list of names that nobody can reach any more, to be swept
--   x:<number>    a former `i`: arrays to be removed     o:<number>  the `a` that belongs to it
--   y:<generation>  a former `b`: buckets to be removed
--
-- Each step of a sweep takes names off a sorted set, so that it gets on whatever the server does with
-- its hash tables, also on another server after a failover.

local upkeep = {}

-- Names that one step of a sweep removes.
local swept_names_max = 100
-- After which a load may have been given up: load.lua.
upkeep.silent_ms = 60000

local function retire(name, retired)
  if redis.call("EXISTS", name) == 0 then return false end
  redis.call("RENAME", name, place.tag .. retired)
  return true
end

-- `lists` and `order` are an `i` and its `a`; the buckets of `generation` are those that `buckets`
-- lists.
function upkeep.retire(lists, order, buckets, generation)
  local number = decimal(redis.call("HINCRBY", place.n, "retired", 1))
  retire(order, "o:" .. number)
  if retire(lists, "x:" .. number) then redis.call("RPUSH", place.g, "x:" .. number) end
  if retire(buckets, "y:" .. generation) then redis.call("RPUSH", place.g, "y:" .. generation) end
end

function upkeep.next_generation()
  return decimal(redis.call("HINCRBY", place.n, "generations", 1))
end

-- O(1): large structures are freed in a thread of the server, and many ones by the sweep. What needs
-- no memory comes first: a script may write whatever it likes once it has done so.
function upkeep.empty(generation)
  redis.call("UNLINK", place.v, place.k, place.f, place.d, place.c, place.e, place.t)
  upkeep.retire(place.i, place.a, place.b, redis.call("HGET", place.n, "generation") or "0")
  redis.call("HSET", place.n, "generation", generation or upkeep.next_generation())
end

-- claim; tokens and ids go on rising
operations.clear = function(args)
  guard.require(args[1])
  upkeep.end_silent_load(upkeep.silent_ms)
  upkeep.empty()
  if redis.call("HEXISTS", place.n, "loading") == 0 then redis.call("HDEL", place.n, "large") end
  return 1
end

-- Elements on their way into an array that is being loaded: load.lua.
function upkeep.pieces_name(id)
  return place.tag .. "s:x:" .. id
end

-- The first names of a sorted set, which loses them.
local function take_names(name)
  local popped, names = redis.call("ZPOPMIN", name, swept_names_max), {}
  for index = 1, #popped, 2 do names[#names + 1] = popped[index] end
  return names
end

-- Removes some arrays; how many.
local function sweep_lists(number)
  local lists = place.tag .. "x:" .. number
  local keys, names = take_names(place.tag .. "o:" .. number), {}
  if #keys == 0 then return redis.call("UNLINK", lists) end
  for _, id in ipairs(redis.call("HMGET", lists, unpack(keys))) do
    if id then
      names[#names + 1] = live.list_name(id)
      names[#names + 1] = upkeep.pieces_name(live.id_of(id))
    end
  end
  if #names > 0 then redis.call("UNLINK", unpack(names)) end
  redis.call("HDEL", lists, unpack(keys))
  return #keys
end

local function sweep_buckets(generation)
  local names = {}
  for index, bucket in ipairs(take_names(place.tag .. "y:" .. generation)) do
    names[index] = members.name_in(generation, bucket)
  end
  if #names > 0 then redis.call("UNLINK", unpack(names)) end
  return #names
end

-- One step: how many names it has removed, 0 when nothing was left to do.
function upkeep.sweep()
  local retired = redis.call("LINDEX", place.g, 0)
  if not retired then return 0 end
  local is_lists, number = string.sub(retired, 1, 1) == "x", string.sub(retired, 3)
  local removed = is_lists and sweep_lists(number) or sweep_buckets(number)
  if redis.call("EXISTS", place.tag .. retired) == 0 then
    redis.call("LPOP", place.g)
    removed = removed + 1
  end
  return removed
end

-- limit; 1 if more is to be done now, the next deadline or -1, the moment, how much has been removed
operations.reap = function(args)
  local limit, now = tonumber(args[1]), place.now()
  local more, removed = expiry.reap_keys(limit)
  if not more and removed < limit then
    local ended
    more, ended = expiry.reap_claims(limit - removed)
    removed = removed + ended
  end
  if not more then
    local found
    more, found = members.reap(limit)
    removed = removed + found
  end
  if not more then
    -- A load that is removed is swept: load.lua.
    removed = removed + upkeep.end_silent_load() + upkeep.sweep()
    more = redis.call("EXISTS", place.g) == 1
  end
  local next = expiry.next_deadline()
  return { more and 1 or 0, next == never and -1 or next, now, removed }
end

-- Keys in order, rows of the table, changes so far, the moment.
operations.report = function()
  return {
    redis.call("ZCARD", place.k),
    redis.call("HLEN", place.v),
    tonumber(redis.call("HGET", place.n, "changes") or 0),
    place.now(),
  }
end

-- "arrays" or "buckets", after, limit; whether it is the end, the last name, how many elements
operations.measure = function(args)
  local is_arrays = args[1] == "arrays"
  local order = is_arrays and place.a or place.t
  local names, done = query.page(order, "", args[2], tonumber(args[3]))
  local sum = 0
  for _, each in ipairs(names) do
    sum = sum + operations[is_arrays and "length" or "count_members"]({ each })
  end
  return { done and 1 or 0, names[#names] or "", sum, #names }
end
