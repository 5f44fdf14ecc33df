-- Pages: how much of values and elements one call reads.
--
-- What is long has to be measured before it is read, and measuring costs as much as reading what is
-- short. So `n.large` is set when something of `large_bytes` is written: as long as it is not there,
-- nothing is measured, and `page_step` rows are at most a megabyte and a half.

local page = {}

local large_bytes = 16384
local page_step = 100

-- What is done with every value and element that is going to be written, before it is: with the one at
-- a position of `list`, and each one `step` behind the last.
function page.note_all(list, first, step)
  for index = first, #list, step do
    if #list[index] >= large_bytes then
      redis.call("HSET", place.n, "large", 1)
      return
    end
  end
end

function page.note(value)
  if #value >= large_bytes then redis.call("HSET", place.n, "large", 1) end
end

local function has_large()
  return redis.call("HEXISTS", place.n, "large") == 1
end

-- How many of keys, from the first on, have values of `page_bytes` together; at least one.
local function fitting(keys)
  if not has_large() then return #keys end
  local bytes = 0
  for index, key in ipairs(keys) do
    bytes = bytes + redis.call("HSTRLEN", place.v, key)
    if bytes > page_bytes and index > 1 then return index - 1 end
  end
  return #keys
end

-- The stored values of keys, false for none, from the first key on until they are about `page_bytes`
-- together; how many these are.
function page.values(keys)
  local count = fitting(keys)
  if count == 0 then return {} end
  if count <= page_step then return redis.call("HMGET", place.v, unpack(keys, 1, count)) end
  local values, bytes = {}, 0
  for first = 1, count, page_step do
    local last = math.min(count, first + page_step - 1)
    for index, value in ipairs(redis.call("HMGET", place.v, unpack(keys, first, last))) do
      values[first + index - 1] = value
      if value then bytes = bytes + #value end
    end
    if bytes >= page_bytes then break end
  end
  return values
end

-- Up to `limit` elements from a position on, until they are about `bytes_max` together, usually
-- `page_bytes`; and their bytes.
function page.elements(name, first, limit, bytes_max)
  local elements, bytes, step = {}, 0, has_large() and 1 or page_step
  while #elements < limit and bytes < (bytes_max or page_bytes) do
    local start = first + #elements
    local stop = math.min(start + step, first + limit) - 1
    local found = redis.call("LRANGE", name, start, stop)
    for _, element in ipairs(found) do
      elements[#elements + 1] = element
      bytes = bytes + #element
    end
    if #found <= stop - start then break end
  end
  return elements, bytes
end
