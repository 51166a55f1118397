-- ARGV: "". How many erasures are not finished, and when the oldest was asked for, in ms.
local oldest = redis.call('ZRANGE', 'chat:erasing:since', 0, 0, 'WITHSCORES')
return { redis.call('ZCARD', 'chat:erasing'), oldest[2] or '' }
