/**
 * The page about SQL: every statement runs on a store with records in it, and every column of the
 * views it describes is described.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../src/config/ambient.ts";
import type { Database, Row } from "../../src/database/database.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { openStore } from "../../src/decision/store/open-store.ts";
import { openMask } from "../decision/masking/open-mask.ts";
import { admission, allowed, logOptions, outcome } from "../decision/support.ts";
import { root } from "../support/gateway-process.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const page = readFileSync(join(root, "docs", "sql.md"), "utf8");
const statements = [...page.matchAll(/^(.*)\n\n```sql\n([\s\S]*?)```/gm)].map(
  ([, question = "", sql = ""]) => ({ question, sql }),
);

let database: Database;

beforeAll(async () => {
  const stateDir = temporaryFolder();
  const mask = openMask({ paths: ["/input/action/args/token"] });
  const log = await createDecisionLog({ ...logOptions(stateDir), mask });
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const timings = { policyMs: 1.25, totalMs: 2.5, layerMs: { crm: 0.5 } };
  const inputJson = '{"action":{"args":{"token":"hush"}}}';
  const call = allowed({ traceparent, timings, inputJson });
  await log.admit(call);
  log.settle(outcome(call.decisionId));
  await log.admit(admission({ decisionId: newId(), timeMs: Date.now() }));
  await log.note({
    kind: "admin",
    decisionId: newId(),
    timeMs: Date.now(),
    tenant: "default",
    by: "olga",
    action: "block",
    subject: "agent mallory",
    reason: null,
    details: {},
  });
  await log.close();
  database = await openStore({ ...logOptions(stateDir), log: createTestLog() });
}, 90_000);
afterAll(() => database.close());

const rowsOf = (beginning: string): Promise<readonly Row[]> => {
  const found = statements.find(({ question }) => question.startsWith(beginning));
  return database.query(found?.sql.replace(";", "") ?? "");
};

test("it has a statement for each question", () => {
  expect(statements.length).toBeGreaterThan(10);
});

test.each(statements)("it answers: $question", async ({ sql }) => {
  await expect(database.query(sql.replace(";", ""))).resolves.toBeInstanceOf(Array);
});

test("its answers are those of the record", async () => {
  expect(await rowsOf("Why are calls refused")).toHaveLength(1);
  expect(await rowsOf("What did operators do")).toMatchObject([{ done_by: "olga" }]);
  expect(await rowsOf("How long do policies take")).toHaveLength(1);
  const [layer] = await rowsOf("Which layers take the time");
  expect(layer).toMatchObject({ layer: "crm", p50_p95_p99: [0.5, 0.5, 0.5] });
  const traced = { span_id: "00f067aa0ba902b7", outcome: "completed" };
  expect(await rowsOf("What was decided in a trace")).toMatchObject([traced]);
  const hidden = await rowsOf("What is hidden of the record");
  expect(hidden.map(({ place }) => place)).toEqual(["/input/action/args/token"]);
  const [recent] = await rowsOf("Rows lie in a partition");
  expect(Number(recent?.["count"])).toBe(2);
});

test("it names every column of the view of decisions, and no other", async () => {
  const rows = await database.query(
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'decisions'",
  );
  const [, table = ""] = /has these columns:\n\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const named = table
    .split("\n")
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`(\w+)`/g)])
    .map(([, name]) => String(name));
  expect(named.toSorted()).toEqual(rows.map((row) => String(row["column_name"])).toSorted());
});

test("it names every view", async () => {
  const rows = await database.query(
    "SELECT table_name FROM information_schema.views WHERE table_schema = 'public'",
  );
  for (const { table_name: name } of rows) expect(page).toContain(`| \`${String(name)}\` |`);
});
