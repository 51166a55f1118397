-- ARGV: id, owner
-- document, expiry, adviser, pending, failed, answer id, draft, gone | "missing" | "gone", reason
if redis.call('EXISTS', DOC) == 0 then
  if redis.call('EXISTS', STATE) == 0 then return { 'missing' } end
  if ARGV[2] ~= '*' and get('owner') ~= '' and get('owner') ~= ARGV[2] then return { 'missing' } end
  local gone = get('gone')
  return { 'gone', gone == '' and 'expired' or gone }
end
if not found(ARGV[2]) then return { 'missing' } end
local expiry = NOW + redis.call('PTTL', DOC)
local doc, draft = redis.call('GET', DOC), redis.call('GET', DRAFT) or ''
return { doc, expiry, get('adviser'), get('pending'), get('failed'), get('answer'), draft, get('gone') }
