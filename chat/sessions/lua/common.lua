-- Put before every script of this folder. One session is three keys, and two that all share:
--   session:<id>      the conversation: one JSON document that ends with its messages
--   chat:state:<id>   hash: what must be known without reading the document (see below)
--   chat:draft:<id>   text of the answer being written
--   chat:index        sorted set: session id by expiry, in milliseconds
--   chat:turns        sorted set: session id by the moment after which any worker may answer
-- Fields of the hash:
--   epoch owner n adviser      as in the document; n: number of messages
--   pending                    ids of the questions without an end, in order, separated by spaces
--   head_at                    when the first of them became the first, ms
--   turn answer lease lease_until stop   the answer being written: question, id, owner's token
--   failed                     "<question id>|<code>" of each question that ended without answer
--   gone                       why the conversation is over: "ended" or "erased"
--   m:<id>                     fingerprint of a message of the customer, "-" for other authors
--   t:<id>                     how a question ended: "end|answer id|code|retry after|error id"
-- It lives longer than the document, to tell "expired" from "never existed".
local DOC, STATE, DRAFT, INDEX, TURNS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
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
  redis.call('ZADD', INDEX, NOW + ttl, ID)
  return NOW + ttl
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

local function with(list, item)
  if list == '' then return item end
  return list .. ' ' .. item
end

-- Gives a question its end; the next one becomes the first.
local function settle(question, outcome, grace)
  local pending = without(get('pending'), question)
  set('t:' .. question, outcome, 'pending', pending, 'head_at', NOW)
  local code = string.match(outcome, '^[^|]*||([^|]+)|')
  if code then set('failed', with(get('failed'), question .. '|' .. code)) end
  if pending == '' then
    redis.call('ZREM', TURNS, ID)
  else
    redis.call('ZADD', TURNS, NOW + grace, ID)
  end
end

local function release()
  redis.call('HDEL', STATE, 'turn', 'answer', 'lease', 'lease_until', 'stop')
  redis.call('DEL', DRAFT)
end

local function leased()
  return get('lease') ~= '' and tonumber(get('lease_until')) > NOW
end

-- A document without its hash (restored by hand): read it once and write the hash again.
local function rebuild()
  if redis.call('HEXISTS', STATE, 'epoch') == 1 then return end
  local doc = cjson.decode(redis.call('GET', DOC))
  set('epoch', doc.epoch, 'owner', doc.owner, 'adviser', doc.adviser or '', 'n', #doc.messages)
  local open = {}
  for _, message in ipairs(doc.messages) do
    if message.author == 'customer' then
      set('m:' .. message.id, string.sub(redis.sha1hex(message.text), 1, 16))
      open[#open + 1] = message.id
    else
      set('m:' .. message.id, '-')
      if message.reply_to then
        local ending = message.interrupted and 'interrupted|' or 'done|'
        set('t:' .. message.reply_to, ending .. message.id .. '|||')
      end
    end
  end
  for _, question in ipairs(open) do
    if get('t:' .. question) == '' then
      set('t:' .. question, 'failed||assistant_unavailable||')
      set('failed', with(get('failed'), question .. '|assistant_unavailable'))
    end
  end
end

-- Whether this caller may know of the session at all.
local function found(owner)
  if redis.call('EXISTS', DOC) == 0 then return false end
  rebuild()
  return owner == '*' or get('owner') == owner
end

-- Another value after every change; "" when there is nothing.
local function version()
  local all = (redis.call('GET', DOC) or '') .. (get('gone')) .. get('pending') .. get('failed')
  if all == '' then return '' end
  return redis.sha1hex(all .. '|' .. get('lease') .. '|' .. get('adviser'))
end
