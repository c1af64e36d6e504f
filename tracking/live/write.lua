-- One batch of one store. KEYS: the visits' keys, each once.
-- ARGV: deadline (µs of this server's clock), publishing command, channel, then for each key its
-- new value, its life (ms, 0: run out), and what precedes it in the publication ('': not shown).
-- Answers { this server's clock (µs), one letter for each key }; no letters: too late.
-- W written, F fenced, N another owner or no lease, O number not higher, M nobody registered.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
if now > tonumber(ARGV[1]) then return { now, '' } end
local byte, sub, unpackInt = string.byte, string.sub, struct.unpack
local current, results, shown, n = redis.call('MGET', unpack(KEYS)), {}, {}, 0
local a = 4
for i = 1, #KEYS do
  local old, new, result = current[i], ARGV[a], 'N'
  if old then
    local kind, head = byte(old), 2 + byte(new, 2)
    if kind == 84 then -- 'T', a tombstone
      result = 'F'
    elseif kind == 82 and ARGV[a + 1] ~= '0' and sub(old, 1, head) == sub(new, 1, head) then -- 'R', same owner
      if unpackInt('>i8', new, head + 1) > unpackInt('>i8', old, head + 1) then
        redis.call('SET', KEYS[i], new, 'PX', ARGV[a + 1])
        result = 'W'
        if ARGV[a + 2] ~= '' then
          shown[n + 1], shown[n + 2] = ARGV[a + 2], sub(new, head + 9)
          n = n + 2
        end
      else
        result = 'O'
      end
    end
  elseif ARGV[a + 1] ~= '0' then
    result = 'M'
  end
  results[i] = result
  a = a + 3
end
if n > 0 then redis.call(ARGV[2], ARGV[3], '\1' .. table.concat(shown)) end
return { now, table.concat(results) }
