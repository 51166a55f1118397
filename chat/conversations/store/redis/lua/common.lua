-- Put before every script of this folder, as far as it is used: see redis_scripts.py, which takes each
-- function apart at the empty lines. One session is five keys:
--   session:<id>      the conversation: one JSON document that ends with its messages
--   chat:state:<id>   hash: what must be known without reading the document (see below)
--   chat:draft:<id>   text of the answer being written
--   chat:asides:<id>  list: what was written beside it for the staff, JSON
--   chat:ref:<ref>    its id, found by what stands for it in logs and addresses
--   chat:unreadable:<id>[:state|:draft|:asides]   the first four, when this release could not
--                     read them: whole, and in nobody's way
--   chat:erased:<id>  hash, of an erased conversation: when ("at", ms), and a digest of each message
-- Sorted sets, which all share, of session ids:
--   chat:index        active, by expiry, in milliseconds
--   chat:began        active, by the moment it began
--   chat:turns        by the moment after which any worker may answer
--   chat:workers      workers, by up to when they know of changes in chat:speakers; where each
--                     runs is in the hash chat:places
--   chat:speakers     sessions by when an adviser last came or left, or they were closed, of the
--                     last hour
--   chat:asked chat:held chat:answering chat:interrupted   active, in that state (see desk.py);
--                     held: by the moment when its adviser counts as away
--   chat:unreadable   set aside, by that moment
-- One of them that is of another type is moved to chat:unreadable:<key>; chat:reindex says that
-- what was in it is to be made anew from the conversations.
-- Two of references, of erased conversations (see erasures.py):
--   chat:erasing chat:erasing:since   by when any worker cleans up after them, by the erasure
-- chat:since: since when this Redis has its data, in ms; a worker writes it where it is missing.
-- Fields of the hash:
--   epoch owner n              as in the document; n: number of messages
--   began language state       for the list
--   adviser adviser_id hold_until taken_by   who answers, ms, id of their announcement
--   door                       the worker that the customer last spoke to; none after a merge
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
--   d:<id>                     "<deadline in ms>|<attempts begun>" of a question without an end
--   a:<id>                     an aside that is in the list
-- It lives longer than the document, to tell "expired" from "never existed".
local DOC, STATE, DRAFT, INDEX, TURNS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ASIDES, REF, UNREADABLE, BEGAN = KEYS[6], KEYS[7], KEYS[8], 'chat:began'
local ERASED, ASIDE_MS = 'chat:erased:' .. ARGV[1], 7 * 86400000
local STATES = { 'asked', 'held', 'answering', 'interrupted' }
local ID = ARGV[1]
local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)
local TAKEN_OVER = 'taken_over||||'

local function get(field)
  return redis.call('HGET', STATE, field) or ''
end

-- A number that is one; nil for "nan", "inf" and other texts.
local function finite(text)
  local n = tonumber(text or '')
  return n and n == n and math.abs(n) < math.huge and n or nil
end

local function number(field)
  return finite(get(field)) or 0
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

-- Has a full Redis take what this script writes from here on: it looks at a script's first write only,
-- and takes one that frees memory. Source: redis, script.c, SCRIPT_WRITE_DIRTY.
local function write_when_full()
  redis.call('DEL', 'chat:none')
end

-- Those in a queue that are questions of the conversation: whatever else a damaged one has, blanks or
-- ids of no message, would keep those behind it from ever being answered. key: its hash.
local function known_in(ids, key)
  local kept = {}
  for id in string.gmatch(ids, '%S+') do
    if redis.call('HEXISTS', key, 'm:' .. id) == 1 then kept[#kept + 1] = id end
  end
  return table.concat(kept, ' ')
end

-- The ids of the questions without an end, in order.
local function queue()
  return known_in(get('pending'), STATE)
end

-- Puts a session among those in its state. key: its hash.
local function mark_of(id, key)
  local fields = { 'asked_at', 'adviser', 'pending', 'cut', 'state', 'hold_until' }
  local now = redis.call('HMGET', key, unpack(fields))
  local function has(n) return now[n] and now[n] ~= '' end
  local is_open = has(3) and known_in(now[3], key) ~= ''
  local state = has(1) and 'asked' or has(2) and 'held' or is_open and 'answering'
    or has(4) and 'interrupted' or 'idle'
  if state == now[5] then return end
  if now[5] and now[5] ~= 'idle' then redis.call('ZREM', 'chat:' .. now[5], id) end
  if state ~= 'idle' then
    redis.call('ZADD', 'chat:' .. state, state == 'held' and finite(now[6]) or NOW, id)
  end
  redis.call('HSET', key, 'state', state)
end

local function mark()
  mark_of(ID, STATE)
end

-- The type of each shared key. A function, as the next one: a table of the whole script would be made
-- each time it runs. redis_scripts.py fills in both.
local function shared()
  return { TYPES_OF_SHARED }
end

-- What has ZINTER look at all shared sorted sets, and find nothing.
local function sets()
  return SETS_OF_SHARED
end

-- Moves shared keys of another type than shared() says out of the way, whole. Ends the script then,
-- before its first write, so that it can run again: see _evaluate in redis_scripts.py.
-- is_quick: looks at the sorted sets only, and takes most sets for one; one command in place of many.
local function check_shared(is_quick)
  if is_quick and redis.pcall('ZSCORE', TURNS, '') == false
    and not redis.pcall('ZINTER', sets()).err then return end
  local moved = {}
  local function check(key, kind, name, place)
    local actual = redis.call('TYPE', key).ok
    if actual == kind or actual == 'none' then return end
    redis.call('RENAME', key, place)
    redis.call('PEXPIRE', place, ASIDE_MS)
    moved[#moved + 1] = name
  end
  for key, kind in pairs(shared()) do check(key, kind, key, 'chat:unreadable:' .. key) end
  if ID ~= '' then check(ERASED, 'hash', 'chat:erased', UNREADABLE .. ':erased') end
  if #moved > 0 then
    redis.call('SET', 'chat:reindex', NOW)
    error('SHAREDTYPE ' .. table.concat(moved, ','), 0)
  end
end

-- Takes these ids out of all that is shared.
local function leave(...)
  redis.call('ZREM', INDEX, ...)
  redis.call('ZREM', TURNS, ...)
  redis.call('ZREM', BEGAN, ...)
  for _, state in ipairs(STATES) do redis.call('ZREM', 'chat:' .. state, ...) end
end

-- Moves a record that this release cannot read out of everybody's way, whole.
local function set_aside()
  local keys = { [''] = DOC, [':state'] = STATE, [':draft'] = DRAFT, [':asides'] = ASIDES }
  if redis.call('EXISTS', DOC) == 1 then
    for suffix, key in pairs(keys) do
      redis.call('DEL', UNREADABLE .. suffix)
      if redis.call('EXISTS', key) == 1 then
        redis.call('RENAME', key, UNREADABLE .. suffix)
        redis.call('PEXPIRE', UNREADABLE .. suffix, ASIDE_MS)
      end
    end
    redis.call('ZADD', 'chat:unreadable', NOW, ID)
    redis.call('SET', REF, ID, 'PX', ASIDE_MS)
  end
  leave(ID)
end

-- The same, and ends the script: see _run in redis_scripts.py.
local function refuse_unreadable()
  set_aside()
  error('UNREADABLE', 0)
end

-- Writes behind the last message, whatever the length of what is there.
local function append(piece)
  local ending = redis.call('GETRANGE', DOC, -3, -1)
  if ending ~= '}]}' and ending ~= '[]}' then refuse_unreadable() end
  if ending == '}]}' then piece = ',' .. piece end
  local count = redis.pcall('HINCRBY', STATE, 'n', 1)
  if type(count) == 'table' then set('n', 1) end
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

local function is_in(list, id)
  return string.find(' ' .. list .. ' ', ' ' .. id .. ' ', 1, true) ~= nil
end

local function with(list, item)
  if list == '' then return item end
  return list .. ' ' .. item
end

-- Deadline in ms and attempts begun of a question; nil when no release of ours set them.
local function budget(question)
  local due, attempts = string.match(get('d:' .. question), '^(%d+)|(%d+)$')
  return tonumber(due), tonumber(attempts)
end

-- Gives a question its end; the next one becomes the first.
local function settle(question, outcome, grace)
  local pending = without(queue(), question)
  local cut = string.find(outcome, '^interrupted|') or string.find(outcome, '^failed|')
  set('t:' .. question, outcome, 'pending', pending, 'head_at', NOW, 'cut', cut and '1' or '')
  local code = string.match(outcome, '^[^|]*||([^|]+)|')
  if code then set('failed', with(get('failed'), question .. '|' .. code)) end
  if pending == '' then
    redis.call('ZREM', TURNS, ID)
  else
    redis.call('ZADD', TURNS, NOW + grace, ID)
  end
  redis.call('HDEL', STATE, 'd:' .. question)
  mark()
end

local function release()
  redis.call('HDEL', STATE, 'turn', 'answer', 'lease', 'lease_until', 'stop')
  redis.call('DEL', DRAFT)
end

local function leased()
  local left = number('lease_until') - NOW
  return get('lease') ~= '' and left > 0 and left < 3600000  -- it is given for seconds
end

-- Gives this token the right to answer a question; tells what the answer is to rest on.
-- within: ms that a question has whose deadline is not known.
local function grant(question, answer, again, token, lease, within)
  local due, attempts = budget(question)
  due, attempts = due or NOW + within, (attempts or 0) + 1
  release()
  set('turn', question, 'answer', answer, 'lease', token, 'lease_until', NOW + lease,
    'd:' .. question, due .. '|' .. attempts)
  redis.call('ZADD', TURNS, NOW + lease, ID)
  return {
    question, answer, again and '1' or '', redis.call('GET', DOC), NOW + redis.call('PTTL', DOC),
    due - NOW, attempts, unpack(redis.call('HMGET', STATE, 'asked_at', 'instruction', 'form', 'form_version')),
  }
end

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

-- Stores what was kept of the answer being written, as an interrupted message that was sent at
-- that moment (JSON); its question and its id, or nil when there is nothing to store.
local function store_draft(sent_at)
  local draft, turn, answer = whole(redis.call('GET', DRAFT) or ''), get('turn'), get('answer')
  if draft == '' or turn == '' or get('m:' .. answer) ~= '' then return nil end
  append('{"id":' .. quoted(answer) .. ',"author":"assistant","text":' .. quoted(draft)
    .. ',"sent_at":' .. sent_at .. ',"interrupted":true,"reply_to":' .. quoted(turn) .. '}')
  set('m:' .. answer, '-')
  return turn, answer
end

-- What an erased message is remembered by; the id cannot be read from it.
local function digest(owner, message)
  return string.sub(redis.sha1hex(ID .. ' ' .. owner .. ' ' .. message), 1, 16)
end

-- The id in a JSON object, nil in anything else.
local function id_in(text)
  local is_json, data = pcall(cjson.decode, text)
  local id = is_json and type(data) == 'table' and data.id
  return type(id) == 'string' and id or nil
end

-- Keeps an aside behind the others, unless it is known; of all of them the newest.
local function note(id, aside, kept)
  if redis.call('HSETNX', STATE, 'a:' .. id, '1') == 0 then return '' end
  if redis.call('RPUSH', ASIDES, aside) > tonumber(kept) then
    local oldest = id_in(redis.call('LPOP', ASIDES))
    if oldest then redis.call('HDEL', STATE, 'a:' .. oldest) end
  end
  redis.call('PEXPIRE', ASIDES, redis.call('PTTL', DOC))
  return '1'
end

-- Has each aside in the list known by its id.
local function know_asides()
  for _, aside in ipairs(redis.call('LRANGE', ASIDES, 0, -1)) do
    local id = id_in(aside)
    if id then set('a:' .. id, '1') end
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

-- What the hash says of a document, as fields and values, and when it began.
local function fields_of(text)
  local doc = cjson.decode(text)
  local began, open, failed, ended, fields = milliseconds(doc.created_at), {}, {}, {}, {}
  local function put(field, value)
    assert(type(value) == 'string' or type(value) == 'number')
    fields[#fields + 1], fields[#fields + 2] = field, value
  end
  put('epoch', doc.epoch)
  put('owner', doc.owner)
  put('n', #doc.messages)
  put('began', began)
  for _, message in ipairs(doc.messages) do
    local print = string.sub(redis.sha1hex(message.text), 1, 16)
    if message.author == 'customer' then
      put('m:' .. message.id, print)
      open[#open + 1] = message.id
    else
      put('m:' .. message.id, message.author == 'adviser' and 'adviser:' .. print or '-')
      if message.reply_to and message.reply_to ~= '' then
        ended[message.reply_to] = true
        put('t:' .. message.reply_to, (message.interrupted and 'interrupted|' or 'done|')
          .. message.id .. '|||')
      end
    end
  end
  for _, question in ipairs(open) do
    if not ended[question] then
      put('t:' .. question, 'failed||assistant_unavailable||')
      failed[#failed + 1] = question .. '|assistant_unavailable'
    end
  end
  put('failed', table.concat(failed, ' '))
  put('cut', #failed > 0 and '1' or '')
  return fields, began
end

-- A document without its hash (restored by hand): read it once and write the hash again.
local function rebuild()
  if redis.call('HEXISTS', STATE, 'epoch') == 1 then return end
  local is_read, fields, began = pcall(fields_of, redis.call('GET', DOC))
  if not is_read then refuse_unreadable() end
  for i = 1, #fields, 2 do set(fields[i], fields[i + 1]) end
  redis.call('ZADD', BEGAN, began, ID)
  know_asides()
  mark()
end

-- Whether this caller may know of the session at all.
local function found(owner)
  if redis.call('EXISTS', DOC) == 0 then return false end
  rebuild()
  return owner == '*' or get('owner') == owner
end

-- Whether it was set aside, for this caller.
local function is_set_aside(owner)
  if redis.call('EXISTS', UNREADABLE) == 0 then return false end
  local its_owner = redis.pcall('HGET', UNREADABLE .. ':state', 'owner')
  return owner == '*' or type(its_owner) ~= 'string' or its_owner == owner
end

-- Why nobody can read the session, for this caller; nil when it can be read.
local function absent(owner)
  if redis.call('EXISTS', DOC) == 1 then
    if not found(owner) then return { 'missing' } end
    return nil
  end
  if redis.call('EXISTS', UNREADABLE) == 1 then
    return is_set_aside(owner) and { 'gone', 'unreadable' } or { 'missing' }
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
    get('instruction'), queue(), get('failed'), get('answer'),
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

-- Has every worker read again who answers here.
local function tell_speaker()
  redis.call('ZADD', 'chat:speakers', NOW, ID)
  redis.call('PEXPIRE', 'chat:speakers', 3600000)
end

-- What the list tells of each of these ids, for rows_of in redis_rows.py.
local function rows(ids)
  local told = {}
  for _, id in ipairs(ids) do
    local bytes, expiry = redis.pcall('STRLEN', 'session:' .. id), redis.call('ZSCORE', INDEX, id)
    if type(bytes) == 'number' and bytes > 0 and expiry then
      local fields = redis.pcall('HMGET', 'chat:state:' .. id, 'owner', 'began', 'n', 'language',
        'state', 'adviser', 'adviser_id', 'asked_at')
      if not fields.err then told[#told + 1] = { id, expiry, bytes, fields } end
    end
  end
  return told
end

-- Brings members of a shared set forward whose moment is later than any that a script writes there.
local function bring_forward(key, latest)
  local late = redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%.0f', latest), '+inf', 'LIMIT', 0, 50)
  for _, member in ipairs(late) do redis.call('ZADD', key, NOW, member) end
end

-- Forgets some of what has expired, and counts it by the hour.
local function purge()
  local dead = redis.call('ZRANGEBYSCORE', INDEX, '-inf', NOW, 'LIMIT', 0, 500)
  if #dead == 0 then return end
  leave(unpack(dead))
  for _, id in ipairs(dead) do
    redis.pcall('HDEL', 'chat:state:' .. id, 'adviser', 'adviser_id', 'instruction', 'form')
  end
  local hour = math.floor(NOW / 3600000)
  if type(redis.pcall('HINCRBY', 'chat:expired', hour, #dead)) == 'table' then
    redis.call('HSET', 'chat:expired', hour, #dead)
  end
  redis.call('PEXPIRE', 'chat:expired', 14 * 86400000)
  for _, past in ipairs(redis.call('HKEYS', 'chat:expired')) do
    if (tonumber(past) or 0) < hour - 14 * 24 then redis.call('HDEL', 'chat:expired', past) end
  end
end

-- Another value after every change; "" when there is nothing.
local function version()
  local all = (redis.call('GET', DOC) or '') .. (get('gone')) .. get('pending') .. get('failed')
  if all == '' then return '' end
  local desk = get('adviser_at') .. '|' .. get('asked_at') .. '|' .. get('form_version')
  return redis.sha1hex(all .. '|' .. get('lease') .. '|' .. get('adviser') .. '|' .. desk)
end
