-- ARGV: id, adviser's id, hold ms. "1" when they hold it
if closed('*') or get('adviser') == '' or get('adviser_id') ~= ARGV[2] then return '' end
hold(ARGV[3])
return '1'
