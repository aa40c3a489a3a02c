import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { startTcpProxy } from "../decision/tcp-proxy.ts";
import { runCli } from "../support/cli-run.ts";
import { eventually } from "../support/eventually.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

const waiting = `SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`;

describe.skipIf(postgres === undefined)("a postgres that goes away during a query", () => {
  test.each(["its connection is cut", "it ends the session"])(
    "because %s ends decision list with exit code 7",
    async (how) => {
      const url = (await postgres?.createDatabase()) ?? "";
      const proxy = await startTcpProxy(url);
      const folder = temporaryFolder();
      const list = await listing(folder, proxy.url);
      expect(await list()).toMatchObject({ exitCode: 0, err: "no decisions match" });

      const [locker, watcher] = [await connect(url), await connect(url)];
      await locker.query("BEGIN; LOCK TABLE mcp_gateway.decision IN ACCESS EXCLUSIVE MODE");
      const ended = list();
      await eventually(async () => (await watcher.query(waiting)).rowCount === 1);
      if (how === "its connection is cut") proxy.cut();
      else await watcher.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) AS them`);
      expect(await ended).toMatchObject({ exitCode: 7, out: "" });
      expect((await ended).err).toMatch(/^error: expected an answer .* \[database_unreachable\]$/);
      await Promise.all([locker.end(), watcher.end(), proxy.close()]);
    },
  );
});

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function listing(folder: string, store: string): Promise<() => ReturnType<typeof runCli>> {
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions: { store } };
  await writeFile(join(folder, "c.json"), JSON.stringify(config), { mode: 0o600 });
  const env = { HOME: folder, MCP_GATEWAY_STATE: join(folder, "state") };
  return () => runCli(["decision", "list", "--config", "c.json"], folder, env);
}
