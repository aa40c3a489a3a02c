/**
 * A Redis that is away, and one that comes back.
 */
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Redis } from "../../src/database/redis.ts";
import { openRedis, redisScript } from "../../src/database/redis.ts";
import { startTestRedis } from "../support/redis.ts";

const redis = await startTestRedis();
afterAll(() => redis?.stop());
const one = redisScript("return 1");

describe("a redis", { timeout: 60_000 }, () => {
  test("that nobody listens for is told without its password", async () => {
    const away = openRedis("redis://alice:hunter2@127.0.0.1:1");
    const failing = away.run(one, [], []);
    await expect(failing).rejects.toMatchObject({ code: "database_unreachable" });
    await expect(failing).rejects.toThrow(/127\.0\.0\.1:1 \(state\.redis_url\)/);
    await expect(failing).rejects.not.toThrow(/hunter2/);
  });

  test.skipIf(redis === undefined)("is connected anew once it is back", async () => {
    const open = openRedis(redis?.url ?? "");
    onTestFinished(() => open.close());
    expect(await open.run(one, [], [])).toBe(1);
    await redis?.stop();
    await expect(open.run(one, [], [])).rejects.toMatchObject({ code: "database_unreachable" });
    await redis?.start();
    expect(await open.run(one, [], [])).toBe(1);
  });

  test.skipIf(redis === undefined)("is connected once by many first requests at once", async () => {
    const open = openRedis(redis?.url ?? "");
    const watching = openRedis(redis?.url ?? "");
    onTestFinished(async () => {
      await Promise.all([open.close(), watching.close()]);
    });
    const before = await connectionsSoFar(watching);
    await Promise.all(Array.from({ length: 50 }, () => open.run(one, [], [])));
    expect(await connectionsSoFar(watching)).toBe(before + 1);
  });

  test.skipIf(redis === undefined)("is connected anew once by many that lost it", async () => {
    const open = openRedis(redis?.url ?? "");
    const watching = openRedis(redis?.url ?? "");
    onTestFinished(async () => {
      await Promise.all([open.close(), watching.close()]);
    });
    expect(await open.run(one, [], [])).toBe(1);
    await redis?.stop();
    await expect(open.run(one, [], [])).rejects.toMatchObject({ code: "database_unreachable" });
    await redis?.start();
    const before = await connectionsSoFar(watching);
    await Promise.all(Array.from({ length: 50 }, () => open.run(one, [], [])));
    expect(await connectionsSoFar(watching)).toBe(before + 1);
  });

  test.skipIf(redis === undefined)("hands on what a script says is wrong", async () => {
    const open = openRedis(redis?.url ?? "");
    onTestFinished(() => open.close());
    const failing = open.run(redisScript('return redis.error_reply("ERR no")'), [], []);
    await expect(failing).rejects.toThrow("ERR no");
    await expect(failing).rejects.not.toMatchObject({ code: "database_unreachable" });
  });
});

/** Since the server started, the one that asks included. */
async function connectionsSoFar(watching: Redis): Promise<number> {
  const stats = String(
    await watching.run(redisScript('return redis.call("INFO", "stats")'), [], []),
  );
  return Number(/^total_connections_received:(\d+)/m.exec(stats)?.[1]);
}
