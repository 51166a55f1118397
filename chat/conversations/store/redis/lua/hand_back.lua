-- ARGV: id, adviser's id ("": who left without a word), instruction, ttl ms, announcement's id,
--       its JSON. "1" when the assistant answers again
if closed('*') then
  redis.call('ZREM', 'chat:held', ID)
  return ''
end
if get('m:' .. ARGV[5]) ~= '' then return '1' end
if get('adviser') == '' then return '' end
local lapsed = ARGV[2] == '' and number('hold_until') <= NOW
if not lapsed and get('adviser_id') ~= ARGV[2] then return '' end
redis.call('HDEL', STATE, 'adviser', 'adviser_id', 'hold_until', 'taken_by', 'asked_at')
set('instruction', ARGV[3], 'adviser_at', NOW)
append(ARGV[6])
set('m:' .. ARGV[5], '-')
mark()
tell_speaker()
keep(tonumber(ARGV[4]))
return '1'
