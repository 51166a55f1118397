-- ARGV: id, owner. The conversation can be read until it expires, nothing more is said in it.
if not found(ARGV[2]) then return '' end
for question in string.gmatch(queue(), '%S+') do
  redis.call('HDEL', STATE, 'd:' .. question)
end
set('gone', 'ended', 'pending', '')
redis.call('HDEL', STATE, 'asked_at', 'instruction', 'hold_until', 'state', 'form')
release()
leave(ID)
tell_speaker()
return '1'
