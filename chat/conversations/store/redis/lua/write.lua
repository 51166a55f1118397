-- ARGV: id, token, lease ms, offset in bytes, piece, channel where viewers of other workers listen
-- "ok", "1" when a stop was asked, number of workers listening | "lost"
if get('lease') ~= ARGV[2] then return { 'lost' } end
-- A piece whose beginning is not here would stand behind zeros: its writer brings all of it again.
if ARGV[5] ~= '' and tonumber(ARGV[4]) <= redis.call('STRLEN', DRAFT) then
  redis.call('SETRANGE', DRAFT, ARGV[4], ARGV[5])
  redis.call('PEXPIRE', DRAFT, math.max(redis.call('PTTL', DOC), 1000))
end
-- Renewing ends with the deadline, so that the question has an end whatever its writer does.
local until_ms = math.min(NOW, budget(get('turn')) or NOW) + tonumber(ARGV[3])
set('lease_until', until_ms)
redis.call('ZADD', TURNS, until_ms, ID)
return { 'ok', get('stop'), listening(ARGV[6]) }
