-- Clock: the server's, read at most once in a call, and only when a deadline is met.

function place.now()
  if place.moment == nil then
    local time = redis.call("TIME")
    place.moment = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return place.moment
end

-- Microseconds, below 2^53 until the year 2255. Tokens are above them: claims.lua.
function place.token_floor()
  local time = redis.call("TIME")
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
