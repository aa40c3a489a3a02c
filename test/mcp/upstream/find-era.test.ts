import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Era } from "../../../src/mcp/wire/method-table.ts";
import { eventually, isAlive } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { StartSettings } from "./start-upstream.ts";
import { startUpstream } from "./start-upstream.ts";

async function start(mode: string, settings: Partial<StartSettings> & { known?: Era } = {}) {
  const learned: Era[] = [];
  const rememberEra = { known: settings.known, learned: (era: Era) => void learned.push(era) };
  const started = await startUpstream({ fixture: "era-server.js", mode, rememberEra, ...settings });
  const methods = (): readonly unknown[] =>
    started.lines().map((line) => {
      const message: unknown = JSON.parse(line);
      return typeof message === "object" && message !== null && "method" in message
        ? message.method
        : undefined;
    });
  return { ...started, learned, methods };
}

const legacyHandshake = ["initialize", "notifications/initialized"];

describe("the era of a server on stdio", () => {
  test("is legacy where the modern question gets an error, on the same process", async () => {
    const { upstream, learned, methods } = await start("legacy");
    expect(upstream.greeting).toEqual({
      era: "legacy",
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, prompts: {} },
      serverInfo: { name: "era", version: "1" },
      instructions: "Ask.",
    });
    expect(learned).toEqual(["legacy"]);
    await eventually(() => methods().length === 3);
    expect(methods()).toEqual(["server/discover", ...legacyHandshake]);
  });

  test("is modern where the question gets an answer, and nothing is initialized", async () => {
    const { upstream, learned, methods } = await start("modern");
    expect(upstream.greeting).toEqual({
      era: "modern",
      protocolVersion: "2026-07-28",
      capabilities: { tools: { listChanged: true }, resources: {} },
      serverInfo: { name: "era", version: "2" },
      instructions: "Ask nicely.",
    });
    expect(learned).toEqual(["modern"]);
    expect(methods()).toEqual(["server/discover"]);
  });

  test("is found without a question where it is known to be legacy", async () => {
    const { upstream, methods } = await start("legacy", { known: "legacy" });
    expect(upstream.greeting.era).toBe("legacy");
    expect(methods()[0]).toBe("initialize");
  });

  test("is found anew where what was remembered is wrong", async () => {
    const upgraded = await start("modern-only", { known: "legacy" });
    expect(upgraded.upstream.greeting.era).toBe("modern");
    expect(upgraded.learned).toEqual(["modern"]);
    const downgraded = await start("legacy", { known: "modern" });
    expect(downgraded.upstream.greeting.era).toBe("legacy");
    expect(downgraded.learned).toEqual(["legacy"]);
  });

  test("does not break a server that dies of the question: it is started again as legacy", async () => {
    const { upstream, learned, methods, lost } = await start("dies");
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["legacy"]);
    await eventually(() => methods().length === 3);
    expect(methods()).toEqual(["server/discover", ...legacyHandshake]);
    expect(lost).toEqual([]);
  });

  test("does not break a server that dies after it refused the question", async () => {
    const { upstream, learned } = await start("dies-later");
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["legacy"]);
  });

  test("is legacy where a server is silent to the question and answers initialize", async () => {
    const { upstream, learned } = await start("silent");
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["legacy"]);
  });

  test("is legacy where the question leaves a server stuck, after another start", async () => {
    const { upstream, learned } = await start("stuck");
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["legacy"]);
  });

  test("is still modern where a modern server is slow to start", async () => {
    const env = { FIXTURE_SLOW_MS: "2500" };
    const { upstream, learned } = await start("modern-only", { env });
    expect(upstream.greeting.era).toBe("modern");
    expect(learned).toEqual(["modern"]);
  });

  test("is remembered as modern where a slow server took both, for the next time", async () => {
    const { upstream, learned } = await start("modern", { env: { FIXTURE_SLOW_MS: "2500" } });
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["modern"]);
  });

  test.each([["unsupported"], ["empty"]])("is legacy where a server answers %s", async (mode) => {
    expect((await start(mode)).upstream.greeting.era).toBe("legacy");
  });

  test.each([
    ["future", /no protocol version that the gateway knows/],
    ["picky", /server\/discover with error -32021/],
  ])("is an error where a modern server cannot be talked to: %s", async (mode, message) => {
    await expect(start(mode)).rejects.toMatchObject({
      code: "upstream_start_failed",
      message: expect.stringMatching(message),
    });
  });

  test("is the one that the operator set, and nothing else is tried", async () => {
    await expect(start("legacy", { protocol: "modern" })).rejects.toMatchObject({
      code: "upstream_start_failed",
    });
    await expect(start("modern-only", { protocol: "legacy" })).rejects.toMatchObject({
      code: "upstream_start_failed",
    });
    const legacy = await start("modern", { protocol: "legacy" });
    expect(legacy.upstream.greeting.era).toBe("legacy");
    expect(legacy.learned).toEqual([]);
  });

  test("does not lose what a server says before the handshake is over", async () => {
    const { heard } = await start("early");
    expect(heard).toEqual([{ method: "notifications/tools/list_changed", params: {} }]);
  });

  test("that is not found in time is an error, and no process is left", async () => {
    const folder = temporaryFolder();
    const [pidFile, received] = [join(folder, "pid"), join(folder, "received")];
    const env = { FIXTURE_PID_FILE: pidFile, FIXTURE_RECEIVED: received };
    const settings = { fixture: "fixture-server.js", env };
    const starting = start("silent", { ...settings, known: "legacy", startTimeoutMs: 700 });
    await expect(starting).rejects.toMatchObject({
      code: "upstream_start_failed",
      message: expect.stringMatching(/did not finish in time|no answer within/),
    });
    const pid = Number(readFileSync(pidFile, "utf8"));
    await eventually(() => !isAlive(pid));
    // The specification forbids to cancel this one.
    expect(readFileSync(received, "utf8")).not.toContain("notifications/cancelled");
  });
});
