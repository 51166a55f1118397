-- ARGV: id, owner. The conversation can be read until it expires, nothing more is said in it.
if not found(ARGV[2]) then return '' end
set('gone', 'ended', 'pending', '')
release()
redis.call('ZREM', INDEX, ID)
redis.call('ZREM', TURNS, ID)
return '1'
