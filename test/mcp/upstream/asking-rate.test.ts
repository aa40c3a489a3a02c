/**
 * A server that asks and asks: each question that is taken is decided and recorded, so that their
 * number has an end.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ServerRequests } from "../../../src/mcp/upstream/server-requests.ts";
import { createTestLog } from "../../support/log.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const minuteMs = 60_000;
const busy = { code: -32_000, message: "busy: too many requests in a minute" };

function open() {
  const log = createTestLog();
  const sent: string[] = [];
  const requests = new ServerRequests({ log, send: (text) => void sent.push(text) });
  let id = 0;
  let asked = 0;
  const ask = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) {
      id += 1;
      const request = { id, method: "sampling/createMessage", params: {}, bytes: 2 };
      await requests.take(request, async () => {
        asked += 1;
        return { kind: "result", resultJson: "{}" };
      });
    }
  };
  const warnings = () => log.lines.filter(({ level }) => level === "warn");
  return { requests, ask, sent, asked: () => asked, warnings };
}

describe("questions one after the other", () => {
  test("are asked up to 64 times in a minute, and answered busy from then on", async () => {
    const { ask, sent, asked } = open();
    await ask(64);
    expect(asked()).toBe(64);
    await ask(300);
    expect(asked()).toBe(64);
    expect(sent).toHaveLength(364);
    expect(JSON.parse(sent.at(-1) ?? "")).toEqual({ jsonrpc: "2.0", id: 364, error: busy });
  });

  test("are asked again in the next minute", async () => {
    const { ask, asked } = open();
    await ask(70);
    vi.advanceTimersByTime(minuteMs - 1);
    await ask(1);
    expect(asked()).toBe(64);
    vi.advanceTimersByTime(1);
    await ask(70);
    expect(asked()).toBe(128);
  });

  test("are one line of the log for each minute, with how many were refused", async () => {
    const { ask, warnings } = open();
    await ask(64 + 300);
    expect(warnings()).toEqual([]);
    vi.advanceTimersByTime(minuteMs);
    await ask(64 + 7);
    vi.advanceTimersByTime(5 * minuteMs);
    const line = { level: "warn", message: "upstream asked too much" };
    expect(warnings()).toEqual([
      { ...line, data: { refused: 300 } },
      { ...line, data: { refused: 7 } },
    ]);
  });

  test("that were refused are said when the connection is lost before the minute ends", async () => {
    const { requests, ask, warnings } = open();
    await ask(64 + 3);
    requests.lose();
    expect(warnings()).toMatchObject([{ data: { refused: 3 } }]);
    vi.advanceTimersByTime(5 * minuteMs);
    expect(warnings()).toHaveLength(1);
  });

  test("are nothing to say where none was refused", async () => {
    const { ask, warnings } = open();
    await ask(64);
    vi.advanceTimersByTime(minuteMs);
    expect(warnings()).toEqual([]);
  });
});
