-- ARGV: "", worker, up to when it knows whose speaker changed (ms, 0: it has just started),
--       ms for which silent workers are remembered, ms for which changes are, where it runs
-- now, workers with up to when each of them knows, where each of them runs, ids of sessions whose
-- speaker changed since
local worker, known, kept, changes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if known == 0 then known = NOW end
redis.call('ZADD', 'chat:workers', known, worker)
redis.call('HSET', 'chat:places', worker, ARGV[6])
local function forget(from, to)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', 'chat:workers', from, to)) do
    redis.call('ZREM', 'chat:workers', gone)
    redis.call('HDEL', 'chat:places', gone)
  end
end
forget('-inf', NOW - kept)
forget(NOW + kept, '+inf')  -- no worker knows of what is to come
redis.call('ZREMRANGEBYSCORE', 'chat:speakers', '-inf', NOW - changes)
for _, key in ipairs({ 'chat:workers', 'chat:places' }) do redis.call('PEXPIRE', key, kept) end
redis.call('PEXPIRE', 'chat:speakers', changes)
return {
  NOW, redis.call('ZRANGE', 'chat:workers', 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', 'chat:places'),
  redis.call('ZRANGEBYSCORE', 'chat:speakers', known, '+inf'),
}
