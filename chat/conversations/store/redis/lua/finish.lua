-- ARGV: id, token ("" for a question that never began), ttl ms, grace ms, question id, outcome,
--       answer JSON or "", answer id, channel where viewers of other workers listen, the same of
--       the staff, aside's id or "", its JSON, how many are kept
-- "ok", number of workers listening, of workers watching | "lost"
local token, question, outcome = ARGV[2], ARGV[5], ARGV[6]
local function fine()
  if ARGV[11] ~= '' then note(ARGV[11], ARGV[12], ARGV[13]) end
  local numbers = redis.call('PUBSUB', 'NUMSUB', ARGV[9], ARGV[10])
  return { 'ok', numbers[2], numbers[4] }
end
if redis.call('EXISTS', DOC) == 0 then return { 'lost' } end
if get('t:' .. question) == outcome then
  -- Said before: by this writer, or in other words by the one who took its turn.
  if not string.find(redis.call('GET', DOC), ARGV[7], 1, true) then return { 'lost' } end
  return fine()
end
if token == '' then
  if get('gone') ~= '' then return { 'lost' } end
  if get('t:' .. question) ~= '' or (get('turn') == question and leased()) then return { 'lost' } end
else
  if get('lease') ~= token then return { 'lost' } end
  release()
end
if ARGV[7] ~= '' then
  append(ARGV[7])
  set('m:' .. ARGV[8], '-')
end
settle(question, outcome, tonumber(ARGV[4]))
keep(tonumber(ARGV[3]))
return fine()
