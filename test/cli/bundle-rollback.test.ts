import { generateKeyPairSync } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noteActivation } from "../../src/bundle/life/history-changes.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { createWorld, entryOf, mark, me, why } from "./bundle-world.ts";

describe("bundle rollback", () => {
  test("holds the source at the bundle before, with a record of who and why, and no registry", async () => {
    const { cli, history, records, v1, v2, reference } = await createWorld();
    const done = await cli("bundle", "rollback", "crm", ...why, "-o", "json");
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.err).toContain('"crm" is held at revision "v1"');
    const { hold, active } = await history();
    expect(hold).toMatchObject({ digest: v1, by: me, why: "refunds are denied" });
    // What is active is the gateway's to say.
    expect(active?.digest).toBe(v2);
    const [record, ...others] = await records();
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      kind: "activation",
      event: "held",
      layer: "crm",
      layer_kind: "server",
      reference,
      digest: v1,
      previous_digest: v2,
      revision: "v1",
      by: me,
      why: "refunds are denied",
      code: null,
    });
    expect(JSON.parse(done.out)).toMatchObject({
      event: "held",
      digest: v1,
      previous: v2,
      decision_id: record?.["decision_id"],
    });
  });

  test("goes to the bundle that --to begins, and prints its digest", async () => {
    const { cli, history, v2 } = await createWorld();
    const to = v2.slice("sha256:".length, "sha256:".length + 12);
    const done = await cli("bundle", "rollback", "crm", "--to", to, ...why);
    expect(done).toMatchObject({ exitCode: 0, out: v2 });
    expect((await history()).hold?.digest).toBe(v2);
  });

  test("a second time goes one further back, and then says that there is none", async () => {
    const { change, cli, history, v1, v2, v3 } = await createWorld();
    await change((before) => noteActivation(before, entryOf(v3, "v3"), mark));
    const follow = async (digest: typeof v1, revision: string) =>
      await change((before) => noteActivation(before, entryOf(digest, revision), mark, "chosen"));
    expect(await cli("bundle", "rollback", "crm", ...why)).toMatchObject({ exitCode: 0, out: v2 });
    await follow(v2, "v2");
    expect(await cli("bundle", "rollback", "crm", ...why)).toMatchObject({ exitCode: 0, out: v1 });
    await follow(v1, "v1");
    const again = await cli("bundle", "rollback", "crm", ...why);
    expect(again).toMatchObject({ exitCode: 2, out: "" });
    expect(again.err).toContain("nobody revoked or rolled back from");
    expect(again.err).toContain("--to DIGEST");
    expect((await history()).hold?.digest).toBe(v1);
  });

  test("a second time before a gateway followed needs the bundle by name", async () => {
    const { cli, history, v1 } = await createWorld();
    await cli("bundle", "rollback", "crm", ...why);
    const again = await cli("bundle", "rollback", "crm", ...why);
    expect(again).toMatchObject({ exitCode: 2, out: "" });
    expect(again.err).toContain("no gateway has followed yet; name the bundle with --to DIGEST");
    expect((await history()).hold?.digest).toBe(v1);
  });

  test("leads back from a bundle that somebody activated", async () => {
    const { change, cli, v2, v3 } = await createWorld({ activation: "manual" });
    await cli("bundle", "activate", "crm", v3, ...why);
    await change((before) => noteActivation(before, entryOf(v3, "v3"), mark, "chosen"));
    expect(await cli("bundle", "rollback", "crm", ...why)).toMatchObject({ exitCode: 0, out: v2 });
  });

  test.each([
    ["without --why", ["crm"], "expected --why TEXT"],
    ["with an empty --why", ["crm", "--why", " "], "expected --why TEXT"],
    ["with a --why past its bound", ["crm", "--why", "x".repeat(1001)], "1001 characters"],
    ["of an unknown name", ["crn", ...why], 'found "crn"; it has crm, bare'],
    ["of a server without policy", ["bare", ...why], "servers.bare.policy"],
    ["to a text that is no digest", ["crm", ...why, "--to", "latest"], "12 hexadecimal digits"],
    ["to eleven digits", ["crm", ...why, "--to", "0123456789a"], "12 hexadecimal digits"],
    ["to a prefix of none", ["crm", ...why, "--to", "0".repeat(12)], "found none"],
    [
      "to a whole digest that was never active",
      ["crm", ...why, "--to", sha256Of("other")],
      "expected a bundle that was active",
    ],
  ])("%s is exit code 2 and changes nothing", async (_, args, message) => {
    const { cli, history, records } = await createWorld();
    const refused = await cli("bundle", "rollback", ...args);
    expect(refused).toMatchObject({ exitCode: 2, out: "" });
    expect(refused.err).toContain(message);
    expect((await history()).hold).toBeNull();
    expect(await records()).toEqual([]);
  });

  test("to a prefix of two is exit code 2", async () => {
    const { cli, change, history } = await createWorld();
    const twins = [`${"a".repeat(63)}1`, `${"a".repeat(63)}2`] as const;
    for (const hex of twins) {
      await change((before) => noteActivation(before, entryOf(`sha256:${hex}`, hex), mark));
    }
    const refused = await cli("bundle", "rollback", "crm", "--to", "a".repeat(12), ...why);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.err).toContain(twins[0]);
    expect((await history()).hold).toBeNull();
  });

  test("with nothing before is exit code 2", async () => {
    const { cli, change } = await createWorld();
    await change((before) => ({ ...before, previous: [] }));
    const refused = await cli("bundle", "rollback", "crm", ...why);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.err).toContain("that was active before");
  });

  test("to a revoked bundle is exit code 8 and says who revoked it", async () => {
    const { cli, history, records, v1 } = await createWorld();
    await cli("bundle", "revoke", "crm", v1, "--why", "grants too much");
    const refused = await cli("bundle", "rollback", "crm", "--to", v1, ...why);
    expect(refused).toMatchObject({ exitCode: 8, out: "" });
    expect(refused.err).toContain("grants too much");
    expect((await history()).hold).toBeNull();
    expect(await records()).toEqual([expect.objectContaining({ event: "revoked" })]);
  });

  test("to a bundle that is damaged or gone from the cache changes nothing", async () => {
    const { cli, cacheDir, history, records, v1 } = await createWorld();
    const blob = join(cacheDir, "blobs", "sha256", v1.slice(7));
    const bytes = await readFile(blob);
    await writeFile(blob, Buffer.concat([bytes, Buffer.from(" ")]));
    const damaged = await cli("bundle", "rollback", "crm", ...why);
    expect(damaged).toMatchObject({ exitCode: 8, out: "" });
    expect(damaged.err).toContain("nothing was changed");
    await rm(blob);
    expect(await cli("bundle", "rollback", "crm", ...why)).toMatchObject({ exitCode: 7 });
    expect((await history()).hold).toBeNull();
    expect(await records()).toEqual([]);
  });

  test("to a bundle that nobody vouches for any more changes nothing", async () => {
    const { cli, folder, history, reference } = await createWorld();
    const path = join(folder, "mcp-gateway.config.json");
    const config = JSON.parse(await readFile(path, "utf8"));
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = String(publicKey.export({ type: "spki", format: "pem" }));
    config.trust = { release: { type: "cosign-key", key } };
    config.servers.crm.policy = { bundle: reference, require: "signature", signers: ["release"] };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    const refused = await cli("bundle", "rollback", "crm", ...why);
    expect(refused).toMatchObject({ exitCode: 8, out: "" });
    expect(refused.err).toContain("[bundle_unverified]");
    expect((await history()).hold).toBeNull();
  });

  test("changes nothing where it cannot be recorded", async () => {
    const { cli, history, stateDir } = await createWorld();
    await writeFile(join(stateDir, "spool"), "in the way");
    const refused = await cli("bundle", "rollback", "crm", ...why);
    expect(refused).toMatchObject({ exitCode: 1, out: "" });
    expect((await history()).hold).toBeNull();
  });

  test("of a history that is broken is exit code 1 and says which file", async () => {
    const { cli, stateDir } = await createWorld();
    const [name = ""] = (await readdir(join(stateDir, "bundles"))).filter((one) =>
      one.endsWith(".json"),
    );
    await writeFile(join(stateDir, "bundles", name), "{}");
    const refused = await cli("bundle", "rollback", "crm", ...why);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.err).toContain(name);
    expect(await cli("bundle", "gc")).toMatchObject({ exitCode: 1, out: "" });
  });

  test("under sudo records the person in front of the user", async () => {
    const { cliAs, records } = await createWorld();
    await cliAs({ SUDO_USER: "carol" }, "bundle", "rollback", "crm", ...why);
    expect((await records())[0]).toMatchObject({ by: `carol as ${me}` });
  });

  test.each(["a b", "x".repeat(65), "a\nb", ""])("takes %j for no person", async (name) => {
    const { cliAs, records } = await createWorld();
    await cliAs({ SUDO_USER: name }, "bundle", "rollback", "crm", ...why);
    expect((await records())[0]).toMatchObject({ by: me });
  });
});
