import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { createServer } from "node:http";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { portOf } from "../../support/fake-registry.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions } from "../support.ts";
import { admit, exportTo, openExporting } from "./exporting.ts";
import type { ReceivedEvent } from "./receiver.ts";
import { startReceiver } from "./receiver.ts";

let stateDir = "";

beforeEach(() => {
  stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
});

const idsOf = (events: readonly ReceivedEvent[]): readonly string[] =>
  events.map((event) => event.decision_id);

test("what is recorded arrives at a receiver, in order and once", async () => {
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const headers = { authorization: "Bearer s3cret-token" };
  const { decisions, status, lines } = await openExporting(stateDir, exportTo(to, { headers }));
  const ids = await admit(decisions, 30);
  await eventually(() => receiver.taken.length >= 30);
  expect(idsOf(receiver.taken)).toEqual(ids);
  expect(receiver.requests[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "content-encoding": "gzip",
    authorization: "Bearer s3cret-token",
  });
  await eventually(() => status()?.state === "waiting");
  expect(status()).toMatchObject({ target: receiver.url, exported: 30, dropped: 0, lagMs: 0 });
  await decisions.close();
  expect(JSON.stringify(lines)).not.toContain("s3cret");
});

test("a request holds at most the configured bytes, and a larger event goes alone", async () => {
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const config = exportTo(to, { uploadSizeLimitBytes: 8_000 });
  const { decisions } = await openExporting(stateDir, config);
  const large = allowed({ inputJson: JSON.stringify({ filler: "x".repeat(20_000) }) });
  const before = await admit(decisions, 15);
  await decisions.admit(large);
  const ids = [...before, large.decisionId, ...(await admit(decisions, 15))];
  await eventually(() => receiver.taken.length >= 31);
  expect(idsOf(receiver.taken)).toEqual(ids);
  const sizes = receiver.requests.filter(({ events }) => events.length > 1);
  expect(sizes.length).toBeGreaterThan(1);
  for (const { bytes } of sizes) expect(bytes).toBeLessThanOrEqual(8_002);
  await decisions.close();
});

test.each([[500], [401], [302], [429], ["cut"]] as const)(
  "a receiver that answers %s holds up no call and gets everything once it takes it",
  async (mode) => {
    const receiver = await startReceiver(mode);
    const to = { kind: "http", url: receiver.url } as const;
    const { decisions, status, lines } = await openExporting(stateDir, exportTo(to));
    const ids = [...(await admit(decisions, 10))];
    await eventually(() => (status()?.failures ?? 0) >= 2);
    ids.push(...(await admit(decisions, 10)));
    expect(status()).toMatchObject({ state: "away", exported: 0, dropped: 0 });
    expect(status()?.lagMs).toBeGreaterThan(0);
    expect(status()?.pendingBytes).toBeGreaterThan(0);
    receiver.mode = () => "take";
    await eventually(() => receiver.taken.length >= 20);
    expect(idsOf(receiver.taken)).toEqual(ids);
    await eventually(() => status()?.state === "waiting");
    expect(status()?.lagMs).toBe(0);
    const said = lines.map(({ message }) => message);
    const away = "export target is away, decisions wait in the spool";
    expect(said.filter((message) => message === away)).toHaveLength(1);
    expect(said).toContain("export target is back");
    expect(JSON.stringify(lines)).not.toContain("private words");
    await decisions.close();
  },
);

test("a redirect is not followed", async () => {
  const receiver = await startReceiver(303);
  let asked = 0;
  const elsewhere = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void elsewhere.close());
  receiver.location = `http://127.0.0.1:${portOf(elsewhere.address())}/logs`;
  const to = { kind: "http", url: receiver.url } as const;
  const headers = { authorization: "Bearer s3cret-token" };
  const { decisions, status } = await openExporting(stateDir, exportTo(to, { headers }));
  await admit(decisions, 1);
  await eventually(() => (status()?.failures ?? 0) >= 2);
  expect(asked).toBe(0);
  await decisions.close();
});

test("a receiver that does not answer holds up neither a call nor the end", async () => {
  const receiver = await startReceiver("hang");
  const to = { kind: "http", url: receiver.url } as const;
  const { decisions, status } = await openExporting(stateDir, exportTo(to));
  const ids = await admit(decisions, 5);
  await eventually(() => receiver.requests.length > 0);
  await admit(decisions, 5);
  expect(decisions.status().failure).toBeUndefined();
  await decisions.close();
  expect(status()?.exported).toBe(0);
  receiver.mode = () => "take";
  const next = await openExporting(stateDir, exportTo(to));
  await eventually(() => receiver.taken.length >= 10);
  expect(idsOf(receiver.taken).slice(0, 5)).toEqual(ids);
  await next.decisions.close();
});

test("an event that is too large for the receiver is given up alone, counted and said", async () => {
  const receiver = await startReceiver();
  receiver.mode = (events) => (JSON.stringify(events).length > 10_000 ? 413 : "take");
  const to = { kind: "http", url: receiver.url } as const;
  const { decisions, status, lines } = await openExporting(stateDir, exportTo(to));
  const large = allowed({ inputJson: JSON.stringify({ filler: "x".repeat(20_000) }) });
  const before = await admit(decisions, 4);
  await decisions.admit(large);
  const ids = [...before, ...(await admit(decisions, 4))];
  await eventually(() => receiver.taken.length >= 8 && status()?.dropped === 1);
  expect(idsOf(receiver.taken)).toEqual(ids);
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: "error",
      message: "event too large for the target",
      data: expect.objectContaining({ decision_id: large.decisionId, status: 413 }),
    }),
  );
  await decisions.close();
});

test("a gateway that ends exports what it recorded last, and the next one nothing of it again", async () => {
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const first = await openExporting(stateDir, exportTo(to));
  const ids = await admit(first.decisions, 3);
  await first.decisions.close();
  expect(idsOf(receiver.taken)).toEqual(ids);
  const second = await openExporting(stateDir, exportTo(to));
  const more = await admit(second.decisions, 3);
  await eventually(() => receiver.taken.length >= 6);
  await second.decisions.close();
  expect(idsOf(receiver.taken)).toEqual([...ids, ...more]);
});

test("of two gateways on one state folder one exports for both, and the other goes on", async () => {
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const first = await openExporting(stateDir, exportTo(to));
  await eventually(() => first.status()?.state === "waiting" && first.status()?.exported === 0);
  const second = await openExporting(stateDir, exportTo(to));
  const ids = [...(await admit(first.decisions, 10)), ...(await admit(second.decisions, 10))];
  await eventually(() => receiver.taken.length >= 20);
  expect([...idsOf(receiver.taken)].toSorted()).toEqual(ids.toSorted());
  await eventually(() => [first, second].some((each) => each.status()?.state === "standby"));
  const [isFirst, isSecond] = [first, second].map((each) => each.status()?.state !== "standby");
  expect(isFirst).not.toBe(isSecond);
  const [holder, other] = isFirst === true ? [first, second] : [second, first];
  await holder.decisions.close();
  const more = await admit(other.decisions, 10);
  await eventually(() => receiver.taken.length >= 30);
  expect(idsOf(receiver.taken).slice(20)).toEqual(more);
  await other.decisions.close();
  expect(new Set(idsOf(receiver.taken)).size).toBe(receiver.taken.length);
});

test("each writer's decisions come in its order, whatever fails between", async () => {
  const receiver = await startReceiver();
  let asked = 0;
  receiver.mode = () => ((asked += 1) % 3 === 0 ? "take" : asked % 3 === 1 ? 503 : "cut");
  const to = { kind: "http", url: receiver.url } as const;
  const config = exportTo(to, { uploadSizeLimitBytes: 12_000, maxDelayMs: 100 });
  const first = await openExporting(stateDir, config);
  const second = await openExporting(stateDir, config);
  await Promise.all([admit(first.decisions, 8), admit(second.decisions, 8)]);
  await eventually(() => new Set(idsOf(receiver.taken)).size >= 16);
  for (const { decisions } of [first, second]) {
    const { writer } = decisions.status();
    const own = receiver.taken.map(({ custom }) => custom.mcp_gateway);
    const places = own.filter((each) => each.writer === writer).map(({ seq }) => seq);
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(places).toHaveLength(8);
  }
  await first.decisions.close();
  await second.decisions.close();
});

test("another target begins with what the spool has", async () => {
  const [one, other] = [await startReceiver(), await startReceiver()];
  const first = await openExporting(stateDir, exportTo({ kind: "http", url: one.url }));
  const ids = await admit(first.decisions, 3);
  await first.decisions.close();
  const second = await openExporting(stateDir, exportTo({ kind: "http", url: other.url }));
  await eventually(() => other.taken.length >= 3);
  expect(idsOf(other.taken)).toEqual(ids);
  await second.decisions.close();
});

test("what is gone before it was exported is counted and said", async () => {
  const limits = { ...logOptions(stateDir).limits, segmentMaxBytes: 20_000 };
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const first = await openExporting(stateDir, exportTo(to), { limits });
  await admit(first.decisions, 1);
  await eventually(() => receiver.taken.length === 1);
  receiver.mode = () => 503;
  await admit(first.decisions, 20);
  await first.decisions.close();
  const folder = join(spoolFolder(stateDir, "embedded"), first.decisions.status().writer);
  rmSync(join(folder, segmentName(2)));
  receiver.mode = () => "take";
  const second = await openExporting(stateDir, exportTo(to));
  await eventually(() => (second.status()?.dropped ?? 0) > 0);
  expect(second.lines).toContainEqual(
    expect.objectContaining({ level: "error", message: "records to export are gone" }),
  );
  await second.decisions.close();
});

test("a spool that cannot be read is said and holds up no other", async () => {
  const broken = await createDecisionLog(logOptions(stateDir));
  await admit(broken, 1);
  await broken.close();
  const spool = spoolFolder(stateDir, "embedded");
  const segment = join(spool, broken.status().writer, segmentName(1));
  const newer = readFileSync(segment);
  // The header of a later version, with its checksum.
  newer.writeUInt32BE(9, 8);
  newer.writeUInt32BE(crc32(newer.subarray(0, 12)), 12);
  writeFileSync(segment, newer);
  const receiver = await startReceiver();
  const to = { kind: "http", url: receiver.url } as const;
  const { decisions, lines } = await openExporting(stateDir, exportTo(to));
  const ids = await admit(decisions, 2);
  await eventually(() => receiver.taken.length >= 2);
  expect(idsOf(receiver.taken)).toEqual(ids);
  const message = "spool cannot be read for its export";
  expect(lines.filter((line) => line.message === message)).toHaveLength(1);
  await decisions.close();
});
