/**
 * A Redis that is away, and one that comes back.
 */
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
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

  test.skipIf(redis === undefined)("hands on what a script says is wrong", async () => {
    const open = openRedis(redis?.url ?? "");
    onTestFinished(() => open.close());
    const failing = open.run(redisScript('return redis.error_reply("ERR no")'), [], []);
    await expect(failing).rejects.toThrow("ERR no");
    await expect(failing).rejects.not.toMatchObject({ code: "database_unreachable" });
  });
});
