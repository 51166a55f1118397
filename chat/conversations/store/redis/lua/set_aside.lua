-- ARGV: id, document as the caller read it, or "" when a script could not read what is beside it.
--       "1" when only a key of another type than is written sets it aside
-- "1", "" when it is another one by now, or no key is of another type
if ARGV[3] ~= '' then
  local kinds, is_other = { [DOC] = 'string', [STATE] = 'hash', [DRAFT] = 'string', [ASIDES] = 'list' }, false
  for key, kind in pairs(kinds) do
    local found = redis.call('TYPE', key).ok
    is_other = is_other or (found ~= kind and found ~= 'none')
  end
  if not is_other then return '' end
end
if ARGV[2] ~= '' and redis.call('GET', DOC) ~= ARGV[2] then return '' end
set_aside()
return '1'
