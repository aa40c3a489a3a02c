import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { UpstreamReply } from "../../../../src/mcp/upstream/upstream-connection.ts";
import { ask, createFakeUpstream, done, failure } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const maxConcurrent = 3;
const key = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("request"),
      key,
      timeoutMs: fc.integer({ min: 1, max: 4000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("answer"), which: fc.nat(20), how: fc.nat(5) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("start"), isGood: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait"), forMs: fc.integer({ min: 1, max: 40_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("outage"), key, which: fc.integer({ min: 2, max: 7 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose"), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel"), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stream"), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end"), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("tick") }) },
);
type Step = Partial<Record<"key", string>> &
  Partial<Record<"timeoutMs" | "which" | "how" | "forMs", number>> & {
    readonly do: string;
    readonly isGood?: boolean;
  };

const replies: readonly UpstreamReply[] = [
  done,
  { kind: "error", error: { code: -32_000, message: "no" } },
  failure("upstream_garbage"),
  failure("upstream_unavailable"),
  failure("upstream_lost"),
  failure("upstream_timeout"),
];

function createWorld() {
  const fake = createFakeUpstream({
    isManual: true,
    maxConcurrent,
    maxConnections: 2,
    idleTimeoutMs: 5000,
    random: Math.random,
  });
  const asked: { ends: number; sent: number; readonly controller: AbortController }[] = [];
  const open = () => fake.connections.flatMap((connection) => [...connection.open]);
  const request = (key: string, timeoutMs: number): void => {
    const mine = { ends: 0, sent: 0, controller: new AbortController() };
    asked.push(mine);
    const wanted = ask(`call ${asked.length}`, { timeoutMs, signal: mine.controller.signal });
    void fake.server.request(key, {}, wanted).then(() => void (mine.ends += 1));
  };
  return { ...fake, asked, open, request };
}

type World = ReturnType<typeof createWorld>;

async function perform(world: World, step: Step): Promise<void> {
  const { which = 0 } = step;
  switch (step.do) {
    case "request":
      return world.request(step.key ?? "a", step.timeoutMs ?? 1);
    case "stream":
      return world.request(step.key ?? "a", Infinity);
    case "answer": {
      const open = world.open();
      return open[which % open.length]?.end(replies[step.how ?? 0] ?? done);
    }
    case "start": {
      const start = world.starts.at(-1);
      return step.isGood === true ? void start?.succeed() : start?.fail("upstream_start_failed");
    }
    case "wait":
      return void (await vi.advanceTimersByTimeAsync(step.forMs ?? 1));
    case "lose":
      return world.connections[which]?.lose("exited");
    case "cancel":
      return world.asked[which % world.asked.length]?.controller.abort();
    case "outage":
      for (let round = 0; round < which; round += 1) {
        world.request(step.key ?? "a", 10_000);
        await vi.advanceTimersByTimeAsync(2000);
        world.starts.at(-1)?.fail("upstream_start_failed");
        await vi.advanceTimersByTimeAsync(0);
      }
      return;
    case "end":
      return world.server.end(step.key ?? "a");
    default:
      return;
  }
}

describe("whatever happens in whatever order", () => {
  test("each request ends once, is sent at most once, and no more than allowed run", async () => {
    const covered = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const world = createWorld();
        for (const next of steps) {
          await perform(world, next);
          await vi.advanceTimersByTimeAsync(0);
          const calls = world.open().filter(({ wanted }) => wanted.timeoutMs !== Infinity);
          expect(calls.length).toBeLessThanOrEqual(maxConcurrent);
          expect(world.server.status().connections).toBeLessThanOrEqual(2);
          covered.add(world.server.status().state);
        }
        const closed = world.server.close();
        await vi.advanceTimersByTimeAsync(10_000);
        await closed;
        expect(world.asked.map(({ ends }) => ends)).toEqual(world.asked.map(() => 1));
        const sent = world.connections.flatMap((connection) => connection.sent);
        const calls = sent.filter((method) => method !== "ping");
        expect(new Set(calls).size).toBe(calls.length);
        expect(vi.getTimerCount()).toBe(0);
        expect(world.open()).toEqual([]);
        expect(world.server.status()).toMatchObject({ inFlight: 0, queued: 0, keys: 0 });
      }),
      { numRuns: 400 },
    );
    expect([...covered].toSorted()).toEqual([
      "backing_off",
      "idle",
      "open_circuit",
      "starting",
      "up",
    ]);
  }, 60_000);
});
