/**
 * The time of a call to a real server. It passes as the test says, however long the machine takes.
 */
import { afterEach, expect, test, vi } from "vitest";
import type { UpstreamRequest } from "../../../src/mcp/upstream/upstream-connection.ts";
import { startUpstream } from "./start-upstream.ts";

afterEach(() => void vi.useRealTimers());

/** A server; from here on no timer of this process ends by itself. */
async function start() {
  const { upstream } = await startUpstream({
    fixture: "era-server.js",
    mode: "legacy",
    protocol: "legacy",
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  return (tool: string, args: object, wanted: Partial<UpstreamRequest>) =>
    upstream.request({
      method: "tools/call",
      params: { name: JSON.stringify(tool), arguments: JSON.stringify(args) },
      timeoutMs: 5000,
      ...wanted,
    });
}

test("the time that a user takes to answer is not the call's", async () => {
  const call = await start();
  const reply = await call(
    "ask",
    {},
    {
      timeoutMs: 300,
      onRequest: async ({ params }) => {
        vi.advanceTimersByTime(600);
        const content = { type: "text", text: "hi" };
        const answer = { role: "assistant", model: "m", content, for: params["for"] };
        return { kind: "result", resultJson: JSON.stringify(answer) };
      },
    },
  );
  expect(reply.kind).toBe("result");
});

test("progress starts the time of a call anew", async () => {
  const call = await start();
  const seen: number[] = [];
  const onProgress = ({ progress }: { progress: number }): void => {
    seen.push(progress);
    vi.advanceTimersByTime(390);
  };
  const args = { steps: 6, everyMs: 20 };
  const reply = await call("slow-progress", args, { timeoutMs: 400, onProgress });
  expect(reply.kind).toBe("result");
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
});

test("progress never gets a call more than ten times its time", async () => {
  const call = await start();
  let passedMs = 0;
  const onProgress = (): void => {
    passedMs += 100;
    vi.advanceTimersByTime(100);
  };
  const args = { steps: 1000, everyMs: 5 };
  const reply = await call("slow-progress", args, { timeoutMs: 150, onProgress });
  expect(reply).toMatchObject({ kind: "failed", code: "upstream_timeout" });
  expect(passedMs).toBeGreaterThan(1000);
  expect(passedMs).toBeLessThanOrEqual(1500);
});
