-- ARGV: "", ttl ms
-- active, of these with a word in the last hour, asked, held, answering
purge()
local since = NOW + tonumber(ARGV[2]) - 3600000
return {
  redis.call('ZCOUNT', INDEX, '(' .. NOW, '+inf'),
  redis.call('ZCOUNT', INDEX, math.max(since, NOW + 1), '+inf'),
  redis.call('ZCARD', 'chat:asked'),
  redis.call('ZCARD', 'chat:held'),
  redis.call('ZCARD', 'chat:answering'),
}
