-- Place: the structures of the partition that a call concerns, and the moment of the call.
--
-- The library is one chunk: these files, joined in the order that library.ts gives. Functions of one
-- subject are fields of one table, because Lua allows a function no more than 60 outer variables.
--
-- Every call names one key, `<tag>:v`; all others of the partition begin with the same tag and lie
-- in the same slot of a cluster. docs/formats/valkey.md has the layout.
--
-- A call checks first and writes afterwards: Lua takes nothing back.

local place = {}
local operations = {}

-- Rows that one call removes at most before it does what it was asked for.
local reaped_rows_max = 200
-- Names that one command takes at most: Lua passes arguments on a stack of some 8,000 places.
local chunk = 500
-- Bytes of values after which a page ends although more rows were asked for.
local page_bytes = 1048576
-- The score of what never expires, where a score is needed.
local never = 1 / 0

function place.enter(values)
  place.moment = nil
  if place.v == values then return end
  local tag = string.sub(values, 1, -2)
  place.tag = tag
  for _, name in ipairs({ "v", "k", "f", "d", "a", "i", "c", "e", "b", "t", "g", "n" }) do
    place[name] = tag .. name
  end
end

-- A whole number as text. Lua itself would round it to 14 digits.
local function decimal(number)
  if number == 0 then return "0" end
  return string.format("%.0f", number)
end

-- The token of partition `number` of `step` that belongs to this moment, as a number.
function place.token_at(step, number)
  return math.floor(place.token_floor() / step) * step + number
end

local function fail(code, text)
  error({ err = "ANYKV_" .. code .. " " .. text })
end

-- A key inside the text of an error, where not every byte may stand.
local function hex(text)
  return (string.gsub(text, ".", function(byte)
    return string.format("%02x", string.byte(byte))
  end))
end

-- Calls `step` with up to `chunk` items of `list` at a time.
local function in_chunks(list, step)
  for first = 1, #list, chunk do
    local last = math.min(#list, first + chunk - 1)
    if first == 1 and last == #list then
      step(list)
    else
      step({ unpack(list, first, last) })
    end
  end
end

-- Takes members out of sets, sorted sets or hashes, whichever `command` is for; how many were there.
local function remove_all(command, name, members)
  -- Most structures of most stores are empty, and a long command costs more than a question.
  if #members > 8 and redis.call("EXISTS", name) == 0 then return 0 end
  local removed = 0
  in_chunks(members, function(some) removed = removed + redis.call(command, name, unpack(some)) end)
  return removed
end

local function add_all(name, score, members)
  in_chunks(members, function(some)
    local scored = {}
    for index, member in ipairs(some) do
      scored[2 * index - 1] = score
      scored[2 * index] = member
    end
    redis.call("ZADD", name, unpack(scored))
  end)
end

local function set_fields(name, fields, values)
  for first = 1, #fields, chunk do
    local pairs_of = {}
    for index = first, math.min(#fields, first + chunk - 1) do
      pairs_of[#pairs_of + 1] = fields[index]
      pairs_of[#pairs_of + 1] = values[index]
    end
    redis.call("HSET", name, unpack(pairs_of))
  end
end

-- What a command that takes many members answers for each of them, false for those that are not there.
local function looked_up(command, name, members)
  local found = {}
  in_chunks(members, function(some)
    local answers, before = redis.call(command, name, unpack(some)), #found
    for index = 1, #some do found[before + index] = answers[index] end
  end)
  return found
end

local function scores_of(name, members) return looked_up("ZMSCORE", name, members) end
local function fields_of(name, fields) return looked_up("HMGET", name, fields) end

-- The part of an array from a position on.
local function from(list, first)
  local rest = {}
  for index = first, #list do rest[index - first + 1] = list[index] end
  return rest
end
