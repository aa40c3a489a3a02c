/**
 * `decision stats`, `tail` and `explain` on a spool as a gateway leaves it.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { emptyOutput } from "../../src/contract/layer.ts";
import type { LayerVerdict, RuleMatch } from "../../src/contract/layer.ts";
import type { DecisionLog } from "../../src/contract/record.ts";
import { newId } from "../../src/config/ambient.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { admission, allowed, logOptions, outcome } from "../decision/support.ts";
import { giveEmbeddedDatabase } from "../support/embedded-database.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder = "";
/** Each look opens the database, which takes its time on a busy machine. */
const patienceMs = 40_000;
const rule: RuleMatch = {
  rule: "compliance.data_access",
  code: "data_class_unauthorized",
  title: "Users see only data they are authorised for",
  description: "An agent acts\nfor a user.",
  severity: undefined,
  remediation: "Ask for access",
  appeal: "https://tickets/",
  alternatives: ["crm__get_customer"],
  overridable: true,
  disclose: "text",
  audit: false,
  owner: "data-protection",
  actions: [],
  message: "bulk\u001b[31m",
  details: undefined,
};
const verdict = (output: Partial<typeof emptyOutput>): LayerVerdict => ({
  ok: true,
  layer: { name: "compliance", kind: "compliance", revision: "2", digest: "sha256:bb" },
  output: { ...emptyOutput, ...output },
});
const timings = { policyMs: 4, totalMs: 8, layerMs: { compliance: 3 } };
const denied = admission({ layers: [verdict({ deny: [rule] })], timings });
const waiver = {
  bundle: "compliance",
  rule: rule.rule,
  justification: "audit of May",
  expires: "2030-01-01T00:00:00Z",
  ticket: "SEC-7",
};
const granted = allowed({
  layers: [verdict({ allow: [{ ...rule, rule: "crm.read", title: "Reading is fine" }] })],
  waivers: { used: [waiver], expired: [] },
  timings,
});
const held = admission({
  decisionId: newId(),
  answer: { ...denied.answer, effect: "hold", reasons: ["approval_required"] },
  layers: [
    verdict({
      requireApproval: [
        { ...rule, approvers: ["group:leads"], channels: [], ttlSeconds: undefined },
      ],
    }),
  ],
  timings,
});

beforeAll(async () => {
  folder = temporaryFolder();
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
  await writeFile(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  await mkdir(join(folder, "state"), { mode: 0o700 });
  await giveEmbeddedDatabase(join(folder, "state"));
  const decisions = await open();
  await decisions.admit(denied);
  await decisions.admit(granted);
  decisions.settle(outcome(granted.decisionId));
  await decisions.admit(held);
  await decisions.note(approvalNote());
  await decisions.close();
});

async function open(): Promise<DecisionLog> {
  return await createDecisionLog(logOptions(join(folder, "state")));
}

function approvalNote() {
  return {
    kind: "approval",
    decisionId: newId(),
    timeMs: Date.now(),
    tenant: "default",
    approvalId: newId(),
    event: "approved",
    forDecisionId: held.decisionId,
    server: "crm",
    tool: null,
    agent: "support-bot",
    user: "alice",
    by: "carol",
    channel: "cli",
    reason: "fine",
    argsSha256: "sha256:00",
    expiresMs: Date.now(),
  } as const;
}

interface Spoken {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
}

async function decision(
  words: string,
  more: Partial<CliIo> = {},
  spoken = silent(),
): Promise<Spoken> {
  const io: CliIo = {
    out: (text) => void spoken.out.push(text),
    err: (text) => void spoken.err.push(text),
    env: { MCP_GATEWAY_STATE: join(folder, "state"), HOME: folder },
    cwd: folder,
    columns: undefined,
    exit: (code) => {
      spoken.code = code;
    },
    ...more,
  };
  await run(["decision", ...words.split(" "), "--config", "config.json"], io);
  return spoken;
}

function silent(): { code: number; out: string[]; err: string[] } {
  return { code: 0, out: [], err: [] };
}

describe("decision stats", () => {
  test("counts decisions, reasons and layers, with percentiles", async () => {
    const { out, code } = await decision("stats --since 1h --by tool -o json");
    expect(code).toBe(0);
    expect(JSON.parse(out.join("\n"))).toMatchObject({
      all: {
        decisions: 3,
        denied: 1,
        held: 1,
        observed: 0,
        denied_share: 1 / 3,
        policy_ms: { p50: 4, p90: 4, p99: 4 },
        decide_ms: { p50: 8 },
      },
      reasons: [
        { code: "approval_required", count: 1 },
        { code: "data_class_unauthorized_for_user", count: 1 },
      ],
      layers: [{ name: "compliance", decisions: 3, failed: 0, eval_ms: { p50: 3, p99: 3 } }],
      groups: [{ name: "crm/export_customers", decisions: 3, denied: 1 }],
    });
  });

  test("draws with blocks on a terminal, and with # elsewhere or where colour is not wanted", async () => {
    const plain = (await decision("stats")).out.join("\n");
    expect(plain).toContain("3 decisions since");
    expect(plain).toContain("1 denied (33.3 %), 1 held, 0 observed");
    expect(plain).toMatch(/^REASON .*\n.* 1 +#{24}$/m);
    expect(plain).not.toContain("█");
    expect((await decision("stats", { columns: 80 })).out.join("\n")).toContain("█");
    const env = { MCP_GATEWAY_STATE: join(folder, "state"), HOME: folder, NO_COLOR: "1" };
    expect((await decision("stats", { columns: 80, env })).out.join("\n")).not.toContain("█");
  });

  test("says that there is nothing where there is nothing", async () => {
    const { out } = await decision("stats --since 2099-01-01");
    expect(out).toEqual([
      "0 decisions since 2099-01-01T00:00:00.000Z: 0 denied (0.0 %), 0 held, 0 observed",
    ]);
  });

  test("refuses to count by what it does not know", async () => {
    const { code, err } = await decision("stats --by user");
    expect(code).toBe(2);
    expect(err.join()).toContain("expected --by to be one of tool, server, agent, reason");
  });
});

describe("decision explain", () => {
  test("says which rule of which layer refused, in its own words, and what would have to change", async () => {
    const { out } = await decision(`explain ${denied.decisionId}`);
    expect(out.slice(1)).toEqual([
      "Agent support-bot, for alice, asked for the tool call export_customers of crm.",
      "Nothing was sent to the server.",
      "The layer compliance (2) refused it:",
      "  compliance.data_access [data_class_unauthorized]: Users see only data they are authorised for",
      "    An agent acts for a user.",
      "    Of this call it said: bulk\\u{1b}[31m",
      "What would have to change:",
      "  Ask for access",
      "  Use instead: crm__get_customer",
      "  A waiver for compliance.data_access in an overrides layer would lift it.",
      "  Appeal: https://tickets/",
      "  compliance.data_access belongs to data-protection.",
    ]);
    expect(out[0]).toMatch(/: denied\.$/);
  });

  test("says what granted a call, and which waiver counted", async () => {
    const text = (await decision(`explain ${granted.decisionId}`)).out.join("\n");
    expect(text).toMatch(/: allowed\.$/m);
    expect(text).toContain("crm.read [data_class_unauthorized]: Reading is fine");
    expect(text).toContain(
      "A waiver lifted compliance.data_access of compliance (SEC-7, until 2030-01-01T00:00:00Z): audit of May",
    );
    expect(text).not.toContain("What would have to change");
  });

  test("says who was asked and what they said", async () => {
    const text = (await decision(`explain ${held.decisionId}`)).out.join("\n");
    expect(text).toContain("held until people agree");
    expect(text).toContain("The gateway itself: A person has to approve this call first.");
    expect(text).toContain("May agree: group:leads");
    expect(text).toContain("Approval approved by carol on cli: fine");
  });

  test("has no words for what is no decision", async () => {
    const { code, err } = await decision("explain 00000000");
    expect(code).toBe(1);
    expect(err.join()).toContain("decision_unknown");
  });
});

describe("decision tail", () => {
  test("prints the newest, the newest last, and takes the filters of list", async () => {
    const { out } = await decision("tail -n 2 -o jsonl");
    const ids = out.map((line): unknown => JSON.parse(line).decision_id);
    expect(ids).toEqual([granted.decisionId, held.decisionId]);
    const denials = await decision("tail --effect deny");
    expect(denials.out).toHaveLength(2);
    expect(denials.out[0]).toMatch(/^TIME +EFFECT/);
    expect(denials.out[1]).toContain(denied.decisionId);
    expect((await decision("tail -n many")).code).toBe(2);
  });

  test(
    "follows until it is interrupted, and prints each decision once",
    { timeout: 120_000 },
    async () => {
      const interruption = new AbortController();
      const spoken = silent();
      const untilInterrupted = () => interruption.signal;
      const tailing = decision("tail -f -n 1 -o jsonl", { untilInterrupted }, spoken);
      await eventually(() => spoken.out.length > 0, patienceMs);
      const next = admission();
      const decisions = await open();
      await decisions.admit(next);
      await eventually(() => spoken.out.length > 1, patienceMs);
      const another = admission();
      await decisions.admit(another);
      await eventually(() => spoken.out.length > 2, patienceMs);
      interruption.abort();
      await tailing;
      await decisions.close();
      const ids = spoken.out.map((line): unknown => JSON.parse(line).decision_id);
      expect(ids).toEqual([held.decisionId, next.decisionId, another.decisionId]);
      expect(spoken.code).toBe(0);
    },
  );
});
