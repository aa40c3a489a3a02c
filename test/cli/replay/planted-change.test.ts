/**
 * Two thousand recorded decisions and a planted change: a replay shows exactly what it turns, the same
 * each time and from each store, and of the part of the history that it was asked for.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../../src/cli/run.ts";
import type { AdmissionRecord } from "../../../src/contract/record.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { logOptions } from "../../decision/support.ts";
import { compileAll, decideAll } from "../../replay/recorded-world.ts";
import { runCli } from "../../support/cli-run.ts";
import { eventually } from "../../support/eventually.ts";
import { writeFixtureConfig } from "../../support/fixture-config.ts";
import { writeSources } from "../../support/policy-folder.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

const grant = 'allow contains "some" if input.action.tool in {"read", "close"}';
const late = 'deny contains "late" if input.action.tool == "drop"';
/** Two in a hundred: of each hundred one is close or drop, by thirds. */
const planted = `${grant}\n\ndeny contains "planted" if {
  input.action.tool in {"close", "drop"}
  input.action.args.n % 100 in {1, 2}
}`;
const policies = {
  crm: { kind: "server", rego: grant },
  mail: { kind: "server", rego: grant },
  compliance: { kind: "compliance", rego: late },
} as const;

const decisions = 2000;
const folder = temporaryFolder();
const startMs = Date.now() - decisions * 1000;
let records: readonly AdmissionRecord[] = [];

/** A second apart, a tenth of them to another server. */
const calls = Array.from({ length: decisions }, (_, n) => ({
  server: n % 10 === 9 ? "mail" : "crm",
  tool: ["read", "close", "drop"][n % 3] ?? "read",
  args: { n },
  timeMs: startMs + n * 1000,
}));

/** The archive of a policy that is named as the layer it is for. */
async function candidate(name: string, kind: "server" | "compliance", rego: string) {
  const metadata = { name, layer: kind, policy_package: `test.${kind}` };
  const manifest = { revision: "2", roots: [`test/${kind}`], metadata };
  const sources = await writeSources(join(temporaryFolder(), name), {
    ".manifest": JSON.stringify(manifest),
    "policy.rego": `package test.${kind}\n\n${rego}\n`,
  });
  const file = join(temporaryFolder(), `${name}.tar.gz`);
  expect(await runCli(["policy", "build", sources, "-f", file], folder)).toMatchObject({
    exitCode: 0,
  });
  return file;
}

beforeAll(async () => {
  const bundles = await compileAll(policies);
  const layers = Object.entries(policies).map(([name, { kind }]) => {
    const bundle = bundles.get(name);
    if (bundle === undefined) throw new Error(`no bundle ${name}`);
    return { name, kind, bundle };
  });
  records = await decideAll(layers, calls);
}, 180_000);

interface World {
  readonly config: string;
  readonly env: Record<string, string>;
}

/** The records in a store, and a configuration that names it. */
async function record(url?: string): Promise<World> {
  const stateDir = join(temporaryFolder(), "state");
  const kept = url === undefined ? ({ kind: "embedded" } as const) : postgresAt(url);
  await mkdir(stateDir, { mode: 0o700 });
  const log = await createDecisionLog({ ...logOptions(stateDir), store: kept });
  await Promise.all(records.map((one) => log.admit(one)));
  await eventually(() => log.status().unshippedRecords === 0, 60_000);
  await log.close();
  const policyOf = (name: keyof typeof policies) => `file:${join(folder, name)}`;
  const layers = [{ name: "compliance", kind: "compliance", policy: policyOf("compliance") }];
  const servers = { crm: { policy: policyOf("crm") }, mail: { policy: policyOf("mail") } };
  const config = writeFixtureConfig(servers, { layers, decisions: { store: url ?? "embedded" } });
  return { config, env: { HOME: folder, MCP_GATEWAY_STATE: stateDir } };
}

function postgresAt(url: string) {
  return { kind: "postgres", url } as const;
}

async function replay({ config, env }: World, file: string, ...options: readonly string[]) {
  const since = options.includes("--since") ? [] : ["--since", "1d"];
  const args = ["replay", file, "-c", config, ...since, "-o", "json", ...options];
  const ended = await runCli(args, folder, env);
  return { ...ended, report: ended.out.startsWith("{") ? JSON.parse(ended.out) : undefined };
}

/** What the planted rule turns, of calls to `crm` that are among these. */
function flipsIn(isAmong: (n: number) => boolean) {
  const hit = calls.flatMap(({ server, tool, args: { n } }) =>
    server === "crm" && tool !== "read" && [1, 2].includes(n % 100) && isAmong(n)
      ? [{ tool, id: records[n]?.decisionId }]
      : [],
  );
  return [
    { bucket: "newly_denied", tool: "close" },
    { bucket: "reason_only", tool: "drop" },
  ].map(({ bucket, tool }) => {
    const those = hit.filter((one) => one.tool === tool);
    return { bucket, tool, count: those.length, sample: those[0]?.id };
  });
}

interface Group {
  readonly bucket: string;
  readonly tool: string;
  readonly count: number;
  readonly sample: string;
}

function foundIn(report: { readonly groups: readonly Group[] }) {
  return report.groups.map(({ bucket, tool, count, sample }) => ({ bucket, tool, count, sample }));
}

const inServer = (n: number): boolean => n % 10 !== 9;

describe("a planted change", { timeout: 300_000 }, () => {
  let world: World;
  let elsewhere: World | undefined;
  let change = "";
  /** Of each store. */
  const worlds = (): readonly World[] => (elsewhere === undefined ? [world] : [world, elsewhere]);
  beforeAll(async () => {
    world = await record();
    if (postgres !== undefined) elsewhere = await record(await postgres.createDatabase());
    change = await candidate("crm", "server", planted);
  }, 240_000);

  test("is shown exactly, the same again, and the same from postgres", async () => {
    const { report, out, err } = await replay(world, change);
    expect(foundIn(report)).toEqual(flipsIn(() => true));
    expect(flipsIn(() => true).map(({ count }) => count)).toEqual([13, 14]);
    expect(report).toMatchObject({ decisions: 1800, replayed: 1800, unchanged: 1773 });
    expect(err).toMatch(/^1800 of 1800 decisions replayed \(100 %\): .*; \d+ decisions a second$/m);
    for (const one of worlds()) expect((await replay(one, change)).out).toBe(out);
  });

  test("is shown of the newest so many", async () => {
    const newest = new Set(
      calls
        .map(({ args: { n } }) => n)
        .filter(inServer)
        .slice(-300),
    );
    const { report } = await replay(world, change, "--limit", "300");
    expect(report.decisions).toBe(300);
    expect(foundIn(report)).toEqual(flipsIn((n) => newest.has(n)));
  });

  test("is shown between two times", async () => {
    const at = (n: number): string => new Date(startMs + n * 1000).toISOString();
    const { report } = await replay(world, change, "--since", at(500), "--until", at(1501));
    // The second is left out: 1501 is one that the rule turns.
    expect(report).toMatchObject({ decisions: 901, since: at(500), until: at(1501) });
    expect(foundIn(report)).toEqual(flipsIn((n) => n >= 500 && n < 1501));
  });

  test("in a layer of the organisation is shown of one server", async () => {
    const free = await candidate("compliance", "compliance", 'warn contains "nothing"');
    const { report } = await replay(world, free, "--server", "mail");
    expect(report).toMatchObject({ decisions: 200, server: "mail", layer: "compliance" });
    const servers = report.groups.map(({ server }: { readonly server: string }) => server);
    expect(servers).toEqual(["mail"]);
    expect((await replay(world, free)).report).toMatchObject({ decisions: 2000, server: null });
    expect((await replay(world, free, "--server", "other")).report).toMatchObject({ decisions: 0 });
  });

  test("of a server's policy is tried on the server that is named", async () => {
    const { report } = await replay(world, change, "--server", "mail");
    expect(report).toMatchObject({ decisions: 200, server: "mail", layer: "mail" });
  });

  test.each([
    [["--limit", "0"], 'expected a number above 0, found "0"'],
    [["--limit", "1e3"], 'expected a number above 0, found "1e3"'],
    [["--since", "yesterday"], 'found "yesterday"'],
    [["--until", "soon"], 'found "soon"'],
    [["--server", "other"], 'expected a server or layer of the configuration, found "other"'],
  ])("is not looked for with %j", async (options, words) => {
    const { exitCode, err, out } = await replay(world, change, ...options);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain(words);
  });

  test("is looked for with a bar that goes away, where a person looks on", async () => {
    const drawn: string[] = [];
    const args = ["replay", change, "-c", world.config, "--since", "1d", "-o", "json"];
    await run(args, {
      out: () => {},
      err: () => {},
      env: world.env,
      cwd: folder,
      columns: 80,
      draw: (text) => void drawn.push(text),
      exit: () => {},
    });
    expect(drawn.at(-2)).toMatch(/^\r█{30} 100 % of 1800$/);
    expect(drawn.at(-1)).toBe("\r\u001b[2K");
  });
});
