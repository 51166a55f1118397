-- ARGV: "", reference, ms. What this erasure left is gone: forgets the intent, but not within so
-- many ms of the erasure, after which it is cleaned up once more.
write_when_full()
local ref = ARGV[2]
local since = tonumber(redis.call('ZSCORE', 'chat:erasing:since', ref) or '0')
if NOW - since < tonumber(ARGV[3]) then
  redis.call('ZADD', 'chat:erasing', 'XX', since + tonumber(ARGV[3]), ref)
else
  redis.call('ZREM', 'chat:erasing', ref)
  redis.call('ZREM', 'chat:erasing:since', ref)
end
return '1'
