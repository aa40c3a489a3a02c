/**
 * A block reaches every replica that runs, is enforced while the store is away and after a restart,
 * and ends when it is lifted: real gateways on one Postgres, stopped by the command line.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openBlockTable } from "../../src/gateway/blocks/block-table.ts";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startTestPostgres } from "../support/postgres.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

let layout = "";
beforeAll(async () => {
  layout = await buildLayout({ ok: allowAll });
});

async function isDenied(client: RawClient): Promise<boolean> {
  const answer = JSON.stringify(await client.call("ok__echo", { n: 1 }));
  if (answer.includes("blocked")) return true;
  expect(answer).not.toContain("isError");
  return false;
}

async function startGateway(config: string, env: Record<string, string>): Promise<RawClient> {
  const client = await startRawClient(serveCommand(config, env));
  onTestFinished(() => void client.child.kill("SIGKILL"));
  return client;
}

function configOf(more: object): string {
  return writeFixtureConfig({ ok: { policy: `oci-layout:${layout}:ok` } }, more);
}

describe.runIf(postgres?.canStop)("two replicas on one Postgres", () => {
  test(
    "stop who is blocked, while it is away and after a restart too, until that is lifted",
    { timeout: 120_000 },
    async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      const config = configOf({ decisions: { store: "${env:DATABASE_URL}" } });
      const [here, there] = [0, 1].map(() => freshEnvironment({ DATABASE_URL: url }));
      const block = async (...args: readonly string[]) =>
        await runBin(["block", ...args, "--config", config], here ?? {});
      const one = await startGateway(config, here ?? {});
      const two = await startGateway(config, there ?? {});
      expect([await isDenied(one), await isDenied(two)]).toEqual([false, false]);

      const blocked = await block("agent", "test-agent", "--why", "it loops");
      expect(blocked).toMatchObject({ code: 0 });
      expect(blocked.stdout).toContain("agent test-agent is blocked on every gateway");
      await eventually(async () => (await isDenied(one)) && (await isDenied(two)));

      await postgres?.stop();
      await delay(1500);
      expect([await isDenied(one), await isDenied(two)]).toEqual([true, true]);
      const away = await block("user", "somebody");
      expect(away).toMatchObject({ code: 7 });
      expect(away.stderr).toContain("--local");
      await two.end();
      const again = await startGateway(config, there ?? {});
      expect(await isDenied(again)).toBe(true);

      await postgres?.start();
      const listed = await block("list", "-o", "json");
      expect(JSON.parse(listed.stdout).items).toMatchObject([
        { kind: "agent", id: "test-agent", reason: "it loops", scope: "everywhere" },
      ]);
      expect(await block("lift", "agent", "test-agent")).toMatchObject({ code: 2 });
      const lifted = await block("lift", "agent", "test-agent", "--why", "mended");
      expect(lifted).toMatchObject({ code: 0 });
      await eventually(async () => !(await isDenied(one)) && !(await isDenied(again)));
      await Promise.all([one.end(), again.end()]);
    },
  );

  test("hear of a block soon; how soon is printed", { timeout: 120_000 }, async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const config = configOf({ decisions: { store: "${env:DATABASE_URL}" } });
    const replicas = await Promise.all(
      [0, 1].map(() => startGateway(config, freshEnvironment({ DATABASE_URL: url }))),
    );
    await Promise.all(replicas.map((replica) => isDenied(replica)));
    const table = openBlockTable({ url, tenant: "default" });
    const subject = { kind: "agent", id: "test-agent" } as const;
    const slowest = { block: 0, lift: 0 };
    const heardAfter = async (wanted: boolean): Promise<number> => {
      const startedMs = performance.now();
      await Promise.all(
        replicas.map((replica) => eventually(async () => (await isDenied(replica)) === wanted)),
      );
      return performance.now() - startedMs;
    };
    for (let round = 0; round < 5; round += 1) {
      const at = new Date().toISOString();
      await table.add({ ...subject, by: "test", at, reason: null });
      slowest.block = Math.max(slowest.block, await heardAfter(true));
      await table.remove(subject);
      slowest.lift = Math.max(slowest.lift, await heardAfter(false));
    }
    expect((await table.read(undefined)).revision).toBe("10");
    await table.close();
    console.info("slowest of 5, both replicas, ms", slowest);
    await Promise.all(replicas.map((replica) => replica.end()));
  });

  test(
    "serve nobody where the store was never heard of, and then everybody",
    { timeout: 120_000 },
    async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      await postgres?.stop();
      const config = configOf({ decisions: { store: "${env:DATABASE_URL}" } });
      const env = freshEnvironment({ DATABASE_URL: url });
      const client = await startGateway(config, env);
      const refused = JSON.stringify(await client.call("ok__echo", { n: 1 }));
      expect(refused).toContain("state_unavailable");
      const shown = await runBin(["status", "-o", "json"], env);
      expect(JSON.parse(shown.stdout).items).toMatchObject([
        { state: "unable", blocks: { away: ["everywhere"] } },
      ]);
      await postgres?.start();
      await eventually(async () => {
        const answer = JSON.stringify(await client.call("ok__echo", { n: 1 }));
        return !answer.includes("state_unavailable");
      });
      await client.end();
    },
  );
});

test(
  "a gateway without a database is stopped from the command line, and shows on the admin socket",
  { timeout: 120_000 },
  async () => {
    const env = freshEnvironment();
    const config = configOf({});
    const client = await startGateway(config, env);
    expect(await isDenied(client)).toBe(false);
    const cli = async (...args: readonly string[]) => await runBin(args, env);
    const blocked = await cli("block", "tool", "ok/echo", "--config", config);
    expect(blocked.stdout).toBe("tool ok/echo is blocked on this machine\n");
    await eventually(async () => await isDenied(client));

    const shown = await cli("status", "-o", "json");
    const [status] = JSON.parse(shown.stdout).items;
    expect(status).toMatchObject({
      pid: client.child.pid,
      front: "stdio",
      state: "ready",
      posture: "strict",
      blocks: { count: 1, away: [] },
      spool: { store: "embedded", failure: null },
      bundles: [{ name: "ok", state: "active", active_revision: "1" }],
    });

    await cli("block", "lift", "tool", "ok/echo", "--why", "done", "--config", config);
    await eventually(async () => !(await isDenied(client)));
    await client.end();
    expect((await cli("status")).stderr).toContain("no gateway runs");

    const denials = await cli(
      "decision",
      "list",
      "--effect",
      "deny",
      "--config",
      config,
      "-o",
      "json",
    );
    const [denial] = JSON.parse(denials.stdout).items;
    expect(denial).toMatchObject({ server: "ok", tool: "echo", reasons: ["blocked"] });
    expect(denial.outcome).toBe("not_forwarded");
  },
);
