-- ARGV: "", what chat:reindex says, ids…
-- Puts these conversations into the shared keys again, as far as they are not there. Without ids:
-- notes that all are done, unless another key was moved aside meanwhile.
if #ARGV == 2 then
  for _, ref in ipairs(redis.call('ZRANGE', 'chat:erasing:since', 0, -1)) do
    redis.call('ZADD', 'chat:erasing', 'NX', NOW, ref)
  end
  if redis.call('GET', 'chat:reindex') == ARGV[2] then redis.call('DEL', 'chat:reindex') end
  return ''
end
for i = 3, #ARGV do
  local id, key = ARGV[i], 'chat:state:' .. ARGV[i]
  local left = redis.call('PTTL', 'session:' .. id)
  local known = redis.pcall('HMGET', key, 'epoch', 'began', 'gone', 'pending', 'adviser_at')
  local function has(n) return known[n] and known[n] ~= '' end
  if left > 0 and has(1) and not has(3) then
    redis.call('ZADD', INDEX, 'NX', NOW + left, id)
    redis.call('ZADD', BEGAN, 'NX', finite(known[2]) or NOW, id)
    if has(4) then redis.call('ZADD', TURNS, 'NX', NOW, id) end
    if (finite(known[5]) or 0) > NOW - 3600000 then
      redis.call('ZADD', 'chat:speakers', 'NX', NOW, id)
    end
    redis.call('HSET', key, 'state', 'idle')
    mark_of(id, key)
  end
end
return ''
