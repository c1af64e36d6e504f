-- One registration. KEYS: the visit's key. ARGV: deadline (µs of this server's clock), the new
-- value without a position, its life (ms).
-- Answers { this server's clock (µs), one letter }; no letter: too late.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
if now > tonumber(ARGV[1]) then return { now, '' } end
if string.sub(redis.call('GET', KEYS[1]) or '', 1, 1) == 'T' then return { now, 'F' } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { now, 'W' }
