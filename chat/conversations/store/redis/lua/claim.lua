-- ARGV: id, token, lease ms, grace ms, id for a new answer, ms within which a question is answered
--       whose deadline is not known, attempts that a question has, ttl ms, when an answer is cut
--       (as JSON), "1" when a question may be begun for the last time, question ids that the
--       caller owns…
-- list of "question id", outcome for those owned that have ended,
-- list of "question id", outcome, attempts for those that this call gave up, then
-- "granted" and what grant() tells | "wait" | "missing"
local token, lease, grace, within = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
if redis.call('EXISTS', DOC) == 0 then
  redis.call('ZREM', TURNS, ID)
  return { {}, {}, 'missing' }
end
rebuild()

local function first() return string.match(queue(), '^%S+') end

-- Questions at whose answer nobody may try any more: late, or tried too often.
local given_up, question = {}, first()
while question and not leased() do
  local due, attempts = budget(question)
  local is_late, is_tried = due and due <= NOW, attempts and attempts >= tonumber(ARGV[7])
  if not is_late and not is_tried then break end
  local code, answer = is_late and 'assistant_timeout' or 'assistant_unavailable', nil
  if get('turn') == question then
    answer = select(2, store_draft(ARGV[9]))
    release()
  end
  local outcome = (answer and 'interrupted|' .. answer or 'failed|') .. '|' .. code .. '||'
  settle(question, outcome, grace)
  keep(tonumber(ARGV[8]))
  for _, part in ipairs({ question, outcome, attempts }) do given_up[#given_up + 1] = part end
  question = first()
end

local ended, owned = {}, {}
for i = 11, #ARGV do
  owned[ARGV[i]] = true
  local outcome = get('t:' .. ARGV[i])
  if outcome ~= '' then
    ended[#ended + 1] = ARGV[i]
    ended[#ended + 1] = outcome
  end
end
if not question and get('pending') ~= '' then  -- damaged
  set('pending', '')
  redis.call('ZREM', TURNS, ID)
  mark()
end
if not question or leased() then return { ended, given_up, 'wait' } end
if ARGV[10] == '' and (select(2, budget(question)) or 0) + 1 >= tonumber(ARGV[7]) then
  return { ended, given_up, 'wait' }
end
local again = get('turn') == question
-- Somebody else's question: only when its worker did not begin, or stopped.
if not owned[question] and not again and number('head_at') + grace > NOW then
  return { ended, given_up, 'wait' }
end
local answer = again and get('answer') or ARGV[5]
return { ended, given_up, 'granted', grant(question, answer, again, token, lease, within) }
