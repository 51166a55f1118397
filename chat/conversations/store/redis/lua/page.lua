-- ARGV: "", ttl ms, "index" | "began", "1" for the highest first, offset, limit,
--       ms since the last word at least, at most ("" for any), how many are sorted by another order,
--       "only" | "but", states…
-- total, rows
purge()
local ttl, descending, limit = tonumber(ARGV[2]), ARGV[4] ~= '', tonumber(ARGV[6])
local offset, most, only = tonumber(ARGV[5]), tonumber(ARGV[9]), ARGV[10] == 'only'
local order, quiet = ARGV[3] == 'index' and INDEX or BEGAN, ARGV[7] ~= ''
local low, high = NOW + 1, '+inf'
if quiet then
  high = NOW + ttl - tonumber(ARGV[7])
  if ARGV[8] ~= '' then low = math.max(low, NOW + ttl - tonumber(ARGV[8])) end
end

local listed, is_listed = {}, {}
for i = 11, #ARGV do
  for _, id in ipairs(redis.call('ZRANGE', 'chat:' .. ARGV[i], 0, -1)) do
    listed[#listed + 1], is_listed[id] = id, true
  end
end

local function sorted(ids, key, downwards)
  local scores = {}
  for _, id in ipairs(ids) do scores[id] = tonumber(redis.call('ZSCORE', key, id) or 0) end
  table.sort(ids, function(one, other)
    if downwards then one, other = other, one end
    if scores[one] ~= scores[other] then return scores[one] < scores[other] end
    return one < other
  end)
  return ids
end

local function slice(ids, from, number)
  local part = {}
  for i = from + 1, math.min(#ids, from + number) do part[#part + 1] = ids[i] end
  return part
end

-- Few are left, or no index has the order: read them and sort them.
local function gathered()
  local ids = {}
  local all = only and listed
    or redis.call('ZREVRANGEBYSCORE', INDEX, high, low, 'LIMIT', 0, most + #listed)
  for _, id in ipairs(all) do
    local last = tonumber(redis.call('ZSCORE', INDEX, id) or 0)
    local inside = last >= low and (high == '+inf' or last <= high)
    if inside and (only or not is_listed[id]) then ids[#ids + 1] = id end
  end
  if quiet and order == BEGAN then ids = slice(sorted(ids, INDEX, true), 0, most) end
  sorted(ids, order, descending)
  return #ids, slice(ids, offset, limit)
end

-- Nearly all are left: count with ranks, so that the cost is that of who is left out.
local function ranked()
  local first, number = 0, redis.call('ZCARD', order)
  if order == INDEX then
    first = redis.call('ZCOUNT', INDEX, '-inf', '(' .. low)
    number = redis.call('ZCOUNT', INDEX, low, high)
  end
  local ranks = {}
  for _, id in ipairs(listed) do
    local rank = redis.call('ZRANK', order, id)
    rank = rank and rank - first
    if rank and rank >= 0 and rank < number then
      ranks[#ranks + 1] = descending and number - 1 - rank or rank
    end
  end
  table.sort(ranks)
  local start = offset
  for _, rank in ipairs(ranks) do
    if rank <= start then start = start + 1 end
  end
  local stop = math.min(start + limit + #ranks, number) - 1
  if stop < start then return number - #ranks, {} end
  local found, ids = {}, {}
  if descending then
    local last = first + number - 1
    local upwards = redis.call('ZRANGE', order, last - stop, last - start)
    for i = #upwards, 1, -1 do found[#found + 1] = upwards[i] end
  else
    found = redis.call('ZRANGE', order, first + start, first + stop)
  end
  for _, id in ipairs(found) do
    if not is_listed[id] then ids[#ids + 1] = id end
  end
  return number - #ranks, slice(ids, 0, limit)
end

local total, ids
if only or (quiet and order == BEGAN) then total, ids = gathered() else total, ids = ranked() end
return { total, rows(ids) }
