-- ARGV: id, owner, ms for which late writers are still refused, ms after which any worker may clean
-- up what is left in SQL, "1" when this caller alone can have had the id, how many intents there
-- may be before those of unknown conversations are no longer noted.
-- "1" when there was something. The intent is noted in the same step (see erasures.py).
local function intend()
  write_when_full()
  local ref = string.sub(REF, #'chat:ref:' + 1)
  redis.call('ZADD', 'chat:erasing', NOW + ARGV[4], ref)
  redis.call('ZADD', 'chat:erasing:since', NOW, ref)
end

if not is_set_aside(ARGV[2]) and not found(ARGV[2]) then
  -- Photos and addresses outlive the conversation, and come before its first word.
  local away = absent(ARGV[2])
  local was_theirs = away and away[1] == 'gone'
  if was_theirs or (away and ARGV[5] == '1' and redis.call('EXISTS', STATE, DOC) == 0
      and redis.call('ZCARD', 'chat:erasing') < tonumber(ARGV[6])) then
    intend()
  end
  return ''
end
local owner = redis.pcall('HGET', STATE, 'owner')
if type(owner) ~= 'string' then owner = redis.pcall('HGET', UNREADABLE .. ':state', 'owner') end
if type(owner) ~= 'string' then owner = ARGV[2] end
intend()
redis.call('HSET', ERASED, 'at', NOW)
for _, key in ipairs({ STATE, UNREADABLE .. ':state' }) do
  local fields = redis.pcall('HKEYS', key)
  for _, field in ipairs(fields.err and {} or fields) do
    if string.sub(field, 1, 2) == 'm:' then
      redis.call('HSET', ERASED, digest(owner, string.sub(field, 3)), '')
    end
  end
end
redis.call('PEXPIRE', ERASED, ARGV[3])
redis.call('DEL', DOC, DRAFT, STATE, ASIDES, REF)
redis.call('SET', 'chat:aof:erased_at', NOW) -- the append-only file has its words: aof.py
redis.call('DEL', UNREADABLE, UNREADABLE .. ':state', UNREADABLE .. ':draft',
  UNREADABLE .. ':asides')
redis.call('ZREM', 'chat:unreadable', ID)
set('gone', 'erased', 'owner', owner)
redis.call('PEXPIRE', STATE, ARGV[3])
leave(ID)
redis.call('ZREM', 'chat:speakers', ID)
return '1'
