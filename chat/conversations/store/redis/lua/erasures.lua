-- ARGV: "", how many, ms of the shortest and of the longest pause. References of erased
-- conversations to be cleaned up now; each comes again after a pause as long as its age.
bring_forward('chat:erasing', NOW + 2 * math.max(tonumber(ARGV[4]), 3600000))
local due = redis.call('ZRANGEBYSCORE', 'chat:erasing', '-inf', NOW, 'LIMIT', 0, ARGV[2])
if #due > 0 then write_when_full() end
for _, ref in ipairs(due) do
  local since = tonumber(redis.call('ZSCORE', 'chat:erasing:since', ref) or NOW)
  local pause = math.min(math.max(NOW - since, tonumber(ARGV[3])), tonumber(ARGV[4]))
  redis.call('ZADD', 'chat:erasing', NOW + pause, ref)
end
return due
