-- Opening: whether the partition is there, whether its user may do what the library does, and how a
-- partition begins. `commands` comes with the library: all words in it that may be names of commands.

-- Commands that the user who calls may not call on the keys of the partition.
local function denied()
  local found = {}
  for _, command in ipairs(commands) do
    -- What is no command is refused with an error.
    local is_command, may = pcall(redis.acl_check_cmd, command, place.v, place.v)
    if is_command and not may then found[#found + 1] = command end
  end
  return found
end

local structures = {
  HLEN = { "n", "v", "i", "c" },
  ZCARD = { "k", "f", "d", "a", "e", "b", "t" },
  LLEN = { "g" },
}

-- What somebody else has put in the place of a structure would stop calls in the middle of their
-- writes. Whoever may not look is told so otherwise.
local function refuse_foreign()
  for command, names in pairs(structures) do
    for _, name in ipairs(names) do
      local found = redis.pcall(command, place[name])
      if type(found) == "table" and string.find(found.err, "WRONGTYPE", 1, true) then
        fail("FOREIGN", name)
      end
    end
  end
end

-- Layout and number of partitions, "" when the partition is not there, then what is denied.
operations.inspect = function()
  refuse_foreign()
  local found = denied()
  local header = { "", "" }
  -- Who may not read is told so by the list.
  local is_read, fields = pcall(redis.call, "HMGET", place.n, "layout", "partitions")
  if is_read then header = { fields[1] or "", fields[2] or "" } end
  return { header[1], header[2], unpack(found) }
end

-- Layout, number of partitions, number of this one; refuses what does not fit together.
operations.open = function(args)
  refuse_foreign()
  local found = redis.call("HMGET", place.n, "layout", "partitions")
  if not found[1] then
    local token = place.token_at(tonumber(args[2]), tonumber(args[3]))
    redis.call("HSET", place.n, "layout", args[1], "partitions", args[2])
    redis.call("HSETNX", place.n, "token", decimal(token))
  elseif found[1] ~= args[1] then
    fail("LAYOUT", found[1])
  elseif found[2] ~= args[2] then
    fail("PARTITIONS", found[2])
  end
  return 1
end
