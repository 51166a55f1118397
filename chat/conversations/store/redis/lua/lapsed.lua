-- ARGV: "", how many. Sessions whose adviser has not been heard of for too long.
purge()
return redis.call('ZRANGEBYSCORE', 'chat:held', '-inf', NOW, 'LIMIT', 0, ARGV[2])
