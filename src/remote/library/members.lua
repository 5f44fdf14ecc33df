-- Members: membership filters, each an exact set of items under the name of a bucket.
--
--   m:<generation>:<bucket>  sorted set  item -> deadline, inf for ever
--   b                        sorted set  bucket -> a moment not after its earliest deadline, or inf
--
-- The generation is a field of `n`; `clear` takes the next one and leaves the buckets of the last one
-- to the sweep.

local members = {}

function members.name_in(generation, bucket)
  return place.tag .. "m:" .. generation .. ":" .. bucket
end

local function name_of(bucket)
  return members.name_in(redis.call("HGET", place.n, "generation") or "0", bucket)
end

local function contains(name, item)
  local deadline = redis.call("ZSCORE", name, item)
  if not deadline then return false end
  return deadline == "inf" or tonumber(deadline) > place.now()
end

local function add(name, bucket, item, ttl)
  local deadline = "inf"
  if ttl ~= nil and ttl ~= "" then deadline = place.now() + tonumber(ttl) end
  redis.call("ZADD", name, deadline, item)
  if not redis.call("ZSCORE", place.b, bucket) then
    redis.call("ZADD", place.b, deadline, bucket)
  else
    redis.call("ZADD", place.b, "LT", deadline, bucket)
  end
end

-- bucket, item
operations.contains_member = function(args)
  return contains(name_of(args[1]), args[2]) and 1 or 0
end

-- bucket, item, claim, milliseconds; 1 if it was not there
operations.add_member = function(args)
  guard.require(args[3])
  local name = name_of(args[1])
  local present = contains(name, args[2])
  add(name, args[1], args[2], args[4])
  return present and 0 or 1
end

-- bucket, item, claim, milliseconds; 1 if it was there
operations.check_then_add_member = function(args)
  guard.require(args[3])
  local name = name_of(args[1])
  if contains(name, args[2]) then return 1 end
  add(name, args[1], args[2], args[4])
  return 0
end

-- bucket, item, claim
operations.delete_member = function(args)
  guard.require(args[3])
  local name = name_of(args[1])
  local present = contains(name, args[2])
  if redis.call("ZREM", name, args[2]) == 1 and redis.call("EXISTS", name) == 0 then
    redis.call("ZREM", place.b, args[1])
  end
  return present and 1 or 0
end

-- bucket
operations.count_members = function(args)
  return redis.call("ZCOUNT", name_of(args[1]), "(" .. decimal(place.now()), "+inf")
end

-- bucket, claim
operations.clear_members = function(args)
  guard.require(args[2])
  redis.call("UNLINK", name_of(args[1]))
  redis.call("ZREM", place.b, args[1])
  return 1
end

-- Removes items that are due; true when more are left, and how many buckets and items it has seen to.
function members.reap(limit)
  local left = limit
  while left > 0 do
    local found = redis.call("ZRANGE", place.b, 0, 0, "WITHSCORES")
    if not found[1] or found[2] == "inf" or tonumber(found[2]) > place.now() then
      return false, limit - left
    end
    local name = name_of(found[1])
    local due = redis.call("ZRANGE", name, "-inf", place.now(), "BYSCORE", "LIMIT", 0, left)
    remove_all("ZREM", name, due)
    left = left - #due - 1
    local next = redis.call("ZRANGE", name, 0, 0, "WITHSCORES")[2]
    if next then
      redis.call("ZADD", place.b, next, found[1])
    else
      redis.call("ZREM", place.b, found[1])
    end
  end
  return true, limit - left
end
