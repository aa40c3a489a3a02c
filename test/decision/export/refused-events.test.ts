/**
 * An event that its receiver refuses for good holds up what comes after it for a while, and not for
 * ever; a receiver that refuses for another reason loses nothing.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { httpSink } from "../../../src/decision/export/http-sink.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { admit, exportTo, openExporting } from "./exporting.ts";
import type { ReceivedEvent, Receiver } from "./receiver.ts";
import { startReceiver } from "./receiver.ts";

let stateDir = "";

beforeEach(() => {
  stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
});

const idsOf = (events: readonly ReceivedEvent[]): readonly string[] =>
  events.map((event) => event.decision_id);
const quick = { minDelayMs: 5, maxDelayMs: 10 };
const signal = new AbortController().signal;
const linesOf = (...ids: readonly string[]): readonly string[] =>
  ids.map((id) => JSON.stringify({ decision_id: id }));

function refuse(receiver: Receiver, status: number, poison: readonly string[]): void {
  receiver.mode = (events) => (idsOf(events).some((id) => poison.includes(id)) ? status : "take");
}

function aloneOf(receiver: Receiver, id: string): number {
  return receiver.requests.filter(({ events }) => idsOf(events).join() === id).length;
}

/** Offers until they are taken or given up; how often that was. */
async function offer(
  { url }: Receiver,
  lines: readonly string[],
  offersMax: number,
): Promise<{ readonly offers: number; readonly refused: readonly string[] | undefined }> {
  const sink = httpSink({ url, headers: {}, fetch });
  for (let offers = 1; offers <= offersMax; offers += 1) {
    const refused = await sink.take(lines, signal).catch(() => undefined);
    if (refused !== undefined) return { offers, refused: refused.map(({ line }) => line) };
  }
  return { offers: offersMax, refused: undefined };
}

test.each([400, 422])(
  "an event that is refused with %s is given up, counted and said, and all others arrive once",
  async (status) => {
    const receiver = await startReceiver(503);
    const to = { kind: "http", url: receiver.url } as const;
    const {
      decisions,
      status: standing,
      lines,
    } = await openExporting(stateDir, exportTo(to, quick));
    const ids = await admit(decisions, 9);
    const [poison = "", last = ""] = [ids[4], ids[8]];
    refuse(receiver, status, [poison, last]);
    await eventually(() => standing()?.dropped === 2);
    expect(idsOf(receiver.taken)).toEqual(ids.filter((id) => id !== poison && id !== last));
    expect([aloneOf(receiver, poison), aloneOf(receiver, last)]).toEqual([5, 5]);
    expect(standing()).toMatchObject({ exported: 7, dropped: 2 });
    const said = lines.filter(({ message }) => message === "event refused by the target");
    expect(said).toEqual(
      [poison, last].map((id) =>
        expect.objectContaining({
          level: "error",
          data: expect.objectContaining({ decision_id: id, status, records: 1 }),
        }),
      ),
    );
    const more = await admit(decisions, 2);
    await eventually(() => receiver.taken.length >= 9);
    expect(idsOf(receiver.taken).slice(7)).toEqual(more);
    await decisions.close();
  },
);

test.each([401, 403, 404, 409, 408, 429, 500, 503])(
  "nothing is given up however often a receiver answers %s",
  async (status) => {
    const receiver = await startReceiver(status);
    const { refused } = await offer(receiver, linesOf("a", "b"), 30);
    expect(refused).toBeUndefined();
    expect(receiver.requests.every(({ events }) => events.length === 2)).toBe(true);
    const alone = await offer(receiver, linesOf("a"), 30);
    expect(alone.refused).toBeUndefined();
  },
);

test("a batch is refused five times before it is halved, and an event alone before it is given up", async () => {
  const receiver = await startReceiver();
  refuse(receiver, 400, ["c"]);
  const { offers, refused } = await offer(receiver, linesOf("a", "b", "c", "d"), 30);
  expect(refused).toEqual(linesOf("c"));
  expect(receiver.requests.map(({ events }) => idsOf(events).join(""))).toEqual([
    ...Array<string>(5).fill("abcd"),
    ..."ab cd c c c c c d".split(" "),
  ]);
  expect(offers).toBe(9);
});

test("failures of another kind between refusals count for nothing", async () => {
  const receiver = await startReceiver();
  let asked = 0;
  receiver.mode = () => ((asked += 1) % 2 === 0 ? 400 : 503);
  const { offers, refused } = await offer(receiver, linesOf("a"), 30);
  expect({ offers, refused }).toEqual({ offers: 10, refused: linesOf("a") });
});

test("an event that was refused for a while and is taken then is not given up", async () => {
  const receiver = await startReceiver();
  let asked = 0;
  receiver.mode = () => ((asked += 1) <= 8 ? 400 : "take");
  const { refused } = await offer(receiver, linesOf("a", "b"), 30);
  expect(refused).toEqual([]);
  expect(idsOf(receiver.taken)).toEqual(["a", "b"]);
});
