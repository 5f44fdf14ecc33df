-- Upkeep: emptying, background removal, and what is told of the whole partition.
--
--   g             list of names that nobody can reach any more, to be swept
--   x:<number>    a former `i`: arrays to be removed     y:<generation>  a former `b`: buckets

local upkeep = {}

local function retire(name, retired)
  if redis.call("EXISTS", name) == 0 then return end
  redis.call("RENAME", name, place.tag .. retired)
  redis.call("RPUSH", place.g, retired)
end

-- The buckets of `generation` are those that `buckets` lists.
function upkeep.retire(lists, buckets, generation)
  retire(lists, "x:" .. decimal(redis.call("HINCRBY", place.n, "retired", 1)))
  retire(buckets, "y:" .. generation)
end

function upkeep.next_generation()
  return decimal(redis.call("HINCRBY", place.n, "generations", 1))
end

-- O(1): large structures are freed in a thread of the server, and many ones by the sweep.
function upkeep.empty(generation)
  upkeep.retire(place.i, place.b, redis.call("HGET", place.n, "generation") or "0")
  redis.call("UNLINK", place.v, place.k, place.f, place.d, place.a, place.c, place.e)
  redis.call("HSET", place.n, "generation", generation)
end

-- claim; tokens and ids go on rising
operations.clear = function(args)
  guard.require(args[1])
  upkeep.empty(upkeep.next_generation())
  return 1
end

-- Elements on their way into an array that is being loaded: load.lua.
function upkeep.pieces_name(id)
  return place.tag .. "s:x:" .. id
end

local function sweep_lists(name)
  local found = redis.call("HSCAN", name, 0, "COUNT", 100)[2]
  for index = 1, #found, 2 do
    local id = found[index + 1]
    redis.call("UNLINK", live.list_name(id), upkeep.pieces_name(id))
    redis.call("HDEL", name, found[index])
  end
end

local function sweep_buckets(name, generation)
  for _, bucket in ipairs(redis.call("ZRANGE", name, 0, 99)) do
    redis.call("UNLINK", members.name_in(generation, bucket))
    redis.call("ZREM", name, bucket)
  end
end

-- One step; true when more is left.
function upkeep.sweep()
  local retired = redis.call("LINDEX", place.g, 0)
  if not retired then return false end
  local name, number = place.tag .. retired, string.sub(retired, 3)
  if string.sub(retired, 1, 1) == "x" then
    sweep_lists(name)
  else
    sweep_buckets(name, number)
  end
  if redis.call("EXISTS", name) == 0 then redis.call("LPOP", place.g) end
  return redis.call("EXISTS", place.g) == 1
end

-- limit; 1 if more is to be done now, the next deadline or -1, the moment
operations.reap = function(args)
  local limit = tonumber(args[1])
  local more, reaped = expiry.reap_keys(limit)
  if not more and reaped < limit then more = expiry.reap_claims(limit - reaped) end
  if not more then more = members.reap(limit) end
  if not more then more = upkeep.sweep() end
  local next = expiry.next_deadline()
  return { more and 1 or 0, next == never and -1 or next, place.now() }
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
  local name = is_arrays and place.a or place.b
  local names, done
  if is_arrays then
    names, done = query.page(name, "", args[2], tonumber(args[3]))
  else
    local first = tonumber(args[2] == "" and "0" or args[2])
    names = redis.call("ZRANGE", name, first, first + tonumber(args[3]) - 1)
    done = #names < tonumber(args[3])
  end
  local sum = 0
  for _, each in ipairs(names) do
    sum = sum + operations[is_arrays and "length" or "count_members"]({ each })
  end
  return { done and 1 or 0, names[#names] or "", sum, #names }
end
