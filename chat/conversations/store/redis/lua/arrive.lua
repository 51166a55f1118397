-- ARGV: id, the worker that the customer speaks to
if redis.call('EXISTS', DOC) == 1 and get('epoch') ~= '' then set('door', ARGV[2]) end
return ''
