import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { opaEvent } from "../../../src/decision/export/opa-event.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { readSpool } from "../support.ts";
import { admit, exportTo, openExporting } from "./exporting.ts";

let stateDir = "";

beforeEach(() => {
  stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
});

const linesIn = (path: string): readonly string[] =>
  readFileSync(path, "utf8").trimEnd().split("\n");
const idOf = (line: string): string => String(JSON.parse(line).decision_id);

test("a file that is renamed is begun anew, and none of its lines is lost", async () => {
  const path = join(stateDir, "events.jsonl");
  const { decisions, status } = await openExporting(stateDir, exportTo({ kind: "file", path }));
  const ids = [...(await admit(decisions, 10))];
  await eventually(() => status()?.exported === 10);
  renameSync(path, `${path}.1`);
  ids.push(...(await admit(decisions, 10)));
  await eventually(() => status()?.exported === 20);
  expect([...linesIn(`${path}.1`), ...linesIn(path)].map(idOf)).toEqual(ids);
  expect(linesIn(path)).toHaveLength(10);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await decisions.close();
});

test("a line that a crash left without its end is ended, and its event is there whole", async () => {
  const path = join(stateDir, "events.jsonl");
  writeFileSync(path, '{"decision_id":"torn","inp');
  const { decisions, status } = await openExporting(stateDir, exportTo({ kind: "file", path }));
  const ids = await admit(decisions, 2);
  await eventually(() => status()?.exported === 2);
  const [torn, ...whole] = linesIn(path);
  expect(torn).toBe('{"decision_id":"torn","inp');
  expect(whole.map(idOf)).toEqual(ids);
  await decisions.close();
});

test("what is no regular file is not written to", async () => {
  const config = exportTo({ kind: "file", path: "/dev/null" });
  const { decisions, status } = await openExporting(stateDir, config);
  await admit(decisions, 1);
  await eventually(() => (status()?.failures ?? 0) > 0);
  expect(status()).toMatchObject({ state: "away", target: "/dev/null", exported: 0 });
  await decisions.close();
});

test("an event is, byte for byte, the one that the command makes of the record", async () => {
  const { decisions, written } = await openExporting(stateDir, exportTo({ kind: "stdout" }));
  await admit(decisions, 3);
  await eventually(() => written.join("").split("\n").length > 3);
  await decisions.close();
  const events = (await readSpool(stateDir)).map(opaEvent).filter((event) => event !== undefined);
  expect(written.join("")).toBe(events.map((event) => `${event}\n`).join(""));
});

test("with jsonl stdout gets every record as it was written", async () => {
  const config = exportTo({ kind: "stdout" }, { format: "jsonl" });
  const { decisions, written } = await openExporting(stateDir, config);
  const [id] = await admit(decisions, 1);
  await eventually(() => written.join("").split("\n").length > 2);
  const records = written.join("").trimEnd().split("\n");
  expect(records.map((line) => [JSON.parse(line).kind, idOf(line)])).toEqual([
    ["admission", id],
    ["outcome", id],
  ]);
  await decisions.close();
});
