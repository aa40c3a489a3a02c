import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { run } from "../../src/cli/run.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { newId } from "../../src/config/ambient.ts";
import type { NotedRecord } from "../../src/contract/record.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { admission, allowed, logOptions, outcome } from "../decision/support.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Item {
  readonly decision_id: string;
}

let folder = "";
const completed = allowed({ tool: "send\u001b[31m", server: "mail", exposedName: "mail__send" });
const denied = admission();
const activation: NotedRecord = {
  kind: "activation",
  decisionId: newId(),
  timeMs: Date.now(),
  tenant: "default",
  layer: "crm",
  layerKind: "server",
  reference: "oci://registry.example/policies/crm:1",
  event: "held",
  digest: sha256Of("v1"),
  previous: sha256Of("v2"),
  revision: "1.0.0",
  by: "carol",
  why: "2.0.0 denies refunds",
  code: null,
  signers: [],
};

beforeAll(async () => {
  folder = temporaryFolder();
  const stateDir = join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const decisions = await createDecisionLog(logOptions(stateDir));
  await decisions.admit(completed);
  decisions.settle(outcome(completed.decisionId));
  await decisions.admit(denied);
  await decisions.note(activation);
  await decisions.close();
  await configure("embedded.json", "embedded");
  await configure("away.json", "postgres://alice:hunter2@127.0.0.1:1/decisions");
});

async function configure(name: string, store: string): Promise<void> {
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions: { store } };
  await writeFile(join(folder, name), JSON.stringify(config), { mode: 0o600 });
}

async function decision(words: string, state = "state"): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const io: CliIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: { MCP_GATEWAY_STATE: join(folder, state), HOME: folder },
    cwd: folder,
    columns: undefined,
    exit: (wanted) => {
      code = wanted;
    },
  };
  const config = words.includes("--config") ? [] : ["--config", "embedded.json"];
  await run(["decision", ...words.split(" "), ...config], io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const idsIn = (text: string): readonly string[] => {
  const { items }: { readonly items: readonly Item[] } = JSON.parse(text);
  return items.map(({ decision_id }) => decision_id);
};

describe("decision list", { timeout: 90_000 }, () => {
  test("prints a table, newest first, in which nothing moves the cursor", async () => {
    const { out, code } = await decision("list");
    const [head, first, second] = out.split("\n");
    expect(code).toBe(0);
    expect(head?.split(/ {2,}/)).toEqual([
      "TIME",
      "EFFECT",
      "AGENT",
      "SERVER",
      "TOOL",
      "REASONS",
      "OUTCOME",
      "LATENCY",
      "ID",
    ]);
    expect(first).toMatch(/deny +support-bot +crm +export_customers +data_class_unauthor/);
    expect(first).toContain(`not_forwarded  -        ${denied.decisionId}`);
    expect(second).toMatch(/allow +support-bot +mail +send\\u\{1b\}\[31m +- +completed +13ms/);
  });

  test("prints JSON, one JSON document a line, and YAML", async () => {
    const both = [denied.decisionId, completed.decisionId];
    expect(idsIn((await decision("list -o json")).out)).toEqual(both);
    const lines = (await decision("list -o jsonl")).out.split("\n");
    expect(lines.map((line) => idsIn(`{"items":[${line}]}`)[0])).toEqual(both);
    expect((await decision("list -o yaml")).out).toContain(`decision_id: ${denied.decisionId}`);
  });

  test("filters", async () => {
    const listed = async (words: string): Promise<readonly string[]> =>
      idsIn((await decision(`list -o json ${words}`)).out);
    expect(await listed("--server mail")).toEqual([completed.decisionId]);
    expect(await listed("--tool mail__send")).toEqual([completed.decisionId]);
    expect(await listed("--effect deny --since 15m")).toEqual([denied.decisionId]);
    expect(await listed("--outcome completed")).toEqual([completed.decisionId]);
    expect(await listed("--limit 1")).toEqual([denied.decisionId]);
    expect(await listed("--agent nobody")).toEqual([]);
    expect(await listed("--since 2100-01-01T00:00:00Z")).toEqual([]);
  });

  test("says so when nothing matches, on stderr", async () => {
    expect(await decision("list --agent nobody")).toMatchObject({
      code: 0,
      err: "no decisions match",
    });
  });

  test.each([
    ["--since yesterday", /expected a time such as .* found "yesterday"/],
    ["--limit 0", /expected --limit to be a number from 1 to 10000, found "0"/],
    ["--limit ten", /found "ten"/],
    ["--effect maybe", /expected --effect to be one of allow, deny, hold, found "maybe"/],
    ["--outcome fine", /expected --outcome to be one of completed,/],
    ["-o xml", /expected -o to be one of table, json, yaml, jsonl, got "xml"/],
  ])("refuses %s as wrong usage", async (words, message) => {
    const { code, err, out } = await decision(`list ${words}`);
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(out).toBe("");
  });
});

describe("decision list --kind activation", { timeout: 90_000 }, () => {
  test("prints what bundles did, who did it and why", async () => {
    const { out, code } = await decision("list --kind activation");
    expect(code).toBe(0);
    expect(out).toMatch(/^TIME +EVENT +ABOUT +REVISION +BY +WHY +ID\n/);
    expect(out).toMatch(/Z +held +crm +1\.0\.0 +carol +2\.0\.0 denies refunds +[0-9a-f-]{36}$/);
    const { items } = JSON.parse((await decision("list --kind activation -o json")).out);
    expect(items).toMatchObject([
      { kind: "activation", decision_id: activation.decisionId, layer: "crm", by: "carol" },
    ]);
  });

  test("is filtered by server and time, and read whole by id", async () => {
    const of = async (words: string): Promise<readonly string[]> =>
      idsIn((await decision(`list --kind activation -o json ${words}`)).out);
    expect(await of("--server crm --since 15m")).toEqual([activation.decisionId]);
    expect(await of("--server mail")).toEqual([]);
    expect(await of("--since 2100-01-01T00:00:00Z")).toEqual([]);
    expect((await decision("list --kind approval")).err).toBe("no records match");
    const { out } = await decision(`get ${activation.decisionId} -o json`);
    expect(JSON.parse(out)).toMatchObject({ kind: "activation", record: { event: "held" } });
  });

  test.each([
    [
      "--kind bundle",
      /expected --kind to be one of decision, activation, approval, admin, shadow, found/,
    ],
    ["--kind activation --effect deny", /--effect is about decisions; with --kind activation/],
  ])("refuses %s as wrong usage", async (words, message) => {
    expect(await decision(`list ${words}`)).toMatchObject({
      code: 2,
      err: expect.stringMatching(message),
    });
  });
});

describe("decision get", { timeout: 90_000 }, () => {
  test("prints the whole decision by id, by the beginning of its id and as the last one", async () => {
    // Two ids of one millisecond differ within their first 26 characters.
    for (const id of [denied.decisionId, denied.decisionId.slice(0, 26), "last"]) {
      const { out, code } = await decision(`get ${id} -o json`);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        decision_id: denied.decisionId,
        outcome: "not_forwarded",
        admission: { input: JSON.parse(denied.inputJson), result: { effect: "deny" } },
        outcome_record: null,
      });
    }
  });

  test("refuses an id that no decision has, with what to do", async () => {
    const { code, err } = await decision("get 00000000-0000-7000-8000-000000000000");
    expect(code).toBe(1);
    expect(err).toMatch(/found none; see mcp-gateway decision list/);
  });

  test("refuses something that is no id as wrong usage", async () => {
    expect(await decision("get ../../x")).toMatchObject({ code: 2 });
  });
});

test(
  "with no decision recorded yet, list is empty and get says to make a call",
  { timeout: 90_000 },
  async () => {
    expect(await decision("list", "fresh")).toMatchObject({ code: 0, err: "no decisions match" });
    const { code, err } = await decision("get last", "fresh");
    expect(code).toBe(1);
    expect(err).toMatch(/found none recorded yet; make a call through the gateway first/);
  },
);

test("a postgres that is away ends with exit code 7 and without its password", async () => {
  const { code, err } = await decision("list --config away.json");
  expect(code).toBe(7);
  expect(err).toMatch(/expected a postgres server at 127\.0\.0\.1:1\/decisions/);
  expect(err).not.toContain("hunter2");
});

test("a configuration that is missing ends with exit code 3", async () => {
  expect(await decision("list --config missing.json")).toMatchObject({ code: 3 });
});
