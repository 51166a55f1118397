-- ARGV: id, owner, ttl ms, grace ms, "always" | "new", message id, fingerprint, message JSON,
--       beginning of a new document (up to its messages), epoch, bytes a document may have,
--       when it begins in ms, language, "1" when the message is long enough to tell it, token of
--       who would answer at once or "", lease ms, id for a new answer, channel where viewers of
--       other workers listen
-- "created" | "stored" | "known", outcome, adviser, expiry, number of workers listening, questions
-- that wait before this one, and what grant() tells if it may be answered at once | "conflict" |
-- "missing" | "full" | "gone", reason
local owner, ttl, grace, create = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local message, print, piece, head, epoch = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]

local status = 'stored'
if redis.call('EXISTS', DOC) == 0 then
  status = 'created'
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

local known = get('m:' .. message)
if known ~= '' then
  if known ~= print then return { 'conflict' } end
  local outcome = get('t:' .. message)
  local reopen = string.find(outcome, '^failed||')
  if not reopen then
    local expiry = NOW + redis.call('PTTL', DOC)
    return {
      'known', outcome, get('adviser'), expiry, listening(ARGV[18]), before(get('pending'), message),
    }
  end
  redis.call('HDEL', STATE, 't:' .. message)
  set('failed', without(get('failed'), message))
  status = 'known'
else
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
  return { status, TAKEN_OVER, adviser, expiry, listening(ARGV[18]), '' }
end
local pending = get('pending')
if pending == '' then set('head_at', NOW) end
set('pending', with(pending, message))
redis.call('ZADD', TURNS, 'NX', NOW + grace, ID)
mark()
local told = { status, '', '', expiry, listening(ARGV[18]), pending }
if pending == '' and ARGV[15] ~= '' then
  told[7] = grant(message, ARGV[17], false, ARGV[15], tonumber(ARGV[16]))
end
return told
