/**
 * What conversations have seen and counted, in Redis or Valkey: one script a round trip. How long that
 * survives the server's own end is for its operator to say (append-only file, replicas). A
 * conversation is a hash, `s:SIGHTING` or `c:GATEWAY` to the entry that said it last; which ones of a
 * principal were heard of, and when, is a sorted set. The keys of one principal share a slot of a
 * cluster.
 */
import * as z from "zod/mini";
import type { Redis } from "../../database/redis.ts";
import { redisScript } from "../../database/redis.ts";
import type { SightingStore } from "./shared-sightings.ts";
import { keptMs } from "./shared-sightings.ts";
import type { ConversationEntry } from "./sighting.ts";
import { keyOf, parseEntry } from "./sighting.ts";

/**
 * KEYS: those heard of, then one conversation for each entry. ARGV: for how long it is kept, then for
 * each entry its vouched key or nothing, its time, the number of its fields, and these with the time
 * and text of each. What is older than what is there changes nothing.
 */
const writeScript = redisScript(`
local kept, place = tonumber(ARGV[1]), 2
for number = 2, #KEYS do
  local vouched, at, fields = ARGV[place], tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
  place = place + 3
  for _ = 1, fields do
    local known = redis.call("HGET", KEYS[number], ARGV[place])
    if not known or cjson.decode(known).at <= at then
      redis.call("HSET", KEYS[number], ARGV[place], ARGV[place + 1])
    end
    place = place + 2
  end
  redis.call("PEXPIRE", KEYS[number], kept)
  if vouched ~= "" then
    redis.call("ZADD", KEYS[1], "GT", at, vouched)
    redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", string.format("%.0f", at - kept))
    redis.call("PEXPIRE", KEYS[1], kept)
  end
end
return 1
`);

/** KEYS: conversation. */
const readScript = redisScript(`return redis.call("HVALS", KEYS[1])`);

/** KEYS: those heard of. ARGV: since when. */
const countScript = redisScript(`return redis.call("ZCOUNT", KEYS[1], ARGV[1], "+inf")`);

const texts = z.array(z.string());
const whole = z.coerce.number();

/** It owns the connection. */
export function openRedisSightings(redis: Redis): SightingStore {
  return {
    of: (principal) => {
      const all = `mcp-gateway:{${principal}}:conversation`;
      const keyFor = (of: string | undefined): string => (of === undefined ? all : `${all}:${of}`);
      const heardOf = `${all}s`;
      return {
        read: async (of) => {
          const values = texts.parse(await redis.run(readScript, [keyFor(of)], []));
          return values.flatMap((text) => parseEntry(text) ?? []);
        },
        write: async (entries) => {
          const keys = [heardOf, ...entries.map(({ of }) => keyFor(of))];
          const parameters = [String(keptMs), ...entries.flatMap(parametersOf)];
          await redis.run(writeScript, keys, parameters);
        },
        countVouched: async (sinceMs) =>
          whole.parse(await redis.run(countScript, [heardOf], [String(sinceMs)])),
      };
    },
    close: () => redis.close(),
  };
}

function parametersOf({ fresh, counted, ...entry }: ConversationEntry): readonly string[] {
  const fields = [
    ...fresh.map((sighting) => [`s:${keyOf(sighting)}`, { ...entry, fresh: [sighting] }] as const),
    ...(counted === undefined
      ? []
      : [[`c:${counted.by}`, { ...entry, fresh: [], counted }] as const]),
  ];
  const texts = fields.flatMap(([name, said]) => [name, JSON.stringify(said)]);
  return [entry.of ?? "", String(entry.at), String(fields.length), ...texts];
}
