-- ARGV: id. All there is, to be merged with another copy:
-- document or "", expiry, draft, version, this moment in ms, fields and values of the hash
local doc = redis.call('GET', DOC) or ''
if doc ~= '' then rebuild() end
local expiry = doc == '' and 0 or NOW + redis.call('PTTL', DOC)
return { doc, expiry, redis.call('GET', DRAFT) or '', version(), NOW,
  redis.call('HGETALL', STATE) }
