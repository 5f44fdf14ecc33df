-- Enter: what every call passes through. `reads` may run where writing is refused (a server that has
-- no memory left); `frees` may, too, because they make room. Every other operation counts as a
-- change, whatever it finds, so that a copy can tell whether it is of one instant.

local reads, frees, uncounted = {}, {}, {}

for _, name in ipairs({
  "get", "get_many", "exists", "ttl", "length", "range", "contains_member", "count_members",
  "report", "measure", "dump_values", "dump_arrays", "dump_elements", "dump_buckets",
  "dump_members", "dump_token",
}) do
  reads[name] = true
  uncounted[name] = true
end

for _, name in ipairs({
  "scan", "scan_keys", "count", "count_free", "list_arrays", "sample", "allocation", "reap",
}) do
  frees[name] = true
  uncounted[name] = true
end

for _, name in ipairs({
  "delete", "delete_many", "delete_prefix", "fetch_remove", "compare_delete", "pop", "pop_random",
  "delete_array", "delete_member", "clear_members", "clear", "release_claims", "complete_claims",
  "drop_claims",
}) do
  frees[name] = true
end

for _, name in ipairs({
  "open", "load_begin", "load_values", "load_arrays", "load_elements", "load_build", "load_members",
  "load_abandon",
}) do
  uncounted[name] = true
end

local function enter(name, keys, args)
  place.enter(keys[1])
  local reply = operations[name](args)
  if not uncounted[name] then redis.call("HINCRBY", place.n, "changes", 1) end
  return reply
end
