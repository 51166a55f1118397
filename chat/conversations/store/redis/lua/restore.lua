-- ARGV: id, ttl ms, "1" to leave the hash aside, so that it is written anew from the document
-- "1" | "" when nothing was set aside | "there" when the conversation goes on meanwhile
if redis.call('EXISTS', UNREADABLE) == 0 then return '' end
if redis.call('EXISTS', DOC) == 1 then return 'there' end
redis.call('DEL', STATE)
local keys = { [''] = DOC, [':state'] = STATE, [':draft'] = DRAFT, [':asides'] = ASIDES }
if ARGV[3] ~= '' then
  keys[':state'] = nil
  redis.call('DEL', UNREADABLE .. ':state')
end
for suffix, key in pairs(keys) do
  if redis.call('EXISTS', UNREADABLE .. suffix) == 1 then
    redis.call('RENAME', UNREADABLE .. suffix, key)
  end
end
redis.call('ZREM', 'chat:unreadable', ID)
rebuild()
keep(tonumber(ARGV[2]))
if get('gone') ~= '' then
  leave(ID)
  return '1'
end
redis.call('ZADD', BEGAN, number('began'), ID)
set('state', 'idle')
mark()
if queue() ~= '' then redis.call('ZADD', TURNS, NOW, ID) end
return '1'
