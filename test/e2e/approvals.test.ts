/**
 * Calls that wait for people, with real gateways: several processes on one state folder and on one
 * Postgres, a person at the command line, a gateway that is killed in between.
 */
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { buildLayout } from "../support/policy-layout.ts";
import { startTestPostgres } from "../support/postgres.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const allowing = `allow contains "all" if input.action.server`;

/** Holds every call; whoever runs these tests starts the gateway and decides, too. */
const holding = (approvers: string) => `
capabilities := {"servers": ["*"], "tools": ["*", "*/*"], "scopes": ["*"]}

require_approval contains {"code": "people_first", "approvers": ${approvers}} if {
	input.action.type == "tool_call"
}
`;

const postgres = await startTestPostgres();
const racers = 100;
let layout = "";
beforeAll(async () => {
  layout = await buildLayout({
    crm: { rego: allowing },
    own: { rego: holding('["self"]'), layer: "identity" },
    others: { rego: holding("[]"), layer: "identity" },
  });
});
afterAll(() => postgres?.close());

const started: RawClient[] = [];
afterAll(async () => {
  for (const client of started) await client.end();
});

interface World {
  readonly config: string;
  readonly env: Record<string, string>;
  readonly receivedFile: string;
}

function makeWorld(
  more: object,
  variables: Readonly<Record<string, string>> = {},
  layer: "own" | "others" = "own",
): World {
  const receivedFile = join(temporaryFolder(), "received.jsonl");
  const config = writeFixtureConfig(
    { crm: { policy: `oci-layout:${layout}:crm`, env: { FIXTURE_RECEIVED: receivedFile } } },
    {
      layers: [{ name: layer, kind: "identity", policy: `oci-layout:${layout}:${layer}` }],
      ...more,
    },
  );
  return { config, env: freshEnvironment(variables), receivedFile };
}

async function startGateway({ config, env }: World): Promise<RawClient> {
  const client = await startRawClient(serveCommand(config, env));
  started.push(client);
  await client.request("tools/list");
  return client;
}

/** `tools/call` messages that reached the server. */
function callsOf({ receivedFile }: World): readonly string[] {
  if (!existsSync(receivedFile)) return [];
  return readFileSync(receivedFile, "utf8")
    .split("\n")
    .filter((line) => line.includes("tools/call"));
}

async function approval({ config, env }: World, ...args: readonly string[]) {
  return await runBin(["approval", ...args, "--config", config], env);
}

async function pendingId(world: World): Promise<string> {
  let id = "";
  await eventually(async () => {
    const { stdout } = await approval(world, "list", "-o", "json");
    id = JSON.parse(stdout).items[0]?.id ?? "";
    return id !== "";
  }, 60_000);
  return id;
}

const textOf = (answer: object) => JSON.stringify(answer);

interface Race {
  readonly held: string;
  readonly approved: Awaited<ReturnType<typeof approval>>;
  readonly id: string;
  /** Of the racers. */
  readonly answers: readonly string[];
  /** Of a call with one other byte in its arguments. */
  readonly other: string;
  readonly callsMade: number;
}

async function race(world: World): Promise<Race> {
  const one = await startGateway(world);
  const two = await startGateway(world);
  const holding = one.call("crm__echo", { id: "C-17" });
  const id = await pendingId(world);
  const held = textOf(await holding);
  const approved = await approval(world, "approve", id, "--why", "asked in writing");
  const racing = Array.from({ length: racers / 2 }, () => [
    one.call("crm__echo", { id: "C-17" }),
    two.call("crm__echo", { id: "C-17" }),
  ]);
  const answers = (await Promise.all(racing.flat())).map(textOf);
  const other = textOf(await one.call("crm__echo", { id: "C-18" }));
  return { held, approved, id, answers, other, callsMade: callsOf(world).length };
}

function expectOneToRun({ held, approved, id, answers, other, callsMade }: Race): void {
  expect(held).toContain(id);
  expect(approved).toMatchObject({ code: 0, stdout: `${id} approved\n` });
  const denied = answers.filter((answer) => answer.includes("approval_required"));
  expect([answers.length, denied.length]).toEqual([racers, racers - 1]);
  expect(other).toContain("Held by policy");
  expect(callsMade).toBe(1);
}

describe("an approval", () => {
  test(
    "runs one of a hundred calls of two processes on one state folder",
    { timeout: 120_000 },
    async () => {
      const raced = await race(makeWorld({ approvals: { wait: "1s" } }));
      expectOneToRun(raced);
      expect(raced.callsMade).toBe(1);
    },
  );

  test.runIf(postgres)(
    "runs one of a hundred calls of two processes on one Postgres, each with a folder of its own",
    { timeout: 120_000 },
    async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      const settings = { approvals: { wait: "1s" }, decisions: { store: "${env:DATABASE_URL}" } };
      const raced = await race(makeWorld(settings, { DATABASE_URL: url }));
      expectOneToRun(raced);
      expect(raced.callsMade).toBe(1);
    },
  );

  test(
    "is asked for before kill -9, given after it, and used when the gateway is back",
    { timeout: 120_000 },
    async () => {
      const world = makeWorld({ approvals: { wait: "60s" } });
      const before = await startRawClient(serveCommand(world.config, world.env));
      await before.request("tools/list");
      void before.call("crm__echo", { id: "C-17" });
      const id = await pendingId(world);
      before.child.kill("SIGKILL");
      const after = await startGateway(world);
      const calling = after.call("crm__echo", { id: "C-17" });
      expect(await approval(world, "approve", id.slice(-12))).toMatchObject({ code: 0 });
      expect(textOf(await calling)).not.toContain("isError");
      expect(callsOf(world)).toHaveLength(1);
    },
  );
});

describe("a person at the command line", () => {
  test("sees the arguments whole and escaped, and is on record", { timeout: 120_000 }, async () => {
    const world = makeWorld({ approvals: { wait: "200ms" } });
    const gateway = await startGateway(world);
    await gateway.call("crm__echo", { note: "a\u202Eb\u001B[2J" });
    const id = await pendingId(world);
    const { stdout } = await approval(world, "get", id, "-o", "json");
    const shown = JSON.parse(stdout);
    expect(JSON.parse(shown.arguments)).toEqual({ note: "a\u202Eb\u001B[2J" });
    expect(stdout).toMatch(/^[\n -~]*$/);
    expect(shown).toMatchObject({
      user: "tester",
      agent: "test-agent",
      server: "crm",
      tool: "echo",
    });
    const denied = await approval(world, "deny", id, "--why", "not today");
    expect(denied).toMatchObject({ code: 0, stdout: `${id} denied\n` });
    const answer = textOf(await gateway.call("crm__echo", { note: "a\u202Eb\u001B[2J" }));
    expect(answer).toContain("They said: not today");
    const again = await approval(world, "approve", id);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("approval_closed") });
    const all = await approval(world, "list", "--all", "-o", "json");
    expect(JSON.parse(all.stdout).items).toMatchObject([
      { id, status: "denied", arguments: null, denied: { by: userInfo().username } },
    ]);
  });

  test(
    "does not approve where they are the requester, or nobody",
    { timeout: 120_000 },
    async () => {
      const me = userInfo().username;
      const known = { approvers: { tester: { os_users: [me] } } };
      // With a list of people, and without one: the user of stdio is whoever started the gateway.
      for (const more of [known, {}]) {
        const own = makeWorld({ approvals: { wait: "200ms", ...more } }, {}, "others");
        await (await startGateway(own)).call("crm__echo");
        const refused = await approval(own, "approve", await pendingId(own));
        const stderr = expect.stringContaining("approval_self");
        expect(refused).toMatchObject({ code: 9, stderr });
      }
      const others = makeWorld({ approvals: { wait: "200ms", approvers: { someone: {} } } });
      await (await startGateway(others)).call("crm__echo");
      const unlisted = await approval(others, "approve", await pendingId(others));
      const code = "approval_not_approver";
      expect(unlisted).toMatchObject({ code: 9, stderr: expect.stringContaining(code) });
    },
  );

  test("is told where there is no such request", { timeout: 120_000 }, async () => {
    const world = makeWorld({});
    const found = await approval(world, "get", "beef");
    expect(found).toMatchObject({ code: 1, stderr: expect.stringContaining("approval_unknown") });
    expect(await approval(world, "list")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("nothing waits"),
    });
  });
});
