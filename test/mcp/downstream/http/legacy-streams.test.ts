/**
 * Streams of legacy sessions: how a client comes back to one, and those that it opens itself.
 */
import { describe, expect, test } from "vitest";
import type { ActionRequest } from "../../../../src/gateway/gateway.ts";
import { eventually } from "../../../support/eventually.ts";
import { heldCalls, openHeld, resumeFrom, withProgress } from "./held-calls.ts";
import { beginSession, call } from "./messages.ts";
import type { OpenStream } from "./open-front.ts";
import { openFront } from "./open-front.ts";

describe("a client that lost its stream", () => {
  test("has cancelled nothing, and gets the answer when it comes back", async () => {
    const { front, finish } = await openHeld();
    const headers = await beginSession(front);
    const first = await front.stream({ headers, body: call(1) });
    await eventually(() => first.events.length === 1);
    first.disconnect();
    await first.ended;
    expect(front.actions[0]?.signal.aborted).toBe(false);
    const second = await resumeFrom(front, headers, first.events[0]?.id);
    finish("kept");
    await second.ended;
    expect(second.messages()).toMatchObject([{ id: 1, result: { content: [{ text: "kept" }] } }]);
  });

  test("gets what was said meanwhile, in order and once", async () => {
    let progress: ActionRequest["onProgress"];
    const { act, finish } = heldCalls();
    const front = await openFront({
      act: (request) => {
        progress = request.onProgress;
        return act();
      },
      limits: { streamAfterMs: 5 },
    });
    const headers = await beginSession(front);
    const first = await front.stream({ headers, body: withProgress(1) });
    progress?.({ progress: 1 });
    await eventually(() => first.messages().length === 1);
    const lastSeen = first.events.at(-1)?.id;
    first.disconnect();
    await first.ended;
    for (const value of [2, 3]) progress?.({ progress: value });
    finish("done");
    const again = await resumeFrom(front, headers, lastSeen);
    await again.ended;
    const said = again.messages().map(({ params, id }) => params?.progress ?? id);
    expect(said).toEqual([2, 3, 1]);
  });

  test("is told that there is nothing more where it has seen it all", async () => {
    const { front, finish } = await openHeld();
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    finish("done");
    await stream.ended;
    const again = await resumeFrom(front, headers, stream.events.at(-1)?.id);
    expect(again.status).toBe(204);
  });

  test("cannot come back after its time, nor with an id that is not of its session", async () => {
    const { front, finish } = await openHeld({
      limits: { streamAfterMs: 5, sweepEveryMs: 10, replayKeptMs: 1000 },
    });
    const headers = await beginSession(front);
    const other = await beginSession(front, { user: "bob" });
    const stream = await front.stream({ headers, body: call(1) });
    const theirs = await front.stream({ headers: other, body: call(1) });
    for (const text of ["done", "theirs"]) finish(text);
    await Promise.all([stream.ended, theirs.ended]);
    const id = stream.events[0]?.id;
    expect((await resumeFrom(front, headers, id)).status).toBe(200);
    expect((await resumeFrom(front, other, id)).status).toBe(400);
    for (const forged of ["", "1", `${id}0x`, "p1-1", "../p1"]) {
      expect((await resumeFrom(front, headers, forged)).status).toBe(400);
    }
    front.state.nowMs = 1001;
    await eventually(async () => (await resumeFrom(front, headers, id)).status === 400);
  });

  test("finds the old connection ended when it comes back on another", async () => {
    const { front, finish } = await openHeld();
    const headers = await beginSession(front);
    const first = await front.stream({ headers, body: call(1) });
    await eventually(() => first.events.length === 1);
    const second = await resumeFrom(front, headers, first.events[0]?.id);
    await first.ended;
    finish("once");
    await second.ended;
    expect([first.messages().length, second.messages().length]).toEqual([0, 1]);
  });
});

describe("a stream that the client opened", () => {
  test("carries what belongs to no request, and each message only once", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    const streams = [
      await front.stream({ method: "GET", headers }),
      await front.stream({ method: "GET", headers }),
    ];
    front.announce("notifications/tools/list_changed");
    await eventually(() => streams.some((stream) => stream.messages().length > 0));
    expect(streams.map((stream) => stream.messages().length)).toEqual([0, 1]);
  });

  test("begins with what was said while there was none", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    front.announce("notifications/tools/list_changed");
    const stream = await front.stream({ method: "GET", headers });
    await eventually(() => stream.messages().length === 1);
    const again = await front.stream({ method: "GET", headers });
    front.announce("notifications/prompts/list_changed");
    await eventually(() => again.messages().length === 1);
    expect(again.messages()[0]?.method).toBe("notifications/prompts/list_changed");
  });

  test("goes on where it was interrupted", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    const first = await front.stream({ method: "GET", headers });
    await eventually(() => first.events.length === 1);
    first.disconnect();
    await first.ended;
    front.announce("notifications/tools/list_changed");
    const second = await resumeFrom(front, headers, first.events[0]?.id);
    await eventually(() => second.messages().length === 1);
    second.disconnect();
    const third = await resumeFrom(front, headers, first.events[0]?.id);
    await eventually(() => third.messages().length === 1);
    expect(third.events).toEqual(second.events);
  });

  test("is a new one where the old one is forgotten", async () => {
    const front = await openFront({ limits: { sweepEveryMs: 10, replayKeptMs: 1000 } });
    const headers = await beginSession(front);
    const first = await front.stream({ method: "GET", headers });
    await eventually(() => first.events.length === 1);
    first.disconnect();
    await first.ended;
    front.state.nowMs = 5000;
    const second = await resumeFrom(front, headers, first.events[0]?.id);
    expect(second.status).toBe(200);
    front.announce("notifications/tools/list_changed");
    await eventually(() => second.messages().length === 1);
  });

  test("needs a client that takes events", async () => {
    const front = await openFront();
    const headers = { ...(await beginSession(front)), Accept: "application/json" };
    expect((await front.send({ method: "GET", headers })).status).toBe(406);
  });

  test("ends when there are too many of them, the oldest first", async () => {
    const front = await openFront({ limits: { maxStandaloneStreams: 2 } });
    const headers = await beginSession(front);
    const open = (): Promise<OpenStream> => front.stream({ method: "GET", headers });
    const first = await open();
    const second = await open();
    await open();
    await first.ended;
    expect(second.response.destroyed).toBe(false);
  });

  test("ends with its session", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    const stream = await front.stream({ method: "GET", headers });
    expect((await front.send({ method: "DELETE", headers })).status).toBe(204);
    await stream.ended;
  });
});

test("a client never hears what belongs to the session of another", async () => {
  const front = await openFront();
  const [alice, bob] = [await beginSession(front), await beginSession(front, { user: "bob" })];
  const streams = [
    await front.stream({ method: "GET", headers: alice }),
    await front.stream({ method: "GET", headers: bob }),
  ];
  const [ear] = front.ears;
  ear?.hear({ method: "notifications/resources/updated", params: { uri: "file:///alice" } });
  await eventually(() => streams[0]?.messages().length === 1);
  expect(streams[1]?.messages()).toEqual([]);
});
