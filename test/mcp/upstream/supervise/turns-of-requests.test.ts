import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function startWith(maxConcurrent: number) {
  const fake = createFakeUpstream({ maxConcurrent });
  const first = fake.server.request("a", {}, ask("first"));
  await vi.advanceTimersByTimeAsync(1);
  const [connection] = fake.connections;
  if (connection === undefined) throw new Error("the fake did not start");
  const endNext = (): void => {
    for (const request of connection.open) return request.end(done);
  };
  return { ...fake, connection, first, endNext };
}

describe("requests to one server", () => {
  test("run up to its limit at once, the others in the order of their arrival", async () => {
    const { server, connection, endNext } = await startWith(2);
    for (const name of ["second", "third", "fourth"]) void server.request("a", {}, ask(name));
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.sent).toEqual(["first", "second"]);
    expect(server.status()).toMatchObject({ inFlight: 2, queued: 2 });
    endNext();
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.sent).toEqual(["first", "second", "third"]);
    endNext();
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.sent).toEqual(["first", "second", "third", "fourth"]);
  });

  test("share the limit over all its connections", async () => {
    const { server, connections } = await startWith(1);
    void server.request("b", {}, ask("other"));
    await vi.advanceTimersByTimeAsync(1);
    expect(connections.map(({ sent }) => sent)).toEqual([["first"], []]);
  });

  test("are refused at once where four times the limit wait", async () => {
    const { server } = await startWith(1);
    for (let index = 0; index < 4; index += 1) void server.request("a", {}, ask());
    expect(await server.request("a", {}, ask())).toMatchObject({
      code: "upstream_busy",
      message:
        "1 of its requests run and 4 may wait, which they do; repeat this one later, or raise servers.fake.max_concurrent",
    });
  });

  test("are not crowded out by those that wait for a start of another key", async () => {
    const { server, starts, connections } = createFakeUpstream({
      isManual: true,
      maxConcurrent: 1,
      answer: () => done,
    });
    const waiting = Array.from({ length: 5 }, () => server.request("slow", {}, ask()));
    expect(await waiting[4]).toMatchObject({ code: "upstream_busy" });
    const quick = server.request("quick", {}, ask());
    starts.find(({ key }) => key === "quick")?.succeed();
    expect(await quick).toEqual(done);
    expect(connections).toHaveLength(1);
  });

  test("spend their own time in the queue, and then fail unsent", async () => {
    const { server, connection } = await startWith(1);
    const reply = server.request("a", {}, ask("late", { timeoutMs: 300 }));
    await vi.advanceTimersByTimeAsync(300);
    expect(await reply).toMatchObject({ code: "upstream_busy" });
    expect(server.status()).toMatchObject({ inFlight: 1, queued: 0 });
    expect(connection.sent).toEqual(["first"]);
  });

  test("are sent with what is left of their time", async () => {
    const { server, connection, endNext } = await startWith(1);
    void server.request("a", {}, ask("late", { timeoutMs: 300 }));
    await vi.advanceTimersByTimeAsync(100);
    endNext();
    await vi.advanceTimersByTimeAsync(1);
    expect([...connection.open][0]?.wanted.timeoutMs).toBe(200);
  });

  test("can be cancelled in the queue, which sends nothing and gives the place free", async () => {
    const { server, connection, endNext } = await startWith(1);
    const controller = new AbortController();
    const gone = server.request("a", {}, ask("gone", { signal: controller.signal }));
    void server.request("a", {}, ask("next"));
    await vi.advanceTimersByTimeAsync(1);
    controller.abort();
    expect(await gone).toMatchObject({ code: "cancelled" });
    endNext();
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.sent).toEqual(["first", "next"]);
  });

  test("that were cancelled before they came are never sent", async () => {
    const { server, connection } = await startWith(2);
    const reply = server.request("a", {}, ask("gone", { signal: AbortSignal.abort() }));
    expect(await reply).toMatchObject({ code: "cancelled" });
    expect(connection.sent).toEqual(["first"]);
  });

  test("are given a turn in the very moment in which they leave, without losing it", async () => {
    const { server, connection, endNext } = await startWith(1);
    const controller = new AbortController();
    void server.request("a", {}, ask("gone", { signal: controller.signal }));
    void server.request("a", {}, ask("next"));
    await vi.advanceTimersByTimeAsync(1);
    endNext();
    controller.abort();
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.sent).toEqual(["first", "next"]);
    expect(server.status()).toMatchObject({ inFlight: 1, queued: 0 });
  });

  test("that stay open take no turns, and have a limit of their own", async () => {
    const { server, connection } = await startWith(1);
    for (let index = 0; index < 1024; index += 1) {
      void server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    }
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.open.size).toBe(1025);
    const further = server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    expect(await further).toMatchObject({ code: "upstream_busy" });
    expect(server.status().inFlight).toBe(1025);
  });
});
