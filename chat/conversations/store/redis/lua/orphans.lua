-- ARGV: "", how many. Sessions with a question that nobody answers, each followed by how often that
-- question was begun (0 once its deadline passed); forgets what has expired.
purge()
if redis.call('EXISTS', 'chat:since') == 0 then  -- never written, or lost with all data
  write_when_full()
  redis.call('SET', 'chat:since', NOW)
end
-- A lease lasts for seconds.
bring_forward(TURNS, NOW + 3600000)

-- Where the hash is not as expected, `claim` finds that out.
local function attempts_of(id)
  local state = 'chat:state:' .. id
  local pending = redis.pcall('HGET', state, 'pending')
  local question = type(pending) == 'string' and string.match(known_in(pending, state), '^%S+')
  if not question then return 0 end
  local due, attempts = string.match(redis.call('HGET', state, 'd:' .. question) or '', '^(%d+)|(%d+)$')
  return due and tonumber(due) > NOW and tonumber(attempts) or 0
end

local left = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', TURNS, '-inf', NOW, 'LIMIT', 0, ARGV[2])) do
  left[#left + 1] = id
  left[#left + 1] = attempts_of(id)
end
return left
