-- ARGV: id, owner
-- "found" and what reading() tells | "missing" | "gone", reason
return absent(ARGV[2]) or reading('found')
