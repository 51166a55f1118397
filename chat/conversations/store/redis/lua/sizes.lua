-- ARGV: "", ids…
-- For each that has a document: id, its bytes, "1" when it is active
local told = {}
for i = 2, #ARGV do
  local bytes = redis.pcall('STRLEN', 'session:' .. ARGV[i])
  if type(bytes) == 'number' and bytes > 0 then
    local score = redis.call('ZSCORE', INDEX, ARGV[i])
    told[#told + 1] = { ARGV[i], bytes, score and tonumber(score) > NOW and '1' or '' }
  end
end
return told
