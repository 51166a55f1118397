-- ARGV: id. All there is, to be merged with another copy:
-- document or "", expiry, epoch, owner, adviser, gone, pending, failed,
-- turn, answer, lease, lease_until, draft, version, fields and values of "t:…"
local doc = redis.call('GET', DOC) or ''
if doc ~= '' then rebuild() end
local outcomes = {}
local all = redis.call('HGETALL', STATE)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 't:' then
    outcomes[#outcomes + 1] = string.sub(all[i], 3)
    outcomes[#outcomes + 1] = all[i + 1]
  end
end
local expiry = doc == '' and 0 or NOW + redis.call('PTTL', DOC)
return {
  doc, expiry, get('epoch'), get('owner'), get('adviser'), get('gone'), get('pending'),
  get('failed'), get('turn'), get('answer'), get('lease'), get('lease_until'),
  redis.call('GET', DRAFT) or '', version(), outcomes,
}
