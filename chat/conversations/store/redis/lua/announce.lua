-- ARGV: id, ttl ms, announcement's id, its JSON
-- "1" | "" | "missing" | "gone", reason
local away = closed('*')
if away then return away end
if get('m:' .. ARGV[3]) ~= '' then return { '' } end
append(ARGV[4])
set('m:' .. ARGV[3], '-')
keep(tonumber(ARGV[2]))
return { '1' }
