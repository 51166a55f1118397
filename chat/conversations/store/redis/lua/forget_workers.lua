-- ARGV: "", then of each worker: its id, and up to when it knows ("inf": whatever it knows).
--       One that knows of more has beaten since, and stays. ""
for i = 2, #ARGV, 2 do
  local known = redis.call('ZSCORE', 'chat:workers', ARGV[i])
  if known and tonumber(known) <= (tonumber(ARGV[i + 1]) or math.huge) then
    redis.call('ZREM', 'chat:workers', ARGV[i])
    redis.call('HDEL', 'chat:places', ARGV[i])
  end
end
return ''
