-- ARGV: id, token. The question may be answered by any worker at once, under the same answer id.
if get('lease') == ARGV[2] then
  set('lease_until', 0)
  redis.call('ZADD', TURNS, NOW, ID)
end
return ''
