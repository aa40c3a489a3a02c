/**
 * Counters of many machines in Redis or Valkey, by its clock: one script a round trip. How long they
 * survive that server's own end is for its operator to say (append-only file, replicas).
 */
import * as z from "zod/mini";
import { sha256Of } from "../../contract/sha256.ts";
import type { Redis } from "../../database/redis.ts";
import { messageOf } from "../../errors.ts";
import {
  correctScript,
  grantScript,
  joinScript,
  listScript,
  reserveScript,
  resetScript,
} from "./redis-scripts.ts";
import type { Charge, CounterState, Reservation, UsageStore } from "./usage-store.ts";
import { UsageError } from "./usage-store.ts";

const whole = z.coerce.number();
/** Empty where there is none. */
const time = z.pipe(
  z.string(),
  z.transform((text) => (text === "" ? undefined : Number(text))),
);
const reservation = z.tuple([whole, z.array(z.tuple([whole, whole, whole, time]))]);
const counters = z.array(z.tuple([z.string(), whole, whole, whole, time]));

/** The counters of one tenant. */
export function openRedisStore(redis: Redis, tenant: string): UsageStore {
  const index = `mcp-gateway:{${sha256Of(tenant).slice(7, 23)}}:usage`;
  const keyOf = (key: string): string => `${index}:${key}`;

  return {
    reserve: (charges) =>
      run(async () => {
        const keys = [index, ...charges.map(({ key }) => keyOf(key))];
        const json = JSON.stringify(charges.map(chargeJson));
        return reservationOf(reservation.parse(await redis.run(reserveScript, keys, [json])));
      }),
    correct: (corrections) =>
      run(async () => {
        const keys = corrections.map(({ key }) => keyOf(key));
        const json = corrections.map(({ startMs, delta }) => ({ start_ms: startMs, delta }));
        await redis.run(correctScript, keys, [JSON.stringify(json)]);
      }),
    join: ({ key, conversation, silenceMs }) =>
      run(async () => {
        const parameters = [conversation, String(silenceMs)];
        return z.string().parse(await redis.run(joinScript, [`${index}-by:${key}`], parameters));
      }),
    list: (prefix) => run(() => list(redis, index, keyOf(prefix))),
    grant: ({ key, amount, forMs }) =>
      run(async () => {
        const parameters = [String(amount), forMs === undefined ? "" : String(forMs)];
        return (await redis.run(grantScript, [index, keyOf(key)], parameters)) === 1;
      }),
    reset: (key) => run(async () => (await redis.run(resetScript, [keyOf(key)], [])) === 1),
    close: () => redis.close(),
  };
}

async function run<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw away(thrown);
  }
}

async function list(redis: Redis, index: string, prefix: string): Promise<readonly CounterState[]> {
  const found = new Map<string, CounterState>();
  for await (const page of redis.members(index)) {
    const keys = page.filter((key) => key.startsWith(prefix));
    if (keys.length === 0) continue;
    const rows = counters.parse(await redis.run(listScript, [index, ...keys], []));
    for (const [name, used, limit, granted, resetsAtMs] of rows) {
      const key = name.slice(index.length + 1);
      found.set(key, { key, used, limit, granted, resetsAtMs });
    }
  }
  return [...found.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1));
}

function chargeJson({ amount, limit, slots, isAttempt }: Charge) {
  const { slotMs, lifeMs, originMs, keepMs } = slots;
  const times = { slot_ms: slotMs, life_ms: lifeMs, origin_ms: originMs, keep_ms: keepMs };
  return { amount, limit, ...times, attempt: isAttempt };
}

function reservationOf([fits, rows]: z.output<typeof reservation>): Reservation {
  return {
    isAdmitted: fits === 1,
    readings: rows.map(([used, limit, startMs, resetsAtMs]) => ({
      used,
      limit,
      startMs,
      resetsAtMs,
    })),
  };
}

function away(thrown: unknown): UsageError {
  return new UsageError(
    "usage_store_unavailable",
    `expected the redis of state.redis_url to keep the counters, found: ${messageOf(thrown)}; see whether it runs`,
    { cause: thrown },
  );
}
