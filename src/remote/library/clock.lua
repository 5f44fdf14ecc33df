-- Clock: the server's, read at most once in a call, and only when a deadline is met.

function place.now()
  if place.moment == nil then
    local time = redis.call("TIME")
    place.moment = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return place.moment
end

-- Microseconds: tokens that begin with it pass those of an earlier life of the store, unless it has
-- granted more than one in each of them.
function place.first_token()
  local time = redis.call("TIME")
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
