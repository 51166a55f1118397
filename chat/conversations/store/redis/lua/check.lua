-- ARGV: "". Looks at the types of the shared keys, as most scripts do.
return ''
