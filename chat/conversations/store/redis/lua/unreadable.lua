-- ARGV: "". Ids of what was set aside, the newest last; forgets those that are no more.
redis.call('ZREMRANGEBYSCORE', 'chat:unreadable', '-inf', NOW - ASIDE_MS)
return redis.call('ZRANGE', 'chat:unreadable', 0, -1)
