-- ARGV: id, version, ttl ms, grace ms, document, epoch, owner, began, gone, number of messages,
--       pending, failed, turn, answer, lease, ms for which the lease holds, draft,
--       then other fields and their values: who answers, "m:…", "t:…", and "d:…" with the ms that
--       are left in place of the deadline
-- "1", or "" when it changed since that version was read
if version() ~= ARGV[2] then return '' end
redis.call('DEL', STATE, DRAFT)
leave(ID)
redis.call('SET', DOC, ARGV[5])
set('epoch', ARGV[6], 'owner', ARGV[7], 'began', ARGV[8], 'n', ARGV[10],
  'pending', ARGV[11], 'failed', ARGV[12], 'head_at', NOW)
if ARGV[9] ~= '' then set('gone', ARGV[9]) end
if ARGV[13] ~= '' then
  set('turn', ARGV[13], 'answer', ARGV[14], 'lease', ARGV[15], 'lease_until', NOW + ARGV[16])
  redis.call('SET', DRAFT, ARGV[17])
end
for i = 18, #ARGV, 2 do
  local field, value = ARGV[i], ARGV[i + 1]
  if string.sub(field, 1, 2) == 'd:' then
    local left, attempts = string.match(value, '^(-?%d+)|(%d+)$')
    value = NOW + left .. '|' .. attempts
  end
  set(field, value)
end
-- It went on elsewhere meanwhile: at which worker the customer's pages are is not known, so whoever
-- takes it over waits for all.
redis.call('HDEL', STATE, 'door')
know_asides()
keep(tonumber(ARGV[3]))
if ARGV[9] ~= '' then
  leave(ID)
  return '1'
end
redis.call('ZADD', BEGAN, ARGV[8], ID)
mark()
if ARGV[11] ~= '' then redis.call('ZADD', TURNS, NOW + tonumber(ARGV[4]), ID) end
return '1'
