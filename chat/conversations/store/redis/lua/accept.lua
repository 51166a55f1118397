-- ARGV: id, owner, ttl ms, grace ms, "always" | "new", message id, fingerprint, message JSON,
--       beginning of a new document (up to its messages), epoch, bytes a document may have,
--       when it begins in ms, language, "1" when the message is long enough to tell it, token of
--       who would answer at once or "", lease ms, id for a new answer, channel where viewers of
--       other workers listen, ms within which it is to be answered, this worker, ms since its
--       request came
-- "created" | "stored" | "known", outcome, adviser, expiry, number of workers listening, questions
-- that wait before this one, ms until its deadline, and what grant() tells if it may be answered
-- at once | "conflict" | "missing" | "full" | "gone", reason
local owner, ttl, grace, create = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local message, print, piece, head, epoch = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local within = tonumber(ARGV[19])

-- Whether the message was part of what was erased under this id, or came before that.
local function is_erased()
  local at, known = unpack(redis.call('HMGET', ERASED, 'at', digest(owner, message)))
  return known or (at and NOW - ARGV[21] < tonumber(at))
end

local status = 'stored'
if redis.call('EXISTS', DOC) == 0 then
  status = 'created'
  if redis.call('EXISTS', UNREADABLE) == 1 then
    return is_set_aside(owner) and { 'gone', 'unreadable' } or { 'missing' }
  end
  if is_erased() then return { 'gone', 'erased' } end
  if create == 'new' and redis.call('EXISTS', STATE) == 1 then
    local gone = get('gone')
    return { 'gone', gone == '' and 'expired' or gone }
  end
  redis.call('DEL', STATE, DRAFT, ASIDES)
  redis.call('SET', DOC, head .. ']}')
  set('epoch', epoch, 'owner', owner, 'n', 0, 'began', ARGV[12], 'language', ARGV[13])
  leave(ID)
  redis.call('ZADD', BEGAN, ARGV[12], ID)
elseif not found(owner) then
  return { 'missing' }
end
if get('gone') ~= '' then return { 'gone', get('gone') } end
set('door', ARGV[20])

local known = get('m:' .. message)
if known ~= '' then
  if known ~= print then return { 'conflict' } end
  local outcome = get('t:' .. message)
  -- Without an end, and not waiting for one: this script failed when it stored the message.
  local is_half = outcome == '' and not is_in(queue(), message)
  local reopen = is_half or string.find(outcome, '^failed||')
  if not reopen then
    local expiry = NOW + redis.call('PTTL', DOC)
    return {
      'known', outcome, get('adviser'), expiry, listening(ARGV[18]), before(queue(), message),
      (budget(message) or NOW + within) - NOW,
    }
  end
  redis.call('HDEL', STATE, 't:' .. message)
  set('failed', without(get('failed'), message))
  status = 'known'
else
  if status ~= 'created' and is_erased() then return { 'gone', 'erased' } end
  if redis.call('STRLEN', DOC) > tonumber(ARGV[11]) then return { 'full' } end
  append(piece)
  if ARGV[14] ~= '' or get('language') == '' then
    set('m:' .. message, print, 'language', ARGV[13])
  else
    set('m:' .. message, print)
  end
end
local expiry = keep(ttl)
local adviser = get('adviser')
if adviser ~= '' then
  set('t:' .. message, TAKEN_OVER)
  return { status, TAKEN_OVER, adviser, expiry, listening(ARGV[18]), '', 0 }
end
local pending = queue()
if pending == '' then set('head_at', NOW) end
set('pending', with(pending, message), 'd:' .. message, NOW + within .. '|0')
redis.call('ZADD', TURNS, 'NX', NOW + grace, ID)
mark()
local told = { status, '', '', expiry, listening(ARGV[18]), pending, within }
if pending == '' and ARGV[15] ~= '' then
  told[8] = grant(message, ARGV[17], false, ARGV[15], tonumber(ARGV[16]), within)
end
return told
