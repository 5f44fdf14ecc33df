-- Dump: all rows of the partition in pages, for copies of it. Rows whose deadline has come may be
-- among them. Nothing is held between two calls: what is written meanwhile may be in a later page,
-- and the count of changes (operation `report`) tells whether anything was.

local function deadlines_of(keys)
  local deadlines = scores_of(place.d, keys)
  for index = 1, #keys do deadlines[index] = deadlines[index] or "" end
  return deadlines
end

-- after, limit; whether it is the end, then key, value and deadline ("" for never) in turn
operations.dump_values = function(args)
  local keys, done = query.page(place.k, "", args[1], tonumber(args[2]))
  local values, deadlines = page.values(keys), deadlines_of(keys)
  local reply = { (done and #values == #keys) and 1 or 0 }
  for index, value in ipairs(values) do
    reply[#reply + 1] = keys[index]
    reply[#reply + 1] = value
    reply[#reply + 1] = deadlines[index]
  end
  return reply
end

-- after, limit; whether it is the end, then key, id and deadline of arrays in turn
operations.dump_arrays = function(args)
  local keys, done = query.page(place.a, "", args[1], tonumber(args[2]))
  local deadlines = deadlines_of(keys)
  local reply = { done and 1 or 0 }
  for index, key in ipairs(keys) do
    reply[#reply + 1] = key
    reply[#reply + 1] = live.id_of(redis.call("HGET", place.i, key))
    reply[#reply + 1] = deadlines[index]
  end
  return reply
end

-- key of an array, position, limit, state of the array or nothing;
-- its state and length, then elements, fewer when they are large, none if another state was asked for
operations.dump_elements = function(args)
  local id = redis.call("HGET", place.i, args[1])
  if not id then return { "", 0 } end
  local name = live.list_name(id)
  local reply = { id, redis.call("LLEN", name) }
  if args[4] and args[4] ~= "" and args[4] ~= id then return reply end
  for _, element in ipairs(page.elements(name, tonumber(args[2]), tonumber(args[3]))) do
    reply[#reply + 1] = element
  end
  return reply
end

-- after, limit; whether it is the end, then names of buckets
operations.dump_buckets = function(args)
  local buckets, done = query.page(place.t, "", args[1], tonumber(args[2]))
  table.insert(buckets, 1, done and 1 or 0)
  return buckets
end

-- bucket, limit, then deadline and name of the last item, if any; item and deadline ("inf" for never)
-- in turn
operations.dump_members = function(args)
  return members.page(args[1], tonumber(args[2]), args[3], args[4])
end

-- The last token.
operations.dump_token = function()
  return redis.call("HGET", place.n, "token") or "0"
end
