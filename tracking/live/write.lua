-- One batch, of one store or of several on this server. KEYS: the visits' keys, each once.
-- ARGV: deadline (µs of this server's clock), publishing command, the life that most have (ms), and
-- for each key its new value. Then, four by four, what is not as usual: the index of a key, its life
-- (ms, 0: run out), the channel it is shown on ('': it is not), and what precedes it there.
-- Answers { this server's clock (µs), one letter for each key }; no letters: too late.
-- W written, F fenced, N another owner or no lease, O number not higher, M nobody registered.
local call, read, n = redis.call, struct.unpack, #KEYS
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
if now > tonumber(ARGV[1]) then return { now, '' } end
local function at(life) return string.format('%.0f', math.floor(now / 1000) + life) end
local usual, lives, channels, heads = at(ARGV[3]), {}, {}, {}
for a = n + 4, #ARGV, 4 do
  local i, life = tonumber(ARGV[a]), ARGV[a + 1]
  if life ~= '0' then life = at(life) end
  lives[i], heads[i] = life, ARGV[a + 3]
  if ARGV[a + 2] ~= '' then channels[i] = ARGV[a + 2] end
end
local current, results, shown, channel = call('MGET', unpack(KEYS)), {}, {}, nil
local function publish()
  if channel then call(ARGV[2], channel, '\1' .. table.concat(shown)) end
end
for i = 1, n do
  local old, new, life, result = current[i], ARGV[i + 3], lives[i] or usual, 'N'
  if old == 'T' then -- a tombstone
    result = 'F'
  elseif not old and life ~= '0' then
    result = 'M'
  elseif old and life ~= '0' then -- a registration: 'R', the owner, the number
    local kind, owner, last = read('>BBc0i8', old)
    local same, mine, number, rest = read('>BBc0i8', new)
    if owner == mine and kind == same then
      if number > last then
        call('SET', KEYS[i], new, 'PXAT', life)
        result = 'W'
        if channels[i] then
          if channels[i] ~= channel then
            publish()
            channel, shown = channels[i], {}
          end
          shown[#shown + 1] = heads[i] .. string.sub(new, rest)
        end
      else
        result = 'O'
      end
    end
  end
  results[i] = result
end
publish()
return { now, table.concat(results) }
