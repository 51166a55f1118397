-- ARGV: id, aside's id, its JSON, how many are kept
if redis.call('EXISTS', DOC) == 0 then return '' end
rebuild()
if redis.call('HSETNX', STATE, 'a:' .. ARGV[2], '1') == 0 then return '' end
if redis.call('RPUSH', ASIDES, ARGV[3]) > tonumber(ARGV[4]) then
  redis.call('HDEL', STATE, 'a:' .. cjson.decode(redis.call('LPOP', ASIDES)).id)
end
redis.call('PEXPIRE', ASIDES, redis.call('PTTL', DOC))
return '1'
