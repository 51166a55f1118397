-- ARGV: id, version, ttl ms, grace ms, document, epoch, owner, adviser, gone, number of messages,
--       pending, failed, turn, answer, lease, ms for which the lease holds, draft,
--       then fields and values "m:…" and "t:…"
-- "1", or "" when it changed since that version was read
if version() ~= ARGV[2] then return '' end
redis.call('DEL', STATE, DRAFT)
redis.call('SET', DOC, ARGV[5])
set('epoch', ARGV[6], 'owner', ARGV[7], 'adviser', ARGV[8], 'n', ARGV[10],
  'pending', ARGV[11], 'failed', ARGV[12], 'head_at', NOW)
if ARGV[9] ~= '' then set('gone', ARGV[9]) end
if ARGV[13] ~= '' then
  set('turn', ARGV[13], 'answer', ARGV[14], 'lease', ARGV[15], 'lease_until', NOW + ARGV[16])
  redis.call('SET', DRAFT, ARGV[17])
end
for i = 18, #ARGV, 2 do set(ARGV[i], ARGV[i + 1]) end
keep(tonumber(ARGV[3]))
if ARGV[9] ~= '' then redis.call('ZREM', INDEX, ID) end
if ARGV[11] ~= '' then
  redis.call('ZADD', TURNS, NOW + tonumber(ARGV[4]), ID)
else
  redis.call('ZREM', TURNS, ID)
end
return '1'
