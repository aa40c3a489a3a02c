/**
 * `decision get --unmask`, with the shipped program: who holds the key sees what a record hides, and
 * that they looked is on record before they do.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unmask } from "../../src/cli/decision/unmask.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const silentIo: CliIo = {
  out: () => {},
  err: () => {},
  env: {},
  cwd: "/",
  readStdin: () => Promise.resolve(""),
  columns: undefined,
  exit: () => {},
};
const timeoutMs = 120_000;
const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const key = randomBytes(32).toString("hex");

/** A gateway that has recorded one call with a secret in it. */
async function recorded(masking: object, more: Readonly<Record<string, string>> = {}) {
  const config = writeFixtureConfig({ ok: {} }, { decisions: { masking } });
  const env = freshEnvironment({ UNMASK_KEY: key, ...more });
  const client = await startRawClient(serveCommand(config, env));
  await client.request("tools/list");
  await client.call("ok__echo", { note: `use ${secret}` });
  await client.end();
  const run = async (...args: readonly string[]) =>
    await runBin(["decision", ...args, "-o", "json", "--config", config], env);
  return { run, env };
}

test(
  "shows the originals, after it is on record who looked and why",
  { timeout: timeoutMs },
  async () => {
    const { run, env } = await recorded({ unmask_key: "${env:UNMASK_KEY}" });
    const plain = await run("get", "last");
    expect(plain.stdout).not.toContain(secret);
    expect(plain.stdout).toContain("masked:hmac:");
    const { decision_id: id, admission } = JSON.parse(plain.stdout);
    expect(admission).toMatchObject({ masked: ["/input/action/args/note"] });

    const shown = await run("get", "last", "--unmask", "--why", "ticket 12");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(shown.stdout).admission.input.action.args).toEqual({ note: `use ${secret}` });

    const { items } = JSON.parse((await run("list", "--kind", "admin")).stdout);
    expect(items).toMatchObject([
      { action: "unmask", subject: `decision ${id}`, reason: "ticket 12" },
    ]);
    expect(readFileSync(join(String(env["MCP_GATEWAY_STATE"]), "mask.key"), "utf8")).toMatch(
      /^[0-9a-f]{64}$/,
    );
  },
);

test("wants a reason, a key, and originals that were kept", { timeout: timeoutMs }, async () => {
  const { run } = await recorded({});
  expect(await run("get", "last", "--unmask")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("expected --why TEXT"),
  });
  const keyless = await run("get", "last", "--unmask", "--why", "ticket 12");
  expect(keyless).toMatchObject({ code: 2, stdout: "" });
  expect(keyless.stderr).toContain("decisions.masking.unmask_key");
});

test("shows nothing where it cannot be recorded that somebody looked", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  const config = writeFixtureConfig({}, { decisions: { masking: { unmask_key: key } } });
  const whole = { decision_id: "x", admission: { kind: "admission", masked: ["/input/a"] } };
  const loaded = loadConfig({ path: config, env: {} });
  const place = { config: loaded.config, stateDir: join(file, "state"), why: "ticket 12" };
  // The record could not be opened either: what is refused first is looking without a record.
  await expect(unmask(silentIo, whole, place)).rejects.not.toMatchObject({
    code: "unmask_refused",
  });
  const usable = { ...place, stateDir: temporaryFolder() };
  await expect(unmask(silentIo, whole, usable)).rejects.toMatchObject({ code: "unmask_refused" });
});
