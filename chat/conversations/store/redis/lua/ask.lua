-- ARGV: id, owner, ttl ms, announcement's id, its JSON
-- "1" | "" | "missing" | "gone", reason
local away = closed(ARGV[2])
if away then return away end
local known = get('m:' .. ARGV[4]) ~= ''
if get('asked_at') ~= '' then return { known and '1' or '' } end
if known or get('adviser') ~= '' then return { '' } end
set('asked_at', NOW)
append(ARGV[5])
set('m:' .. ARGV[4], '-')
mark()
keep(tonumber(ARGV[3]))
return { '1' }
