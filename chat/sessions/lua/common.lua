-- Put before every script of this folder. One session is five keys:
--   session:<id>      the conversation: one JSON document that ends with its messages
--   chat:state:<id>   hash: what must be known without reading the document (see below)
--   chat:draft:<id>   text of the answer being written
--   chat:asides:<id>  list: what was written beside it for the staff, JSON
--   chat:ref:<ref>    its id, found by what stands for it in logs and addresses
-- Sorted sets, which all share, of session ids:
--   chat:index        active, by expiry, in milliseconds
--   chat:began        active, by the moment it began
--   chat:turns        by the moment after which any worker may answer
--   chat:asked chat:held chat:answering chat:interrupted   active, in that state (see desk.py);
--                     held: by the moment when its adviser counts as away
-- Fields of the hash:
--   epoch owner n              as in the document; n: number of messages
--   began language state       for the list
--   adviser adviser_id hold_until taken_by   who answers, ms, id of their announcement
--   adviser_at                 when an adviser came or left last, ms
--   asked_at instruction cut   "1": the last answer failed, or was cut by nobody's will
--   pending                    ids of the questions without an end, in order, separated by spaces
--   head_at                    when the first of them became the first, ms
--   turn answer lease lease_until stop   the answer being written: question, id, owner's token
--   failed                     "<question id>|<code>" of each question that ended without answer
--   form form_version          a ticket that is being made, JSON or ""; the last version of any
--   gone                       why the conversation is over: "ended" or "erased"
--   m:<id>                     fingerprint of a message of the customer, the same with "adviser:"
--                              in front for what one said, "-" for other authors
--   t:<id>                     how a question ended: "end|answer id|code|retry after|error id"
--   a:<id>                     an aside that is in the list
-- It lives longer than the document, to tell "expired" from "never existed".
local DOC, STATE, DRAFT, INDEX, TURNS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ASIDES, REF, BEGAN = KEYS[6], KEYS[7], 'chat:began'
local STATES = { 'asked', 'held', 'answering', 'interrupted' }
local ID = ARGV[1]
local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)
local TAKEN_OVER = 'taken_over||||'

local function get(field)
  return redis.call('HGET', STATE, field) or ''
end

local function set(...)
  redis.call('HSET', STATE, ...)
end

local function keep(ttl)
  redis.call('PEXPIRE', DOC, ttl)
  redis.call('PEXPIRE', DRAFT, ttl)
  redis.call('PEXPIRE', STATE, ttl * 2)
  redis.call('PEXPIRE', ASIDES, ttl)
  redis.call('SET', REF, ID, 'PX', ttl)
  redis.call('ZADD', INDEX, NOW + ttl, ID)
  return NOW + ttl
end

-- Puts the session among those in its state.
local function mark()
  local fields = { 'asked_at', 'adviser', 'pending', 'cut', 'state', 'hold_until' }
  local now = redis.call('HMGET', STATE, unpack(fields))
  local function has(n) return now[n] and now[n] ~= '' end
  local state = has(1) and 'asked' or has(2) and 'held' or has(3) and 'answering'
    or has(4) and 'interrupted' or 'idle'
  if state == now[5] then return end
  if now[5] and now[5] ~= 'idle' then redis.call('ZREM', 'chat:' .. now[5], ID) end
  if state ~= 'idle' then
    redis.call('ZADD', 'chat:' .. state, state == 'held' and now[6] or NOW, ID)
  end
  set('state', state)
end

-- Takes these ids out of all that is shared.
local function leave(...)
  redis.call('ZREM', INDEX, ...)
  redis.call('ZREM', TURNS, ...)
  redis.call('ZREM', BEGAN, ...)
  for _, state in ipairs(STATES) do redis.call('ZREM', 'chat:' .. state, ...) end
end

-- Writes behind the last message, whatever the length of what is there.
local function append(piece)
  if redis.call('HINCRBY', STATE, 'n', 1) > 1 then piece = ',' .. piece end
  redis.call('SETRANGE', DOC, redis.call('STRLEN', DOC) - 2, piece .. ']}')
end

local function without(list, id)
  local kept = {}
  for item in string.gmatch(list, '%S+') do
    if item ~= id and string.sub(item, 1, #id + 1) ~= id .. '|' then kept[#kept + 1] = item end
  end
  return table.concat(kept, ' ')
end

local function before(list, id)
  local ahead = {}
  for item in string.gmatch(list, '%S+') do
    if item == id then break end
    ahead[#ahead + 1] = item
  end
  return table.concat(ahead, ' ')
end

local function with(list, item)
  if list == '' then return item end
  return list .. ' ' .. item
end

-- Gives a question its end; the next one becomes the first.
local function settle(question, outcome, grace)
  local pending = without(get('pending'), question)
  local cut = string.find(outcome, '^interrupted|') or string.find(outcome, '^failed|')
  set('t:' .. question, outcome, 'pending', pending, 'head_at', NOW, 'cut', cut and '1' or '')
  local code = string.match(outcome, '^[^|]*||([^|]+)|')
  if code then set('failed', with(get('failed'), question .. '|' .. code)) end
  if pending == '' then
    redis.call('ZREM', TURNS, ID)
  else
    redis.call('ZADD', TURNS, NOW + grace, ID)
  end
  mark()
end

local function release()
  redis.call('HDEL', STATE, 'turn', 'answer', 'lease', 'lease_until', 'stop')
  redis.call('DEL', DRAFT)
end

local function leased()
  return get('lease') ~= '' and tonumber(get('lease_until')) > NOW
end

-- Gives this token the right to answer a question; tells what the answer is to rest on.
local function grant(question, answer, again, token, lease)
  release()
  set('turn', question, 'answer', answer, 'lease', token, 'lease_until', NOW + lease)
  redis.call('ZADD', TURNS, NOW + lease, ID)
  return {
    question, answer, again and '1' or '', redis.call('GET', DOC), NOW + redis.call('PTTL', DOC),
    unpack(redis.call('HMGET', STATE, 'asked_at', 'instruction', 'form', 'form_version')),
  }
end

-- Keeps an aside behind the others, unless it is known; of all of them the newest.
local function note(id, aside, kept)
  if redis.call('HSETNX', STATE, 'a:' .. id, '1') == 0 then return '' end
  if redis.call('RPUSH', ASIDES, aside) > tonumber(kept) then
    redis.call('HDEL', STATE, 'a:' .. cjson.decode(redis.call('LPOP', ASIDES)).id)
  end
  redis.call('PEXPIRE', ASIDES, redis.call('PTTL', DOC))
  return '1'
end

-- Has each aside in the list known by its id.
local function know_asides()
  for _, aside in ipairs(redis.call('LRANGE', ASIDES, 0, -1)) do
    set('a:' .. cjson.decode(aside).id, '1')
  end
end

-- Milliseconds since 1970 of "2026-11-23T09:30:00.123Z". Source: days_from_civil, Howard Hinnant.
local function milliseconds(iso)
  local y, m, d, h, min, s, ms = string.match(iso, '(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)%.(%d+)Z')
  if not y then return NOW end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if m <= 2 then y, m = y - 1, m + 12 end
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
    + math.floor((153 * (m - 3) + 2) / 5) + d - 1 - 719468
  return ((days * 24 + h) * 60 + min) * 60000 + s * 1000 + ms
end

-- A document without its hash (restored by hand): read it once and write the hash again.
local function rebuild()
  if redis.call('HEXISTS', STATE, 'epoch') == 1 then return end
  local doc = cjson.decode(redis.call('GET', DOC))
  local began = milliseconds(doc.created_at)
  set('epoch', doc.epoch, 'owner', doc.owner, 'n', #doc.messages, 'began', began)
  redis.call('ZADD', BEGAN, began, ID)
  know_asides()
  local open = {}
  for _, message in ipairs(doc.messages) do
    if message.author == 'customer' then
      set('m:' .. message.id, string.sub(redis.sha1hex(message.text), 1, 16))
      open[#open + 1] = message.id
    else
      local print = string.sub(redis.sha1hex(message.text), 1, 16)
      set('m:' .. message.id, message.author == 'adviser' and 'adviser:' .. print or '-')
      if message.reply_to then
        local ending = message.interrupted and 'interrupted|' or 'done|'
        set('t:' .. message.reply_to, ending .. message.id .. '|||')
      end
    end
  end
  for _, question in ipairs(open) do
    if get('t:' .. question) == '' then
      set('t:' .. question, 'failed||assistant_unavailable||')
      set('failed', with(get('failed'), question .. '|assistant_unavailable'), 'cut', '1')
    end
  end
  mark()
end

-- Whether this caller may know of the session at all.
local function found(owner)
  if redis.call('EXISTS', DOC) == 0 then return false end
  rebuild()
  return owner == '*' or get('owner') == owner
end

-- Why nobody can read the session, for this caller; nil when it can be read.
local function absent(owner)
  if redis.call('EXISTS', DOC) == 1 then
    if not found(owner) then return { 'missing' } end
    return nil
  end
  if redis.call('EXISTS', STATE) == 0 then return { 'missing' } end
  if owner ~= '*' and get('owner') ~= '' and get('owner') ~= owner then return { 'missing' } end
  local gone = get('gone')
  return { 'gone', gone == '' and 'expired' or gone }
end

-- The same for who wants to say something in it.
local function closed(owner)
  local away = absent(owner)
  if away then return away end
  if get('gone') ~= '' then return { 'gone', get('gone') } end
  return nil
end

-- status, document, expiry, adviser, its id, asked at, instruction, pending, failed, answer id,
-- draft, gone, form, form version
local function reading(status)
  local expiry = NOW + redis.call('PTTL', DOC)
  return {
    status, redis.call('GET', DOC), expiry, get('adviser'), get('adviser_id'), get('asked_at'),
    get('instruction'), get('pending'), get('failed'), get('answer'),
    redis.call('GET', DRAFT) or '', get('gone'), get('form'), get('form_version'),
  }
end

-- Number of workers with viewers, who listen on this channel.
local function listening(channel)
  return redis.call('PUBSUB', 'NUMSUB', channel)[2]
end

-- Renews the hold of the adviser.
local function hold(ms)
  set('hold_until', NOW + ms)
  redis.call('ZADD', 'chat:held', NOW + ms, ID)
end

-- What the list tells of each of these ids, for rows_of in redis_rows.py.
local function rows(ids)
  local told = {}
  for _, id in ipairs(ids) do
    local bytes, expiry = redis.call('STRLEN', 'session:' .. id), redis.call('ZSCORE', INDEX, id)
    if bytes > 0 and expiry then
      local fields = redis.call('HMGET', 'chat:state:' .. id, 'owner', 'began', 'n', 'language',
        'state', 'adviser', 'adviser_id', 'asked_at')
      told[#told + 1] = { id, expiry, bytes, fields }
    end
  end
  return told
end

-- Forgets some of what has expired, and counts it by the hour.
local function purge()
  local dead = redis.call('ZRANGEBYSCORE', INDEX, '-inf', NOW, 'LIMIT', 0, 500)
  if #dead == 0 then return end
  leave(unpack(dead))
  for _, id in ipairs(dead) do
    redis.call('HDEL', 'chat:state:' .. id, 'adviser', 'adviser_id', 'instruction', 'form')
  end
  local hour = math.floor(NOW / 3600000)
  redis.call('HINCRBY', 'chat:expired', hour, #dead)
  redis.call('PEXPIRE', 'chat:expired', 14 * 86400000)
  for _, past in ipairs(redis.call('HKEYS', 'chat:expired')) do
    if tonumber(past) < hour - 14 * 24 then redis.call('HDEL', 'chat:expired', past) end
  end
end

-- Another value after every change; "" when there is nothing.
local function version()
  local all = (redis.call('GET', DOC) or '') .. (get('gone')) .. get('pending') .. get('failed')
  if all == '' then return '' end
  local desk = get('adviser_at') .. '|' .. get('asked_at') .. '|' .. get('form_version')
  return redis.sha1hex(all .. '|' .. get('lease') .. '|' .. get('adviser') .. '|' .. desk)
end
