import { describe, expect, test } from "vitest";
import { createReplayBuffer } from "../../../../src/mcp/downstream/http/replay-buffer.ts";

const limits = { replayEvents: 100, replayBytes: 10_000 };
const big = [Buffer.alloc(3000)];

function texts(buffers: readonly Buffer[]): readonly string[] {
  return buffers.map(String);
}

describe("the replay buffer of a session", () => {
  test("gives back what came after a number, of one stream only", () => {
    const replay = createReplayBuffer(limits, { maxBytes: 10_000, usedBytes: 0 });
    replay.keep("a", 1, ["x", Buffer.from("1")]);
    replay.keep("b", 1, ["y1"]);
    replay.keep("a", 2, ["x2"]);
    expect(texts(replay.after("a", 0))).toEqual(["x1", "x2"]);
    expect(texts(replay.after("a", 1))).toEqual(["x2"]);
    expect(texts(replay.after("c", 0))).toEqual([]);
  });

  test("lets the oldest events go when its bytes are used up", () => {
    const budget = { maxBytes: 1_000_000, usedBytes: 0 };
    const replay = createReplayBuffer(limits, budget);
    for (let sequence = 1; sequence <= 5; sequence += 1) replay.keep("a", sequence, big);
    expect(replay.after("a", 0)).toHaveLength(3);
    expect(replay.after("a", 4)).toHaveLength(1);
    expect(budget.usedBytes).toBeLessThanOrEqual(limits.replayBytes);
  });

  test("does not keep an event that is larger than all of it", () => {
    const replay = createReplayBuffer(limits, { maxBytes: 1_000_000, usedBytes: 0 });
    replay.keep("a", 1, [Buffer.alloc(10_001)]);
    expect(replay.has("a")).toBe(false);
  });

  test("takes no more than what all sessions together may", () => {
    const budget = { maxBytes: 4000, usedBytes: 0 };
    const [one, other] = [createReplayBuffer(limits, budget), createReplayBuffer(limits, budget)];
    one.keep("a", 1, big);
    other.keep("b", 1, big);
    expect([one.has("a"), other.has("b")]).toEqual([true, false]);
    one.clear();
    other.keep("b", 2, big);
    expect(other.has("b")).toBe(true);
  });

  test("gives its part back when streams are forgotten", () => {
    const budget = { maxBytes: 10_000, usedBytes: 0 };
    const replay = createReplayBuffer(limits, budget);
    replay.keep("a", 1, big);
    replay.keep("b", 1, ["y"]);
    replay.forget("a");
    expect([replay.has("a"), replay.has("b")]).toEqual([false, true]);
    replay.clear();
    expect(budget.usedBytes).toBe(0);
  });
});
