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
  if NOW < (tonumber(get('hold_until')) or 0) then return { 'other', get('adviser') } end
end
if get('m:' .. announcement) ~= '' then return reading('held') end

-- What is left of a text whose last character may be half of one.
local function whole(text)
  return (string.gsub(text, '[\128-\255][\128-\191]*', function(piece)
    local first, second = string.byte(piece, 1, 2)
    local more = first >= 240 and 3 or first >= 224 and 2 or 1
    if first < 194 or first > 244 or #piece <= more then return '' end
    if first == 224 and second < 160 or first == 237 and second > 159 then return '' end
    if first == 240 and second < 144 or first == 244 and second > 143 then return '' end
    return string.sub(piece, 1, more + 1)
  end))
end

-- cjson writes "/" as "\/", and never "/": the document has it bare, as Python writes it.
local function quoted(text)
  return (string.gsub(cjson.encode(text), '\\/', '/'))
end

local draft, turn, answer = whole(redis.call('GET', DRAFT) or ''), get('turn'), get('answer')
for question in string.gmatch(get('pending'), '%S+') do
  set('t:' .. question, TAKEN_OVER)
end
if draft ~= '' and turn ~= '' and get('m:' .. answer) == '' then
  append('{"id":' .. quoted(answer) .. ',"author":"assistant","text":' .. quoted(draft)
    .. ',"sent_at":' .. ARGV[8] .. ',"interrupted":true,"reply_to":' .. quoted(turn) .. '}')
  set('m:' .. answer, '-', 't:' .. turn, 'taken_over|' .. answer .. '|||')
end
release()
redis.call('ZREM', TURNS, ID)
redis.call('HDEL', STATE, 'asked_at', 'instruction', 'cut')
set('adviser', ARGV[3], 'adviser_id', adviser, 'taken_by', announcement, 'pending', '',
  'adviser_at', NOW)
append(ARGV[7])
set('m:' .. announcement, '-')
mark()
hold(ARGV[5])
keep(tonumber(ARGV[4]))
return reading('taken')
