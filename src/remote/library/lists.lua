-- Lists: arrays under a key, both ends O(1). An array without elements does not exist.

-- key, end ("first" or "last"), element, claim, expiry of an array that is new; the length
operations.push = function(args)
  local key = args[1]
  guard.require(args[4])
  local id = live.take_list(key)
  local command = args[2] == "first" and "LPUSH" or "RPUSH"
  local deadline = not id and live.deadline_in(args[5]) or nil
  page.note(args[3])
  if id then
    local length = redis.call(command, live.list_name(id), args[3])
    live.count_change(key, id)
    return length
  end
  id = decimal(redis.call("HINCRBY", place.n, "list", 1))
  -- The list itself first: if its slot is just leaving this node, nothing has been written yet.
  redis.call(command, live.list_name(id), args[3])
  redis.call("HSET", place.i, key, id)
  redis.call("ZADD", place.a, 0, key)
  live.set_deadline(key, deadline, true)
  return 1
end

-- key, end, trust, claim
operations.pop = function(args)
  local key = args[1]
  guard.require(args[4])
  local id = live.take_list(key)
  if not id then return "" end
  local name, is_first = live.list_name(id), args[2] == "first"
  local element = redis.call("LINDEX", name, is_first and 0 or -1)
  local unread = guard.untrusted({ key }, { element }, args[3])
  if unread then return unread end
  redis.call(is_first and "LPOP" or "RPOP", name)
  if redis.call("EXISTS", name) == 0 then
    live.forget_list(key)
  else
    live.count_change(key, id)
  end
  return element
end

operations.length = function(args)
  local id = live.find_list(args[1])
  return id and redis.call("LLEN", live.list_name(id)) or 0
end

local function offset(position, size)
  if position < 0 then return math.max(0, size + position) end
  return math.min(position, size)
end

-- key, start, end as in Array.prototype.slice, how many of the range to leave out, limit, state of
-- the array or nothing;
-- the state of the array, the size of the range, then elements of it: none if another state was
-- asked for
operations.range = function(args)
  local id = live.find_list(args[1])
  if not id then return { "", 0 } end
  local name = live.list_name(id)
  local size = redis.call("LLEN", name)
  local first, behind = offset(tonumber(args[2]), size), offset(tonumber(args[3]), size)
  local reply = { id, math.max(0, behind - first) }
  if args[6] and args[6] ~= id then return reply end
  first = first + tonumber(args[4])
  local limit = math.min(tonumber(args[5]), behind - first)
  for _, element in ipairs(limit > 0 and page.elements(name, first, limit) or {}) do
    reply[#reply + 1] = element
  end
  return reply
end

-- key, claim
operations.delete_array = function(args)
  guard.require(args[2])
  local id = live.take_list(args[1])
  if not id then return 0 end
  live.drop_list(args[1], id)
  return 1
end

-- keys; the length of each array, 0 where there is none
operations.lengths = function(args)
  local lengths = {}
  in_chunks(args, function(keys)
    for index, id in ipairs(redis.call("HMGET", place.i, unpack(keys))) do
      local is_there = id and not live.is_due(keys[index])
      lengths[#lengths + 1] = is_there and redis.call("LLEN", live.list_name(id)) or 0
    end
  end)
  return lengths
end
