-- ARGV: id, owner, ms for which late writers are still refused. "1" when there was something
if not found(ARGV[2]) then return '' end
local owner = get('owner')
redis.call('DEL', DOC, DRAFT, STATE, ASIDES, REF)
set('gone', 'erased', 'owner', owner)
redis.call('PEXPIRE', STATE, ARGV[3])
leave(ID)
return '1'
