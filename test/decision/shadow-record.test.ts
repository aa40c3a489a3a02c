/**
 * What a shadow would have decided, from the record to the store and back.
 */
import { generateKeyPairSync } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { ShadowRecord } from "../../src/contract/shadow-record.ts";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { openEmbedded } from "../../src/database/pglite.ts";
import { openPostgres } from "../../src/database/postgres.ts";
import { encodeRecord } from "../../src/decision/encode-record.ts";
import type { Tampering } from "../../src/decision/integrity/chain-check.ts";
import { spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { listNotes } from "../../src/decision/store/list-notes.ts";
import { getRecord } from "../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../src/decision/store/take-in.ts";
import { storeChains, verifyRecord } from "../../src/decision/verify-record.ts";
import { createTestLog } from "../support/log.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { writeDeadSpool } from "./dead-spool.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];
const labels = { id: "writer", version: "0" };

const shadow: ShadowRecord = {
  kind: "shadow",
  decisionId: newId(),
  timeMs: Date.UTC(2026, 10, 22, 13, 45, 0, 123),
  tenant: "default",
  forDecisionId: newId(),
  server: "crm",
  tool: "export",
  agent: "support-bot",
  user: "alice",
  layer: "compliance",
  layerKind: "compliance",
  revision: "2.0.0",
  digest: "sha256:2",
  difference: "newly_denied",
  code: null,
  was: { effect: "allow", enforced: true, reasons: [], matchedRules: ["crm.read"], policyMs: 1.5 },
  would: {
    effect: "deny",
    enforced: true,
    reasons: ["too_late"],
    matchedRules: ["compliance.hours"],
    policyMs: 2.5,
  },
};

test("it is written in snake_case, with both answers", () => {
  expect(JSON.parse(encodeRecord(shadow, labels).text)).toEqual({
    kind: "shadow",
    decision_id: shadow.decisionId,
    timestamp: "2026-11-22T13:45:00.123000000Z",
    labels,
    tenant: "default",
    for_decision_id: shadow.forDecisionId,
    server: "crm",
    tool: "export",
    agent: "support-bot",
    user: "alice",
    layer: "compliance",
    layer_kind: "compliance",
    revision: "2.0.0",
    digest: "sha256:2",
    difference: "newly_denied",
    code: null,
    was: {
      effect: "allow",
      enforced: true,
      reasons: [],
      matched_rules: ["crm.read"],
      policy_ms: 1.5,
    },
    would: {
      effect: "deny",
      enforced: true,
      reasons: ["too_late"],
      matched_rules: ["compliance.hours"],
      policy_ms: 2.5,
    },
  });
});

describe.each(kinds)("in the %s store", { timeout: 90_000 }, (kind) => {
  test("it is a row of its view, and a note by layer, server and id", async () => {
    const stateDir = temporaryFolder();
    const log = createTestLog();
    const database =
      kind === "embedded"
        ? await openEmbedded(temporaryFolder(), { clock: systemClock })
        : await openPostgres((await postgres?.createDatabase()) ?? "");
    try {
      await migrate(database);
      await writeDeadSpool(stateDir, [encodeRecord(shadow, labels)]);
      const spool = spoolFolder(stateDir, "embedded");
      await takeIn(database, { spool, clock: systemClock, log });
      const rows = await database.query("SELECT to_json(s)::text AS row FROM shadow_differences s");
      expect(rows.map(({ row }): unknown => JSON.parse(String(row)))).toMatchObject([
        {
          layer: "compliance",
          difference: "newly_denied",
          effect: "deny",
          reasons: ["too_late"],
          matched_rules: ["compliance.hours"],
          policy_ms: 2.5,
          was_effect: "allow",
          was_reasons: [],
          was_policy_ms: 1.5,
        },
      ]);
      const about = async (name: string) =>
        await listNotes(database, { kind: "shadow", sinceMs: 0, about: name, limit: 5 });
      expect(await about("compliance")).toMatchObject([{ difference: "newly_denied" }]);
      expect(await about("crm")).toHaveLength(1);
      expect(await about("mail")).toEqual([]);
      expect(await getRecord(database, shadow.decisionId)).toMatchObject({ kind: "shadow" });

      expect(await tamperingOf(database)).toEqual([]);
      await database.query("UPDATE mcp_gateway.shadow_difference SET was_effect = 'deny'");
      expect(await tamperingOf(database)).toMatchObject([{ kind: "edited", seq: 1 }]);
    } finally {
      await database.close();
    }
  });
});

async function tamperingOf(database: Database): Promise<readonly Tampering[]> {
  const { publicKey } = generateKeyPairSync("ed25519");
  return (await verifyRecord(storeChains(database), temporaryFolder(), publicKey)).problems;
}
