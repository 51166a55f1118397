-- ARGV: "", ids…
local ids = {}
for i = 2, #ARGV do ids[#ids + 1] = ARGV[i] end
return rows(ids)
