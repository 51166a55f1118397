-- ARGV: id
if redis.call('EXISTS', DOC) == 0 then return {} end
return redis.call('LRANGE', ASIDES, 0, -1)
