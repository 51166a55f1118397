-- ARGV: id, aside's id, its JSON, how many are kept
if redis.call('EXISTS', DOC) == 0 then return '' end
rebuild()
return note(ARGV[2], ARGV[3], ARGV[4])
