-- ARGV: id
-- now, workers with up to when each of them knows whose speaker changed, where each of them runs,
-- the worker that the customer speaks to, token of who answers
return {
  NOW, redis.call('ZRANGE', 'chat:workers', 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', 'chat:places'), get('door'), get('lease'),
}
