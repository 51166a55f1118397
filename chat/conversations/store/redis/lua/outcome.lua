-- ARGV: id, question id. Its outcome, "" while it has none, "missing"
if redis.call('EXISTS', DOC) == 0 then return 'missing' end
return get('t:' .. ARGV[2])
