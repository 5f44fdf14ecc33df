-- Atomics: operations that read one value and write it in one step.

-- key, delta, claim, expiry of a counter that is new
operations.increment = function(args)
  local key = args[1]
  guard.require(args[3])
  local value = live.take_value(key)
  local sum = counter.add(value and string.sub(value, 2), args[2])
  live.put_value(key, "j" .. sum, value and "keep" or args[4])
  return sum
end

-- key, value, claim, expiry; the value that was there, or "" if the new one has been stored
operations.get_or_set = function(args)
  local key = args[1]
  guard.require(args[3])
  local value = live.take_value(key)
  if value then return value end
  live.put_value(key, args[2], args[4] ~= "keep" and args[4] or nil)
  return ""
end

-- key, value, trust, claim, expiry
operations.swap = function(args)
  local key = args[1]
  guard.require(args[4])
  local value = live.take_value(key)
  local unread = value and guard.untrusted({ key }, { value }, args[3])
  if unread then return unread end
  live.put_value(key, args[2], args[5])
  return value or ""
end

-- Whether two stored values are the same bytes. Kinds only tell how to read them.
local function same_bytes(a, b)
  return string.sub(a, 2) == string.sub(b, 2)
end

-- What a comparison answers that did not match: the value that is there, "" when there is none.
-- The caller may know better (another spelling of the same JSON) and call again with that value.
local function mismatch(value, expected)
  if value then
    return (expected == "" or not same_bytes(value, expected)) and value or nil
  end
  return expected ~= "" and "" or nil
end

-- key, expected ("" for none), value, claim, expiry; 1 if it has been written
operations.compare_swap = function(args)
  local key = args[1]
  guard.require(args[4])
  local other = mismatch(live.take_value(key), args[2])
  if other then return other end
  live.put_value(key, args[3], args[5])
  return 1
end

-- key, expected, claim; 1 if it has been deleted
operations.compare_delete = function(args)
  local key = args[1]
  guard.require(args[3])
  local other = mismatch(live.take_value(key), args[2])
  if other then return other end
  live.drop_value(key)
  return 1
end
