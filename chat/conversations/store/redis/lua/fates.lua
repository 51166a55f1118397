-- ARGV: "", references. Since when this Redis has its data (ms, '' when no worker said it), those of
-- the references whose conversation is there, and those that are being erased.
local alive, erasing = {}, {}
for i = 2, #ARGV do
  local id = redis.call('GET', 'chat:ref:' .. ARGV[i])
  if id and redis.call('EXISTS', 'session:' .. id) == 1 then alive[#alive + 1] = ARGV[i] end
  if redis.call('ZSCORE', 'chat:erasing', ARGV[i]) then erasing[#erasing + 1] = ARGV[i] end
end
return { redis.call('GET', 'chat:since') or '', alive, erasing }
