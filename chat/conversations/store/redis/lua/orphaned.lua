-- ARGV: "", kind (see Orphan in maintenance.py), "1" to remove them, ids (of refs: the references)…
-- Those that lead to no conversation.
local kind, remove = ARGV[2], ARGV[3] ~= ''

local function lives(id) return redis.call('EXISTS', 'session:' .. id) == 1 end

local function no_turn(id)
  local turn = redis.pcall('HGET', 'chat:state:' .. id, 'turn')
  return not lives(id) or not turn or turn == ''
end

local looks = {
  -- Of what has expired the next sweep takes care, and counts it.
  index = function(id) return not lives(id)
    and tonumber(redis.call('ZSCORE', INDEX, id) or '+inf') > NOW end,
  leases = function(id) return not lives(id) end,
  drafts = no_turn,
  states = function(id) return not lives(id) and redis.call('PTTL', 'chat:state:' .. id) == -1 end,
  asides = function(id) return not lives(id) end,
  refs = function(ref)
    local id = redis.pcall('GET', 'chat:ref:' .. ref)
    if type(id) ~= 'string' then return true end
    return not lives(id) and redis.call('EXISTS', 'chat:unreadable:' .. id) == 0
  end,
}
local keys = { drafts = 'chat:draft:', states = 'chat:state:', asides = 'chat:asides:',
  refs = 'chat:ref:' }

local sets = kind == 'leases' and { TURNS } or { INDEX, BEGAN, 'chat:asked', 'chat:held',
  'chat:answering', 'chat:interrupted' }

local function is_there(id)
  if keys[kind] then return redis.call('EXISTS', keys[kind] .. id) == 1 end
  for _, set_of_ids in ipairs(sets) do
    if redis.call('ZSCORE', set_of_ids, id) then return true end
  end
  return false
end

local function take_out(id)
  if keys[kind] then redis.call('DEL', keys[kind] .. id) return end
  for _, set_of_ids in ipairs(sets) do redis.call('ZREM', set_of_ids, id) end
end

local found = {}
for i = 4, #ARGV do
  if is_there(ARGV[i]) and looks[kind](ARGV[i]) then
    found[#found + 1] = ARGV[i]
    if remove then take_out(ARGV[i]) end
  end
end
return found
