-- ARGV: id, owner. "1" when an answer was being written
if not found(ARGV[2]) or not leased() then return '' end
set('stop', '1')
return '1'
