-- Load: a whole new content, put together beside the present one, in whose place it is put at once.
--
--   s:<name>    the structures v, k, f, d, a, i, b, t of the new content
--   s:z         hash: id that an array has in the source -> its id here
--   s:x:<id>    hash: position -> element, until the array of that id has been built from it
--   n.loading   "<load> <moment of its last call>"     n.staging  its generation of buckets
--
-- One load at a time. One that has been silent for `silent_ms` may have been given up: the next one
-- removes what it left, and so does `clear`. After `given_up_ms` the reaper does.

local given_up_ms = 600000

local function staged(name) return place.tag .. "s:" .. name end

-- What needs no memory comes first: a script may write whatever it likes once it has done so.
local function discard()
  local generation = redis.call("HGET", place.n, "staging") or "0"
  for _, name in ipairs({ "v", "k", "f", "d", "t", "z" }) do redis.call("UNLINK", staged(name)) end
  upkeep.retire(staged("i"), staged("a"), staged("b"), generation)
  redis.call("HDEL", place.n, "loading", "staging")
end

-- How many loads have been removed because they have been silent for so long: one or none.
function upkeep.end_silent_load(ms)
  local loading = redis.call("HGET", place.n, "loading")
  local moment = loading and tonumber(string.match(loading, "(%d+)$"))
  if not moment or moment + (ms or given_up_ms) > place.now() then return 0 end
  discard()
  return 1
end

local function touch(id)
  redis.call("HSET", place.n, "loading", id .. " " .. decimal(place.now()))
end

local function require_load(id)
  local loading = redis.call("HGET", place.n, "loading")
  if not loading or string.match(loading, "^(%S+)") ~= id then
    fail("LOAD_LOST", "another load has taken over")
  end
  touch(id)
end

-- load
operations.load_begin = function(args)
  local now, loading = place.now(), redis.call("HGET", place.n, "loading")
  local moment = loading and tonumber(string.match(loading, "(%d+)$"))
  if moment and moment + upkeep.silent_ms > now then
    fail("LOADING", "a restore is replacing the data")
  end
  discard()
  redis.call("HSET", place.n, "staging", upkeep.next_generation())
  touch(args[1])
  return 1
end

local function stage_deadline(key, deadline)
  if deadline ~= "" then redis.call("ZADD", staged("d"), deadline, key) end
end

-- load, then key, value and deadline in turn
operations.load_values = function(args)
  require_load(args[1])
  page.note_all(args, 3, 3)
  for index = 2, #args, 3 do
    local key = args[index]
    redis.call("HSET", staged("v"), key, args[index + 1])
    redis.call("ZADD", staged("k"), 0, key)
    redis.call("ZADD", staged("f"), 0, key)
    stage_deadline(key, args[index + 2])
  end
  return 1
end

-- load, then key, id in the source and deadline in turn
operations.load_arrays = function(args)
  require_load(args[1])
  for index = 2, #args, 3 do
    local key = args[index]
    local id = decimal(redis.call("HINCRBY", place.n, "list", 1))
    redis.call("HSET", staged("i"), key, id)
    redis.call("ZADD", staged("a"), 0, key)
    redis.call("HSET", staged("z"), args[index + 1], id)
    stage_deadline(key, args[index + 2])
  end
  return 1
end

-- load, then id in the source, position and element in turn
operations.load_elements = function(args)
  require_load(args[1])
  page.note_all(args, 4, 3)
  local ids = {}
  for index = 2, #args, 3 do
    local source = args[index]
    ids[source] = ids[source] or redis.call("HGET", staged("z"), source)
    if not ids[source] then fail("LOAD_LOST", "an array has not been announced") end
  end
  for index = 2, #args, 3 do
    redis.call("HSET", upkeep.pieces_name(ids[args[index]]), args[index + 1], args[index + 2])
  end
  return 1
end

-- load, id in the source, then positions in order: puts these elements behind those before; how many
-- of them, from the first one on, fewer when they are large
operations.load_build = function(args)
  require_load(args[1])
  local id = redis.call("HGET", staged("z"), args[2])
  local name = id and upkeep.pieces_name(id)
  local elements, positions, bytes = {}, {}, 0
  for index = 3, #args do
    local element = id and redis.call("HGET", name, args[index])
    if not element then fail("LOAD_LOST", "an element is not there") end
    elements[#elements + 1] = element
    positions[#elements] = args[index]
    bytes = bytes + #element
    if bytes >= page_bytes then break end
  end
  in_chunks(elements, function(some) redis.call("RPUSH", live.list_name(id), unpack(some)) end)
  remove_all("HDEL", name, positions)
  return #elements
end

-- load, then bucket, item and deadline in turn
operations.load_members = function(args)
  require_load(args[1])
  local generation = redis.call("HGET", place.n, "staging")
  for index = 2, #args, 3 do
    local deadline = args[index + 2] == "" and "inf" or args[index + 2]
    redis.call("ZADD", members.name_in(generation, args[index]), deadline, args[index + 1])
    redis.call("ZADD", staged("b"), "-inf", args[index])
    redis.call("ZADD", staged("t"), 0, args[index])
  end
  return 1
end

-- load, token that must not be granted again
operations.load_commit = function(args)
  require_load(args[1])
  upkeep.empty(redis.call("HGET", place.n, "staging"))
  for _, name in ipairs({ "v", "k", "f", "d", "a", "i", "b", "t" }) do
    if redis.call("EXISTS", staged(name)) == 1 then
      redis.call("RENAME", staged(name), place[name])
    end
  end
  local token = tonumber(redis.call("HGET", place.n, "token") or 0)
  if token < tonumber(args[2]) then redis.call("HSET", place.n, "token", args[2]) end
  redis.call("UNLINK", staged("z"))
  redis.call("HDEL", place.n, "loading", "staging")
  return 1
end

-- load; leaves the present content as it is
operations.load_abandon = function(args)
  local loading = redis.call("HGET", place.n, "loading")
  if loading and string.match(loading, "^(%S+)") == args[1] then discard() end
  return 1
end
