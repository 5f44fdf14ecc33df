-- Clock: the server's, read at most once in a call, and only when a deadline is met.

function place.now()
  if place.moment == nil then
    local time = redis.call("TIME")
    place.moment = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return place.moment
end
