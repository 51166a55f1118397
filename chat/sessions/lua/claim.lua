-- ARGV: id, token, lease ms, grace ms, id for a new answer, question ids that the caller owns…
-- list of "question id", outcome for those owned that have ended, then
-- "granted" and what grant() tells | "wait" | "missing"
local token, lease, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', DOC) == 0 then
  redis.call('ZREM', TURNS, ID)
  return { {}, 'missing' }
end
rebuild()

local ended, owned = {}, {}
for i = 6, #ARGV do
  owned[ARGV[i]] = true
  local outcome = get('t:' .. ARGV[i])
  if outcome ~= '' then
    ended[#ended + 1] = ARGV[i]
    ended[#ended + 1] = outcome
  end
end
local question = string.match(get('pending'), '^%S+')
if not question or leased() then return { ended, 'wait' } end
local again = get('turn') == question
-- Somebody else's question: only when its worker did not begin, or stopped.
if not owned[question] and not again and tonumber(get('head_at')) + grace > NOW then
  return { ended, 'wait' }
end
local answer = again and get('answer') or ARGV[5]
return { ended, 'granted', grant(question, answer, again, token, lease) }
