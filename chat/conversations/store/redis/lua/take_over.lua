-- ARGV: id, adviser's id, name, ttl ms, hold ms, announcement's id, its JSON,
--       when the answer is cut (as JSON)
-- "taken" | "held" and what reading() tells | "other", name | "missing" | "gone", reason
local adviser, announcement = ARGV[2], ARGV[6]
local away = closed('*')
if away then return away end
if get('adviser') ~= '' then
  if get('adviser_id') == adviser then
    hold(ARGV[5])
    return reading(get('taken_by') == announcement and 'taken' or 'held')
  end
  if NOW < number('hold_until') then return { 'other', get('adviser') } end
end
if get('m:' .. announcement) ~= '' then return reading('held') end

for question in string.gmatch(queue(), '%S+') do
  set('t:' .. question, TAKEN_OVER)
  redis.call('HDEL', STATE, 'd:' .. question)
end
local turn, answer = store_draft(ARGV[8])
if turn then set('t:' .. turn, 'taken_over|' .. answer .. '|||') end
release()
redis.call('ZREM', TURNS, ID)
redis.call('HDEL', STATE, 'asked_at', 'instruction', 'cut')
set('adviser', ARGV[3], 'adviser_id', adviser, 'taken_by', announcement, 'pending', '',
  'adviser_at', NOW)
append(ARGV[7])
set('m:' .. announcement, '-')
mark()
tell_speaker()
hold(ARGV[5])
keep(tonumber(ARGV[4]))
return reading('taken')
