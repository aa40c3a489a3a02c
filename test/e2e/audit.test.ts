/**
 * `audit verify` after real gateways have served, ended and been killed: the record is whole, also of
 * the one that had no time for a last checkpoint, until somebody touches it.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/database/postgres.ts";
import { encodeFrames, scanFrames, segmentHeaderBytes } from "../../src/decision/spool/frame.ts";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import type { Finished } from "../support/gateway-process.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { startRawClient } from "../support/raw-client.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

let layout = "";
beforeAll(async () => {
  layout = await buildLayout({ ok: allowAll });
});

/** Calls, and the end: of its own, or by force once the calls are covered by a checkpoint. */
async function serve(
  config: string,
  env: Record<string, string>,
  end: "input" | "kill",
): Promise<void> {
  const client = await startRawClient(serveCommand(config, env));
  for (let n = 0; n < 3; n += 1) await client.call("ok__echo", { n });
  const exited = once(client.child, "exit");
  if (end === "kill") {
    // One that is made from here on covers what was called before.
    const before = await checkpointsOf(env);
    await client.call("ok__echo", { n: 3 });
    await eventually(async () => (await checkpointsOf(env)) > before);
    client.child.kill("SIGKILL");
  } else client.child.stdin.end();
  await exited;
}

async function checkpointsOf(env: Record<string, string>): Promise<number> {
  const folder = join(env["MCP_GATEWAY_STATE"] ?? "", "checkpoints");
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    name.endsWith(".checkpoints"),
  );
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return texts.join("").split("\n").length;
}

function configOf(more: object): string {
  return writeFixtureConfig({ ok: { policy: `oci-layout:${layout}:ok` } }, { ...more });
}

const audit = async (config: string, env: Record<string, string>): Promise<Finished> =>
  await runBin(["audit", "verify", "-o", "json", "--config", config], env);

describe("audit verify", { timeout: 120_000 }, () => {
  test("finds one changed byte in a spool whose checksums were made right again", async () => {
    const config = configOf({ decisions: { checkpoints: { every: "1s" } } });
    const env = freshEnvironment({});
    await serve(config, env, "kill");
    await serve(config, env, "input");
    const before = await audit(config, env);
    expect(before.code, before.stderr).toBe(0);
    expect(JSON.parse(before.stdout)).toMatchObject({ writers: 2, problems: [] });

    await changeSpool(join(env["MCP_GATEWAY_STATE"] ?? "", "spool", "embedded"));
    const after = await audit(config, env);
    expect(after.code).toBe(8);
    expect(JSON.parse(after.stdout).problems[0]).toMatchObject({ kind: "edited" });
  });

  test.runIf(postgres !== undefined)("finds a row that is gone from Postgres", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const config = configOf({
      decisions: { store: "${env:DATABASE_URL}", checkpoints: { every: "1s" } },
    });
    const env = freshEnvironment({ DATABASE_URL: url });
    await serve(config, env, "kill");
    await serve(config, env, "input");
    const before = await audit(config, env);
    expect(before.code, before.stderr + before.stdout).toBe(0);

    const database = await openPostgres(url);
    await database.query("DELETE FROM mcp_gateway.decision WHERE kind = 'outcome' AND seq = 4");
    await database.close();
    const after = await audit(config, env);
    expect(after.code).toBe(8);
    expect(JSON.parse(after.stdout).problems[0]).toMatchObject({ kind: "missing", seq: 4 });
  });
});

/** Another agent in the first record of a call, in a frame that fits. */
async function changeSpool(spool: string): Promise<void> {
  const [writer = ""] = (await readdir(spool)).filter((name) => !name.startsWith("."));
  const [segment = ""] = (await readdir(join(spool, writer))).filter((name) =>
    name.endsWith(".seg"),
  );
  const path = join(spool, writer, segment);
  const bytes = await readFile(path);
  const { frames } = scanFrames(bytes.subarray(segmentHeaderBytes), segmentHeaderBytes, true);
  const texts = frames.map(({ payload }) => payload.toString("utf8"));
  const changed = texts.map((text) => text.replaceAll('"test-agent"', '"next-agent"'));
  expect(changed).not.toEqual(texts);
  await writeFile(
    path,
    Buffer.concat([bytes.subarray(0, segmentHeaderBytes), encodeFrames(changed)]),
  );
}
