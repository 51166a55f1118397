-- ARGV: "", how many. Sessions with a question that nobody answers; forgets what has expired.
purge()
return redis.call('ZRANGEBYSCORE', TURNS, '-inf', NOW, 'LIMIT', 0, ARGV[2])
