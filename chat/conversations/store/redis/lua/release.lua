-- ARGV: id, token. The question may be answered by any worker at once, under the same answer id;
-- an attempt that is handed over does not count.
if get('lease') == ARGV[2] and get('lease_until') ~= '0' then
  local question = get('turn')
  local due, attempts = budget(question)
  if due and attempts > 0 then set('d:' .. question, due .. '|' .. attempts - 1) end
  set('lease_until', 0)
  redis.call('ZADD', TURNS, NOW, ID)
end
return ''
