import { describe, expect, test } from "vitest";
import { readCounters } from "../../src/contract/counter.ts";

const whole = { key: ["user"], limit: 5 };

function read(entry: object) {
  return readCounters({ refunds: entry });
}

describe("a declared counter", () => {
  test("counts calls for ever where nothing else is said", () => {
    expect(readCounters({ refunds: whole })).toEqual({
      ok: true,
      counters: [
        {
          name: "refunds",
          key: ["user"],
          window: { type: "none" },
          limit: 5,
          cost: { type: "calls" },
          tools: undefined,
          actions: ["tool_call"],
        },
      ],
    });
    expect(readCounters(undefined)).toEqual({ ok: true, counters: [] });
  });

  test("has the same key in whatever order its fields are written", () => {
    const one = read({ ...whole, key: ["user", "agent"] });
    expect(one).toEqual(read({ ...whole, key: ["agent", "user"] }));
    expect(one).toMatchObject({ counters: [{ key: ["user", "agent"] }] });
  });

  test.each([
    [{ fixed: "1d" }, { type: "fixed", ms: 86_400_000 }],
    [{ sliding: "90s" }, { type: "sliding", ms: 90_000 }],
    [{ sliding: "366d" }, { type: "sliding", ms: 366 * 86_400_000 }],
  ])("has the window %j", (window, expected) => {
    expect(read({ ...whole, window })).toMatchObject({ counters: [{ window: expected }] });
  });

  test.each([
    ["attempts", { type: "attempts" }],
    ["tokens", { type: "tokens", reserve: 0 }],
    [{ argument: "/a~1b/0/m~0n" }, { type: "argument", pointer: ["a/b", "0", "m~n"] }],
    [
      { argument: "/a", default: 0 },
      { type: "argument", pointer: ["a"], fallback: 0 },
    ],
  ])("has the cost %j", (cost, expected) => {
    expect(read({ ...whole, cost })).toMatchObject({ counters: [{ cost: expected }] });
  });

  test("may have the arguments in its key for an hour", () => {
    const short = { ...whole, key: ["args", "user"], window: { fixed: "1h" } };
    expect(read(short)).toMatchObject({ counters: [{ key: ["user", "args"] }] });
  });

  test.each([
    ["no key", { limit: 1 }, "refunds.key"],
    ["an empty key", { ...whole, key: [] }, "refunds.key"],
    ["a field that nobody verifies", { ...whole, key: ["role"] }, "refunds.key.0"],
    ["arguments in its key and no window", { ...whole, key: ["user", "args"] }, "refunds.window"],
    [
      "arguments in its key and a long window",
      { ...whole, key: ["args"], window: { sliding: "61m" } },
      "refunds.window",
    ],
    ["a field twice", { ...whole, key: ["user", "user"] }, "refunds.key"],
    ["no limit", { key: ["user"] }, "refunds.limit"],
    ["a limit below 0", { ...whole, limit: -1 }, "refunds.limit"],
    ["a limit that is not exact", { ...whole, limit: 1e12 }, "refunds.limit"],
    ["two windows", { ...whole, window: { fixed: "1h", sliding: "1h" } }, "refunds.window"],
    ["a window of nothing", { ...whole, window: { fixed: "0s" } }, "refunds.window.fixed"],
    ["a window over a year", { ...whole, window: { fixed: "367d" } }, "refunds.window.fixed"],
    ["a window in words", { ...whole, window: { fixed: "day" } }, "refunds.window.fixed"],
    ["an unknown cost", { ...whole, cost: "dollars" }, "refunds.cost"],
    [
      "a path that is no pointer",
      { ...whole, cost: { argument: "amount" } },
      "refunds.cost.argument",
    ],
    [
      "a default below 0",
      { ...whole, cost: { argument: "/a", default: -1 } },
      "refunds.cost.default",
    ],
    ["a reserve beside calls", { ...whole, reserve: 5 }, "refunds.reserve"],
    ["an unknown action", { ...whole, actions: ["run"] }, "refunds.actions.0"],
    ["an unknown member", { ...whole, per: "user" }, "refunds"],
  ])("is refused with %s", (_, entry, place) => {
    const reading = read(entry);
    if (reading.ok) throw new Error("expected a refusal");
    expect(reading.path.join(".")).toBe(place);
    expect(reading.message).not.toBe("");
  });

  test("is refused with a name that no rule could write, and as one of too many", () => {
    expect(readCounters({ "Refunds per day": whole })).toMatchObject({ ok: false });
    const names = Array.from({ length: 33 }, (_, index) => [`c${index}`, whole] as const);
    expect(readCounters(Object.fromEntries(names.slice(1)))).toMatchObject({ ok: true });
    expect(readCounters(Object.fromEntries(names))).toMatchObject({ ok: false });
    expect(readCounters([whole])).toMatchObject({ ok: false });
  });
});
