-- ARGV: id, owner, ttl ms, expected version, version after, form JSON or "" to remove it
-- "1" | "" | "missing" | "gone", reason. The same as in forms.py
local away = closed(ARGV[2])
if away then return away end
local expected, after, form = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local there, last = get('form'), tonumber(get('form_version')) or 0
if there == form and (form ~= '' or expected == 0 or expected == last - 1) then return { '1' } end
local version = there == '' and 0 or last
if version ~= expected or (form ~= '' and after <= last) then return { '' } end
set('form', form, 'form_version', after)
keep(tonumber(ARGV[3]))
return { '1' }
