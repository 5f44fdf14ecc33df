-- Pieces: what the partition holds, page by page, and written again with the same result: for copies
-- from store to store that may stop anywhere (src/operations/pieces.ts says what a piece is).
--
-- A cursor goes on behind the last row of a page whatever has become of that row meanwhile. Buckets
-- are walked in the order of their names, and the items of each in that of their deadlines: removing
-- what has expired moves nobody. An item that is given another deadline meanwhile moves, and may be
-- met twice or missed.

-- after, limit; whether it is the end, the moment, then key, value and deadline in turn
operations.piece_values = function(args)
  local keys, done = query.page(place.k, "", args[1], tonumber(args[2]))
  local values, deadlines = page.values(keys), deadlines_of(keys)
  local reply = { (done and #values == #keys) and 1 or 0, place.now() }
  for index, value in ipairs(values) do
    reply[#reply + 1] = keys[index]
    reply[#reply + 1] = value
    reply[#reply + 1] = deadlines[index]
  end
  return reply
end

-- A deadline as it is told: "" for none.
local function deadline_of(key)
  return redis.call("ZSCORE", place.d, key) or ""
end

-- key of an array that has been begun or "", position in it, limit;
-- key and position to go on with ("" at the end), the moment, then the pieces, each a list:
-- key, deadline, length, position, elements
operations.piece_arrays = function(args)
  local begun, limit = args[1], tonumber(args[3])
  local keys, done = query.page(place.a, "", begun, limit)
  local first = tonumber(args[2])
  if begun ~= "" and redis.call("HEXISTS", place.i, begun) == 1 then
    table.insert(keys, 1, begun)
  else
    first = 0
  end
  local reply, rows, bytes = { "", 0, place.now() }, 0, 0
  for _, key in ipairs(keys) do
    local name = live.list_name(redis.call("HGET", place.i, key))
    if not live.is_due(key) then
      local elements, size = page.elements(name, first, limit - rows, page_bytes - bytes)
      rows, bytes = rows + #elements, bytes + size
      if #elements > 0 then
        local length = redis.call("LLEN", name)
        reply[#reply + 1] = { key, deadline_of(key), length, first, elements }
      end
      first = first + #elements
    end
    reply[1], reply[2] = key, first
    if rows >= limit or bytes >= page_bytes then return reply end
    first = 0
  end
  if done then
    reply[1] = ""
  elseif #keys > 0 then
    reply[2] = redis.call("LLEN", live.list_name(redis.call("HGET", place.i, keys[#keys])))
  end
  return reply
end

-- limit, then bucket, deadline and name of the last item (all or none); whether it is the end, the
-- moment, then bucket, item and deadline ("inf" for never) in turn
operations.piece_members = function(args)
  local limit, after = tonumber(args[1]), args[2] or ""
  local reply, rows = { 0, place.now() }, 0
  local buckets, done = query.page(place.t, "", after, limit)
  if after ~= "" then table.insert(buckets, 1, after) end
  for index, bucket in ipairs(buckets) do
    local begun = index == 1 and after ~= ""
    local found = members.page(bucket, limit - rows, begun and args[3], begun and args[4])
    for at = 1, #found, 2 do
      reply[#reply + 1] = bucket
      reply[#reply + 1] = found[at]
      reply[#reply + 1] = found[at + 1]
    end
    rows = rows + #found / 2
    if rows >= limit then return reply end
  end
  if done then reply[1] = 1 end
  return reply
end

-- What is under a key for whoever looks for a value: the value, "a" for an array, "" for nothing.
local function value_or_kind(key)
  if live.is_due(key) then return "" end
  local value = redis.call("HGET", place.v, key)
  if value then return value end
  return redis.call("HEXISTS", place.i, key) == 1 and "a" or ""
end

-- keys; the moment, then value (see above) and deadline in turn, of the first keys when they are large
operations.find_values = function(args)
  local reply, bytes = { place.now() }, 0
  for index, key in ipairs(args) do
    local value = value_or_kind(key)
    bytes = bytes + #value
    if bytes > page_bytes and index > 1 then return reply end
    reply[#reply + 1] = value
    reply[#reply + 1] = deadline_of(key)
  end
  return reply
end

-- key, position, number of elements, in turn;
-- the moment, then for each one a list: "a", deadline, length, elements; or what else is there. When
-- they are large, only for the first ones, and the last of them may have fewer elements than asked for
operations.find_arrays = function(args)
  local reply, bytes = { place.now() }, 0
  for index = 1, #args, 3 do
    if bytes >= page_bytes then return reply end
    local key, first = args[index], tonumber(args[index + 1])
    local kind = value_or_kind(key)
    if kind == "a" then
      local name = live.list_name(redis.call("HGET", place.i, key))
      local limit = tonumber(args[index + 2])
      local elements, size = page.elements(name, first, limit, page_bytes - bytes)
      bytes = bytes + size
      reply[#reply + 1] = { "a", deadline_of(key), redis.call("LLEN", name), elements }
    else
      reply[#reply + 1] = { kind == "" and "" or "v" }
    end
  end
  return reply
end

-- bucket and item in turn; the moment, then a deadline each, "inf" for never, "" for what is not there
operations.find_members = function(args)
  local reply = { place.now() }
  for index = 1, #args, 2 do
    local deadline = redis.call("ZSCORE", members.name_of(args[index]), args[index + 1])
    if deadline and deadline ~= "inf" and tonumber(deadline) <= place.now() then deadline = nil end
    reply[#reply + 1] = deadline or ""
  end
  return reply
end

local function set_deadline(key, deadline)
  if deadline == "" then
    redis.call("ZREM", place.d, key)
  else
    redis.call("ZADD", place.d, deadline, key)
  end
end

-- Removes the array under a key, and whatever is due.
local function clear_way(key)
  if live.is_due(key) then return live.drop_due(key) end
  local id = redis.call("HGET", place.i, key)
  if id then live.drop_list(key, id) end
end

-- key, value and deadline in turn; claims stay
operations.put_values = function(args)
  for index = 1, #args, 3 do
    local key = args[index]
    clear_way(key)
    live.put_value(key, args[index + 1], "keep")
    set_deadline(key, args[index + 2])
  end
  return 1
end

-- The list that takes elements from a position on, or nil where they would continue nothing.
local function list_for(key, first)
  local id = redis.call("HGET", place.i, key)
  if id and first > 0 and not live.is_due(key) then
    local name = live.list_name(id)
    if redis.call("LLEN", name) < first then return nil end
    redis.call("LTRIM", name, 0, first - 1)
    live.count_change(key, id)
    return name
  end
  if first > 0 then return nil end
  clear_way(key)
  if redis.call("HEXISTS", place.v, key) == 1 then live.drop_value(key) end
  id = decimal(redis.call("HINCRBY", place.n, "list", 1))
  redis.call("HSET", place.i, key, id)
  redis.call("ZADD", place.a, 0, key)
  return live.list_name(id)
end

-- key, deadline, position, then elements: the array ends with them
operations.put_elements = function(args)
  local name = list_for(args[1], tonumber(args[3]))
  if not name then return 0 end
  page.note_all(args, 4, 1)
  in_chunks(from(args, 4), function(some) redis.call("RPUSH", name, unpack(some)) end)
  set_deadline(args[1], args[2])
  return 1
end

-- bucket, item and deadline ("inf" for never) in turn
operations.put_members = function(args)
  for index = 1, #args, 3 do
    local bucket, deadline = args[index], args[index + 2]
    redis.call("ZADD", members.name_of(bucket), deadline, args[index + 1])
    members.list(bucket, deadline)
  end
  return 1
end

-- keys; removes whatever is under them
operations.drop_keys = function(args)
  for _, key in ipairs(args) do
    clear_way(key)
    if redis.call("HEXISTS", place.v, key) == 1 then live.drop_value(key) end
  end
  return 1
end

-- bucket and item in turn
operations.drop_members = function(args)
  for index = 1, #args, 2 do
    operations.delete_member({ args[index], args[index + 1] })
  end
  return 1
end

-- token; makes every later one of the partition higher
operations.raise_token = function(args)
  local token = tonumber(redis.call("HGET", place.n, "token") or 0)
  if token < tonumber(args[1]) then redis.call("HSET", place.n, "token", args[1]) end
  return 1
end

-- The note of a copy that is under way, "" for none.
operations.copy_note = function()
  return redis.call("HGET", place.n, "copy") or ""
end

-- expected note, note; the note that was there before, which is replaced if it is the expected one
operations.swap_note = function(args)
  local present = operations.copy_note()
  if present ~= args[1] then return present end
  if args[2] == "" then
    redis.call("HDEL", place.n, "copy")
  else
    redis.call("HSET", place.n, "copy", args[2])
  end
  return present
end

-- sign, "" to take it away: a copy sees by it whether source and target are one store
operations.mark = function(args)
  if args[1] == "" then
    redis.call("HDEL", place.n, "mark")
  else
    redis.call("HSET", place.n, "mark", args[1])
  end
  return 1
end

operations.marked = function()
  return redis.call("HGET", place.n, "mark") or ""
end
