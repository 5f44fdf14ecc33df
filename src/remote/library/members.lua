-- Members: membership filters, each an exact set of items under the name of a bucket.
--
--   m:<generation>:<bucket>  sorted set  item -> deadline, inf for ever
--   b                        sorted set  bucket -> a moment not after its earliest deadline, or inf
--   t                        sorted set of the same buckets, all scores 0: the order of every walk,
--                            which expiry does not change
--
-- The generation is a field of `n`; `clear` takes the next one and leaves the buckets of the last one
-- to the sweep.

local members = {}

function members.name_in(generation, bucket)
  return place.tag .. "m:" .. generation .. ":" .. bucket
end

function members.name_of(bucket)
  return members.name_in(redis.call("HGET", place.n, "generation") or "0", bucket)
end

-- To be called for each item that is written.
function members.list(bucket, deadline)
  if redis.call("ZSCORE", place.b, bucket) then
    redis.call("ZADD", place.b, "LT", deadline, bucket)
  else
    redis.call("ZADD", place.b, deadline, bucket)
    redis.call("ZADD", place.t, 0, bucket)
  end
end

-- For a bucket without items.
local function unlist(bucket)
  redis.call("ZREM", place.b, bucket)
  redis.call("ZREM", place.t, bucket)
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
  members.list(bucket, deadline)
end

-- bucket, item
operations.contains_member = function(args)
  return contains(members.name_of(args[1]), args[2]) and 1 or 0
end

-- bucket, item, claim, milliseconds; 1 if it was not there
operations.add_member = function(args)
  guard.require(args[3])
  local name = members.name_of(args[1])
  local present = contains(name, args[2])
  add(name, args[1], args[2], args[4])
  return present and 0 or 1
end

-- bucket, item, claim, milliseconds; 1 if it was there
operations.check_then_add_member = function(args)
  guard.require(args[3])
  local name = members.name_of(args[1])
  if contains(name, args[2]) then return 1 end
  add(name, args[1], args[2], args[4])
  return 0
end

-- bucket, item, claim
operations.delete_member = function(args)
  guard.require(args[3])
  local name = members.name_of(args[1])
  local present = contains(name, args[2])
  if redis.call("ZREM", name, args[2]) == 1 and redis.call("EXISTS", name) == 0 then
    unlist(args[1])
  end
  return present and 1 or 0
end

-- bucket
operations.count_members = function(args)
  return redis.call("ZCOUNT", members.name_of(args[1]), "(" .. decimal(place.now()), "+inf")
end

-- bucket, claim
operations.clear_members = function(args)
  guard.require(args[2])
  redis.call("UNLINK", members.name_of(args[1]))
  unlist(args[1])
  return 1
end

-- Whether one text stands before another, byte by byte. Lua's own order is that of a language.
local function is_before(a, b)
  for index = 1, math.min(#a, #b) do
    local x, y = string.byte(a, index), string.byte(b, index)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The rank behind a member of a sorted set, which may be gone.
local function rank_behind(name, score, member)
  if redis.call("ZSCORE", name, member) == score then
    return redis.call("ZRANK", name, member) + 1
  end
  local low = redis.call("ZCOUNT", name, "-inf", "(" .. score)
  local high = low + redis.call("ZCOUNT", name, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(member, redis.call("ZRANGE", name, middle, middle)[1]) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

-- Items of a bucket and their deadlines, in turn: those behind an item, which may be gone, and its
-- deadline, or the first ones.
function members.page(bucket, limit, deadline, item)
  local name = members.name_of(bucket)
  local first = deadline and rank_behind(name, deadline, item) or 0
  return redis.call("ZRANGE", name, first, first + limit - 1, "WITHSCORES")
end

-- Removes items that are due; true when more are left, and how many buckets and items it has seen to.
function members.reap(limit)
  local left = limit
  while left > 0 do
    local found = redis.call("ZRANGE", place.b, 0, 0, "WITHSCORES")
    if not found[1] or found[2] == "inf" or tonumber(found[2]) > place.now() then
      return false, limit - left
    end
    local name = members.name_of(found[1])
    local due = redis.call("ZRANGE", name, "-inf", place.now(), "BYSCORE", "LIMIT", 0, left)
    remove_all("ZREM", name, due)
    left = left - #due - 1
    local next = redis.call("ZRANGE", name, 0, 0, "WITHSCORES")[2]
    if next then
      redis.call("ZADD", place.b, next, found[1])
    else
      unlist(found[1])
    end
  end
  return true, limit - left
end
