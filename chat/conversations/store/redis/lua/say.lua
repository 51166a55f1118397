-- ARGV: id, adviser's id, ttl ms, hold ms, message id, fingerprint, message JSON
-- "stored" | "known" | "conflict" | "other" | "missing" | "gone", reason
local away = closed('*')
if away then return away end
local known, print = get('m:' .. ARGV[5]), 'adviser:' .. ARGV[6]
if known ~= '' then return { known == print and 'known' or 'conflict' } end
if get('adviser') == '' or get('adviser_id') ~= ARGV[2] then return { 'other' } end
append(ARGV[7])
set('m:' .. ARGV[5], print)
hold(ARGV[4])
keep(tonumber(ARGV[3]))
return { 'stored' }
