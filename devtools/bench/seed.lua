-- KEYS: of the sample: document, hash. ARGV: id of the sample, ttl ms, position of the first,
-- then id and ref of each session to make. A sample that the store wrote is written again under
-- other ids: what of a session is its own is in its keys and in its document.
local sample, ttl, position = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local document, fields = redis.call('GET', KEYS[1]), redis.call('HGETALL', KEYS[2])
local at, stop = string.find(document, sample, 1, true)
local before, behind = string.sub(document, 1, at - 1), string.sub(document, stop + 1)
for i = 4, #ARGV, 2 do
  local id, ref = ARGV[i], ARGV[i + 1]
  position = position + 1
  redis.call('SET', 'session:' .. id, before .. id .. behind, 'PX', ttl)
  redis.call('HSET', 'chat:state:' .. id, unpack(fields))
  redis.call('PEXPIRE', 'chat:state:' .. id, ttl * 2)
  redis.call('SET', 'chat:ref:' .. ref, id, 'PX', ttl)
  redis.call('ZADD', 'chat:index', now + ttl - position, id)
  redis.call('ZADD', 'chat:began', now - position, id)
end
return position
