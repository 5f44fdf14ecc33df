-- Live rows: which rows an operation may see, and how a row leaves.
--
--   v  hash  key -> kind and value          k  sorted set of the same keys, all scores 0
--   f  the keys of k that no claim is on    d  sorted set  key -> deadline, of values and arrays
--   i  hash  key -> id of an array          a  sorted set of the same keys, all scores 0
--            (behind a blank: how many of its elements have come or gone since it was made)
--   c  hash  key -> "<token> <owner>"       e  sorted set  key -> end of the lease
--   l:<id>  list of the kinds and elements of an array
--
-- A row whose deadline has come is gone for every operation. Operations that read look past it;
-- those that write remove it first, with all that hangs on it. There are no native expiries: they
-- would leave the other structures behind.

local live = {}

-- Whether the deadline of a value or an array has come.
function live.is_due(key)
  local deadline = redis.call("ZSCORE", place.d, key)
  return deadline and tonumber(deadline) <= place.now()
end

function live.drop_value(key)
  redis.call("HDEL", place.v, key)
  redis.call("ZREM", place.k, key)
  redis.call("ZREM", place.f, key)
  redis.call("ZREM", place.d, key)
  if redis.call("HDEL", place.c, key) == 1 then redis.call("ZREM", place.e, key) end
end

-- As `drop_value`, for many keys, none of which holds an array; how many values there were.
-- `are_free`: it is known that no claim is on them.
function live.drop_values(keys, are_free)
  for _, name in ipairs({ "k", "f", "d" }) do remove_all("ZREM", place[name], keys) end
  if not are_free then
    remove_all("HDEL", place.c, keys)
    remove_all("ZREM", place.e, keys)
  end
  return remove_all("HDEL", place.v, keys)
end

-- An id is told with what stands behind it: the text changes whenever the elements do.
function live.id_of(id)
  return string.match(id, "^%d+")
end

function live.list_name(id)
  return place.tag .. "l:" .. live.id_of(id)
end

-- To be called for each change of the elements under an id that stays.
function live.count_change(key, id)
  local changes = tonumber(string.match(id, " (%d+)$") or 0) + 1
  redis.call("HSET", place.i, key, live.id_of(id) .. " " .. decimal(changes))
end

-- Forgets an array whose elements are gone, or are going.
function live.forget_list(key)
  redis.call("HDEL", place.i, key)
  redis.call("ZREM", place.a, key)
  redis.call("ZREM", place.d, key)
end

-- UNLINK frees the elements in a thread of the server.
function live.drop_list(key, id)
  redis.call("UNLINK", live.list_name(id))
  live.forget_list(key)
end

-- Removes whatever is under a key whose deadline has come.
function live.drop_due(key)
  local id = redis.call("HGET", place.i, key)
  if id then live.drop_list(key, id) else live.drop_value(key) end
end

-- As `drop_due`, for many keys.
function live.drop_all_due(keys)
  local values = {}
  local ids = fields_of(place.i, keys)
  for index, key in ipairs(keys) do
    if ids[index] then live.drop_list(key, ids[index]) else values[#values + 1] = key end
  end
  live.drop_values(values)
end

function live.refuse_list(key) fail("WRONG_TYPE", "array " .. hex(key)) end
function live.refuse_value(key) fail("WRONG_TYPE", "value " .. hex(key)) end

-- The stored value of a key, or nil; an array is refused.
function live.find_value(key)
  local value = redis.call("HGET", place.v, key)
  if value then
    if live.is_due(key) then return nil end
    return value
  end
  if redis.call("HEXISTS", place.i, key) == 1 and not live.is_due(key) then live.refuse_list(key) end
  return nil
end

-- The stored values of keys, "" for those that are not there, from the first key on; fewer than keys
-- when they are large. An array is refused.
function live.find_values(keys)
  local values = page.values(keys)
  local has_arrays = redis.call("HLEN", place.i) > 0
  local has_deadlines = redis.call("ZCARD", place.d) > 0
  local deadlines = has_deadlines and scores_of(place.d, keys)
  for index = 1, #values do
    local deadline = deadlines and deadlines[index]
    if deadline and tonumber(deadline) <= place.now() then
      values[index] = ""
    elseif not values[index] then
      if has_arrays and redis.call("HEXISTS", place.i, keys[index]) == 1 then
        live.refuse_list(keys[index])
      end
      values[index] = ""
    end
  end
  return values
end

-- As `find_value`, for an operation that is going to write.
function live.take_value(key)
  local value = live.find_value(key)
  if not value and live.is_due(key) then live.drop_due(key) end
  return value
end

-- The id of the array under a key, or nil; a value is refused.
function live.find_list(key)
  local id = redis.call("HGET", place.i, key)
  if id then
    if live.is_due(key) then return nil end
    return id
  end
  if redis.call("HEXISTS", place.v, key) == 1 and not live.is_due(key) then live.refuse_value(key) end
  return nil
end

function live.take_list(key)
  local id = live.find_list(key)
  if not id and live.is_due(key) then live.drop_due(key) end
  return id
end

-- Refuses the keys that hold arrays, and removes those whose deadline has come: what is to be done
-- before values are written under all of them.
function live.take_all(keys)
  if redis.call("HLEN", place.i) > 0 then
    in_chunks(keys, function(some)
      for index, id in ipairs(redis.call("HMGET", place.i, unpack(some))) do
        if id and not live.is_due(some[index]) then live.refuse_list(some[index]) end
      end
    end)
  end
  if redis.call("ZCARD", place.d) == 0 then return end
  local due = {}
  for index, deadline in ipairs(scores_of(place.d, keys)) do
    if deadline and tonumber(deadline) <= place.now() then due[#due + 1] = keys[index] end
  end
  live.drop_all_due(due)
end

-- The deadline of what is going to be written: nil for none, "keep" as before. It is to be asked for
-- before the first write: where a server refuses to tell the time, nothing must have changed.
function live.deadline_in(expiry)
  if expiry == nil or expiry == "" then return nil end
  return expiry == "keep" and expiry or decimal(place.now() + tonumber(expiry))
end

-- `has_none`: it is known that the key has no deadline.
function live.set_deadline(key, deadline, has_none)
  if deadline == nil then
    if not has_none then redis.call("ZREM", place.d, key) end
  elseif deadline ~= "keep" then
    redis.call("ZADD", place.d, deadline, key)
  end
end

-- Writes a value under a key that holds no array and nothing that is due. A claim stays on it.
function live.put_value(key, value, expiry, has_none)
  local deadline = live.deadline_in(expiry)
  page.note(value)
  local is_new = redis.call("HSET", place.v, key, value) == 1
  if is_new then
    redis.call("ZADD", place.k, 0, key)
    redis.call("ZADD", place.f, 0, key)
  end
  live.set_deadline(key, deadline, is_new or has_none)
end
