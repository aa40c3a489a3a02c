/**
 * The scripts of counters in Redis and Valkey. A counter is a hash: `l` limit, `s` and `f` length and
 * life of a slot, `k` how long it is kept, `u` when it was used, `a:START` what a slot holds, `g:END`
 * what is granted until then (0: until it is reset). A script runs alone, so that reading, comparing
 * and taking are one step. Time is the server's; the keys of one tenant share a slot of a cluster.
 */
import { redisScript } from "../../database/redis.ts";

const shared = `
local function text(number) return string.format("%.0f", number) end

local function now()
  local time = redis.call("TIME")
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- What counts of a hash at a time, and the fields that do not any more.
local function read(key, at)
  local all = redis.call("HGETALL", key)
  local counter = { used = 0, granted = 0, forever = false, until_ms = 0, dead = {} }
  local fields = {}
  for place = 1, #all, 2 do fields[all[place]] = tonumber(all[place + 1]) end
  local slot, life = fields.s or 0, fields.f or 0
  for field, value in pairs(fields) do
    local sort, time = string.sub(field, 1, 2), tonumber(string.sub(field, 3))
    if sort == "a:" then
      if value <= 0 or (slot > 0 and time + life <= at) then
        table.insert(counter.dead, field)
      else
        counter.used = counter.used + value
        if slot > 0 and (counter.resets == nil or time + life < counter.resets) then
          counter.resets = time + life
        end
      end
    elseif sort == "g:" then
      if time == 0 then counter.forever = true end
      if time == 0 or time > at then
        counter.granted = counter.granted + value
        counter.until_ms = math.max(counter.until_ms, time)
      else
        table.insert(counter.dead, field)
      end
    end
  end
  counter.fields = fields
  return counter
end

-- A counter that means nothing any more goes by itself, and from the index with the next one.
local function expire(index, key, counter, used, keep)
  if keep == 0 or counter.forever then
    redis.call("PERSIST", key)
    redis.call("ZADD", index, "+inf", key)
  else
    local ending = text(math.max(used + keep, counter.until_ms))
    redis.call("PEXPIREAT", key, ending)
    redis.call("ZADD", index, ending, key)
  end
end
`;

/** KEYS: index, counters. ARGV: charges as JSON in their order. */
export const reserveScript = redisScript(`${shared}
local charges, at = cjson.decode(ARGV[1]), now()
local counters, fits, reply = {}, true, {}
for place, charge in ipairs(charges) do
  local counter = read(KEYS[place + 1], at)
  counter.allowed = charge.limit + counter.granted
  counter.start = 0
  if charge.slot_ms > 0 then
    counter.start = charge.origin_ms
      + math.floor((at - charge.origin_ms) / charge.slot_ms) * charge.slot_ms
  end
  if counter.used + charge.amount > counter.allowed then fits = false end
  counters[place] = counter
end
for place, charge in ipairs(charges) do
  local key, counter = KEYS[place + 1], counters[place]
  if #counter.dead > 0 then redis.call("HDEL", key, unpack(counter.dead)) end
  redis.call("HSET", key, "l", text(charge.limit), "s", text(charge.slot_ms),
    "f", text(charge.life_ms), "k", text(charge.keep_ms), "u", text(at))
  if fits or charge.attempt then
    redis.call("HINCRBY", key, "a:" .. text(counter.start), text(charge.amount))
  end
  expire(KEYS[1], key, counter, at, charge.keep_ms)
  local resets = ""
  if charge.slot_ms > 0 then resets = text(counter.resets or counter.start + charge.life_ms) end
  reply[place] = { text(counter.used), text(counter.allowed), text(counter.start), resets }
end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", text(at))
return { fits and 1 or 0, reply }
`);

/** KEYS: counters. ARGV: corrections as JSON in their order. */
export const correctScript = redisScript(`${shared}
local at = now()
for place, correction in ipairs(cjson.decode(ARGV[1])) do
  local key = KEYS[place]
  local known = redis.call("HMGET", key, "s", "f", "a:" .. text(correction.start_ms))
  local slot, life = tonumber(known[1]), tonumber(known[2])
  if slot and (slot == 0 or correction.start_ms + life > at) then
    local held = math.max(0, (tonumber(known[3] or 0) or 0) + correction.delta)
    redis.call("HSET", key, "a:" .. text(correction.start_ms), text(held))
  end
end
return 1
`);

/** KEYS: index, counters. Forgets those of the index that are gone. */
export const listScript = redisScript(`${shared}
local at, reply = now(), {}
for place = 2, #KEYS do
  local counter = read(KEYS[place], at)
  if counter.fields.l == nil then
    redis.call("ZREM", KEYS[1], KEYS[place])
  else
    local resets = ""
    if counter.resets then resets = text(counter.resets) end
    table.insert(reply,
      { KEYS[place], text(counter.used), text(counter.fields.l), text(counter.granted), resets })
  end
end
return reply
`);

/** KEYS: index, counter. ARGV: amount, for how many milliseconds or nothing. */
export const grantScript = redisScript(`${shared}
if redis.call("EXISTS", KEYS[2]) == 0 then return 0 end
local at, ending = now(), 0
if ARGV[2] ~= "" then ending = at + tonumber(ARGV[2]) end
redis.call("HINCRBY", KEYS[2], "g:" .. text(ending), ARGV[1])
local counter = read(KEYS[2], at)
expire(KEYS[1], KEYS[2], counter, counter.fields.u or at, counter.fields.k or 0)
return 1
`);

/** KEYS: counter. */
export const resetScript = redisScript(`${shared}
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
for field in pairs(read(KEYS[1], now()).fields) do
  local sort = string.sub(field, 1, 2)
  if sort == "a:" or sort == "g:" then redis.call("HDEL", KEYS[1], field) end
end
return 1
`);

/** KEYS: principal. ARGV: conversation that begins where none is under way, its silence. */
export const joinScript = redisScript(`
local current = redis.call("GET", KEYS[1])
if not current then current = ARGV[1] end
redis.call("SET", KEYS[1], current, "PX", ARGV[2])
return current
`);
