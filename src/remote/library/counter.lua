-- Counter arithmetic: whole decimal numbers of 64 bits, kept as text.
--
-- Accepted are decimal digits with an optional sign and leading zeros, and JSON of such a number or
-- of a string that holds one. A sum is written as a bare decimal, byte by byte as JavaScript writes
-- it. Doubles carry sums while they are safe integers; beyond, the server's own HINCRBY does.

local counter = {}

local safe_max = 9007199254740991
local int64_max = "9223372036854775807"
local int64_min_digits = "9223372036854775808"
-- Stands for the digits of what is no number: longer than those that a double can surely carry.
local no_digits = "----------------"

-- Sign and digits without leading zeros, or nil for what is no decimal number.
local function parse_decimal(text)
  local sign, digits = string.match(text, "^([+-]?)(%d+)$")
  if not digits then return nil end
  digits = string.match(digits, "^0*(%d+)$")
  local bound = sign == "-" and int64_min_digits or int64_max
  if #digits > 19 or #digits == 19 and digits > bound then
    fail("VALUE_PARSE", "value parse failed: integer overflow, the stored value is beyond 64 bits")
  end
  return (sign == "-" and digits ~= "0") and "-" .. digits or digits
end

-- The digits of a JSON number, or the content of a JSON string. Of all escapes only \u can stand for
-- a digit or a sign, so text with any other one is no counter anyway.
local function inside_json(text)
  local inner = string.match(text, "^[ \t\r\n]*(.-)[ \t\r\n]*$")
  if string.match(inner, "^-?0$") or string.match(inner, "^-?[1-9]%d*$") then return inner end
  local content = string.match(inner, '^"(.*)"$')
  if not content then return nil end
  content = string.gsub(content, "\\u00(%x%x)", function(code)
    return string.char(tonumber(code, 16))
  end)
  return content
end

local function parse(text)
  local inner = inside_json(text)
  local found = parse_decimal(text) or inner and parse_decimal(inner)
  if not found then
    fail("VALUE_PARSE", "value parse failed: the stored value is not a whole decimal number")
  end
  return found
end

-- Both are whole numbers within 64 bits in canonical form. The field is gone again afterwards.
local function add_exactly(text, delta)
  redis.call("HSET", place.n, "sum", text)
  local sum = redis.pcall("HINCRBY", place.n, "sum", delta)
  local exact = redis.call("HGET", place.n, "sum")
  redis.call("HDEL", place.n, "sum")
  if type(sum) == "table" then
    fail("VALUE_PARSE", "value parse failed: integer overflow, the sum leaves 64 bits")
  end
  return exact
end

-- `text` plus `delta`, both decimal; nil is 0.
function counter.add(text, delta)
  local sum = nil
  if text == nil then
    text = "0"
    sum = tonumber(delta)
  elseif #text <= 16 and #(string.match(text, "^[+-]?(%d+)$") or no_digits) <= 15 then
    sum = tonumber(text) + tonumber(delta)
  end
  if sum and sum >= -safe_max and sum <= safe_max then return decimal(sum) end
  return add_exactly(parse(text), delta)
end
