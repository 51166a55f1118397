-- ARGV: "". Hours since 1970, and how many conversations expired in each.
purge()
return redis.call('HGETALL', 'chat:expired')
