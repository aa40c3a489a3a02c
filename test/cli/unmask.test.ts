/**
 * `decision get --unmask`, with the shipped program: who has the private key sees what a record hides,
 * and that they looked is on record before they do.
 */
import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { unmask } from "../../src/cli/decision/unmask.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { called, masked, openMask } from "../decision/masking/open-mask.ts";
import { outcome } from "../decision/sample-records.ts";
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
const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { cwd: folder });

beforeAll(() => {
  openssl("genpkey", "-algorithm", "X25519", "-out", "unmask.pem");
  openssl("pkey", "-in", "unmask.pem", "-pubout", "-out", "unmask.pub.pem");
});

/** A gateway that has recorded one call with a secret in it. */
async function recorded(masking: object) {
  const config = writeFixtureConfig({ ok: {} }, { decisions: { masking } });
  const env = freshEnvironment({});
  const client = await startRawClient(serveCommand(config, env));
  await client.request("tools/list");
  await client.call("ok__echo", { note: `use ${secret}` });
  await client.end();
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    await runBin(["decision", ...args, "-o", "json", "--config", config], { ...env, ...more });
  return { run, env, config };
}

const get = ["get", "last", "--unmask"];
const why = ["--why", "ticket 12"];

test(
  "shows the originals, after it is on record who looked, why and with which key",
  { timeout: timeoutMs },
  async () => {
    const { run, env } = await recorded({ recipients: [`\${file:${file("unmask.pub.pem")}}`] });
    const plain = await run(["get", "last"]);
    expect(plain.stdout).not.toContain(secret);
    expect(plain.stdout).toContain("masked:hmac:");
    const { decision_id: id, admission } = JSON.parse(plain.stdout);
    expect(admission).toMatchObject({ masked: ["/input/action/args/note"] });

    const shown = await run(["get", id, "--unmask", ...why, "--key", file("unmask.pem")]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(shown.stdout).admission.input.action.args).toEqual({ note: `use ${secret}` });

    const { items } = JSON.parse((await run(["list", "--kind", "admin"])).stdout);
    expect(items).toMatchObject([
      { action: "unmask", subject: `decision ${id}`, reason: "ticket 12" },
    ]);
    const der = openssl("pkey", "-in", "unmask.pem", "-pubout", "-outform", "DER");
    const note = await run(["get", items[0].decision_id]);
    expect(note.stdout).toContain(createHash("sha256").update(der).digest("hex").slice(0, 16));
    expect(readFileSync(join(String(env["MCP_GATEWAY_STATE"]), "mask.key"), "utf8")).toMatch(
      /^[0-9a-f]{64}$/,
    );
  },
);

test(
  "opens with a key from the environment and with one that has a password",
  { timeout: timeoutMs },
  async () => {
    openssl("pkey", "-in", "unmask.pem", "-aes256", "-passout", "pass:tiger", "-out", "locked.pem");
    const { run } = await recorded({ recipients: [readFileSync(file("unmask.pub.pem"), "utf8")] });
    const key = readFileSync(file("unmask.pem"), "utf8");
    const byVariable = await run([...get, ...why, "--key", "env://MINE"], { MINE: key });
    expect(byVariable).toMatchObject({ code: 0, stdout: expect.stringContaining(secret) });
    const locked = [...get, ...why, "--key", file("locked.pem")];
    const closed = await run(locked);
    expect(closed).toMatchObject({ code: 3, stdout: "" });
    expect(closed.stderr).toContain("MCP_GATEWAY_UNMASK_PASSWORD");
    // The last record is the decision still: nobody looked with what does not open.
    const opened = await run(locked, { MCP_GATEWAY_UNMASK_PASSWORD: "tiger" });
    expect(opened).toMatchObject({ code: 0, stdout: expect.stringContaining(secret) });
  },
);

test("wants a reason, a key, and one that opens", { timeout: timeoutMs }, async () => {
  const { run } = await recorded({ recipients: [`\${file:${file("unmask.pub.pem")}}`] });
  const refusals = [
    { args: [], code: 2, said: "expected --why TEXT" },
    { args: why, code: 2, said: "expected --key FILE or --key env://NAME" },
    { args: [...why, "--key", file("none.pem")], code: 2, said: "cannot read the key" },
    { args: [...why, "--key", file("unmask.pub.pem")], code: 3, said: "found a public key" },
  ];
  for (const { args, code, said } of refusals) {
    const refused = await run([...get, ...args]);
    expect(refused).toMatchObject({ code, stdout: "" });
    expect(refused.stderr).toContain(said);
  }
  expect(JSON.parse((await run(["list", "--kind", "admin"])).stdout).items).toEqual([]);

  openssl("genpkey", "-algorithm", "X25519", "-out", "other.pem");
  const stranger = await run([...get, ...why, "--key", file("other.pem")]);
  expect(stranger).toMatchObject({ code: 9, stdout: "" });
  expect(stranger.stderr).toContain("unmask_refused");
  expect(stranger.stderr).not.toContain(secret);
  const { items } = JSON.parse((await run(["list", "--kind", "admin"])).stdout);
  expect(items).toMatchObject([{ action: "unmask", reason: "ticket 12" }]);

  const needless = await run(["get", "last", "--key", file("unmask.pem")]);
  expect(needless).toMatchObject({ code: 2, stdout: "" });
  expect(needless.stderr).toContain("--key is about --unmask");
  for (const more of [
    ["--unmask", ...why],
    ["--key", file("unmask.pem")],
  ]) {
    const ignored = await run(["get", "last", "--as-test", ...more]);
    expect(ignored).toMatchObject({ code: 2, stdout: "" });
    expect(ignored.stderr).toContain("--as-test goes without --unmask and --key");
  }
});

test("shows nothing where it cannot be recorded that somebody looked", async () => {
  const blocked = join(temporaryFolder(), "file");
  writeFileSync(blocked, "");
  const config = writeFixtureConfig({});
  const { privateKey: key } = generateKeyPairSync("x25519");
  const whole = { decision_id: "x", admission: { kind: "admission", masked: ["/input/a"] } };
  const loaded = loadConfig({ path: config, env: {} });
  const place = { config: loaded.config, stateDir: join(blocked, "state"), why: "ticket 12", key };
  // The record could not be opened either: what is refused first is looking without a record.
  await expect(unmask(silentIo, whole, place)).rejects.not.toMatchObject({
    code: "unmask_refused",
  });
  const usable = { ...place, stateDir: temporaryFolder() };
  await expect(unmask(silentIo, whole, usable)).rejects.toMatchObject({ code: "unmask_refused" });
});

test("opens what is of the row that was asked for, and says which part stays masked", async () => {
  const { publicKey, privateKey: key } = generateKeyPairSync("x25519");
  const mask = openMask({ recipients: [publicKey], secrets: ["configured-secret-1"] });
  const admissionOf = (decisionId: string, note: string) =>
    masked(mask, called({ note }, { decisionId })).event;
  const notes: string[] = [];
  const { config } = loadConfig({ path: writeFixtureConfig({}), env: {} });
  const place = { config, stateDir: temporaryFolder(), why: "ticket 12", key };
  const io = { ...silentIo, err: (line: string) => notes.push(line) };
  const opened = async (parts: object) =>
    JSON.stringify(await unmask(io, { decision_id: "a", ...parts }, place));
  const refusal = expect.objectContaining({ code: "unmask_refused" });

  const own = admissionOf("a", secret);
  const other = admissionOf("b", secret);
  const closed = admissionOf("a", "configured-secret-1");
  const { masked: _, sealed: _sealed, ...ended } = masked(mask, outcome("a")).event;
  const outcomeOf = (more: object) => ({ ...ended, ...more });
  expect(await opened({ admission: own, outcome_record: ended })).toContain(secret);
  expect(notes).toEqual([]);
  for (const admission of [other, closed, outcomeOf({ masked: ["/a"] })])
    await expect(opened({ admission, outcome_record: ended })).rejects.toEqual(refusal);
  await expect(opened({ kind: "admin", record: own })).rejects.toEqual(refusal);

  const parts = { admission: own, outcome_record: outcomeOf({ masked: ["/error/message"] }) };
  const shown = await opened(parts);
  expect(shown).toContain(secret);
  expect(JSON.parse(shown)).toMatchObject({ outcome_record: { masked: ["/error/message"] } });
  expect(notes).toEqual([expect.stringContaining("note: outcome_record stays masked: expected")]);
});
