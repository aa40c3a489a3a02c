/**
 * `mcp-gateway.lock.json`: what `bundle lock` writes, and what `validate` and `serve` make of it.
 */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildLayout, allowAll } from "../../support/policy-layout.ts";
import { createLockWorld } from "./lock-world.ts";

async function lockedWorld(server: object = {}, policy: object = {}) {
  const world = await createLockWorld(server, policy);
  const v1 = world.push("crm", "1.0.0");
  const rules = world.push("rules", "1.0.0", "workflow");
  const done = await world.cli("bundle", "lock");
  expect(done, done.err).toMatchObject({ exitCode: 0 });
  return { ...world, v1, rulesDigest: rules };
}

describe("bundle lock", () => {
  test("writes what every source has, in an order that does not change, for everybody to read", async () => {
    const { lock, lockPath, v1, reference, rulesDigest, cli } = await lockedWorld();
    expect(lock()).toMatchObject({
      version: 1,
      bundles: {
        crm: { reference, digest: v1, version: { id: v1 }, revision: "1.0.0", signers: [] },
        rules: { digest: rulesDigest },
      },
      servers: {},
    });
    const text = readFileSync(lockPath, "utf8");
    expect(text).toMatch(
      /^\{\n {2}"version": 1,\n {2}"bundles": \{\n {4}"crm": \{\n {6}"reference"/,
    );
    expect(text.endsWith("}\n")).toBe(true);
    expect(statSync(lockPath).mode & 0o777).toBe(0o644);
    const again = await cli("bundle", "lock");
    expect(again.err).toContain("is up to date");
    expect(readFileSync(lockPath, "utf8")).toBe(text);
  });

  test("moves only what is named", async () => {
    const { push, cli, lock, rulesDigest } = await lockedWorld();
    const v2 = push("crm", "2.0.0");
    push("rules", "2.0.0", "workflow");
    const done = await cli("bundle", "lock", "crm", "-o", "json");
    expect(JSON.parse(done.out).items).toMatchObject([
      { name: "crm", state: "moved", digest: v2 },
      { name: "rules", state: "unchanged" },
    ]);
    expect(lock().bundles).toMatchObject({ crm: { digest: v2 }, rules: { digest: rulesDigest } });
  });

  test("--check writes nothing and ends with 5 where it would", async () => {
    const { push, cli, lockPath } = await lockedWorld();
    expect(await cli("bundle", "lock", "--check")).toMatchObject({ exitCode: 0 });
    const text = readFileSync(lockPath, "utf8");
    push("crm", "2.0.0");
    const done = await cli("bundle", "lock", "--check");
    expect(done).toMatchObject({ exitCode: 5 });
    expect(done.err).toContain("found crm to change; run bundle lock");
    expect(readFileSync(lockPath, "utf8")).toBe(text);
  });

  test("refuses what a gateway would refuse, and leaves the lock as it was", async () => {
    const { push, cli, lockPath, registry } = await lockedWorld();
    const text = readFileSync(lockPath, "utf8");
    const other = push("rules", "9.0.0", "workflow");
    registry.manifests.set(
      "crm",
      registry.manifests.get(other) ?? { bytes: Buffer.alloc(0), mediaType: "" },
    );
    const done = await cli("bundle", "lock");
    expect(done).toMatchObject({ exitCode: 8 });
    expect(done.err).toContain("[bundle_name_mismatch]");
    expect(readFileSync(lockPath, "utf8")).toBe(text);
  });

  test("refuses what nobody signed where the source requires a signature", async () => {
    const world = await createLockWorld({}, { require: "none" });
    const { publicKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKey = key.export({ type: "spki", format: "pem" });
    world.write({
      ...world.config,
      trust: { me: { type: "cosign-key", key: publicKey } },
    });
    world.push("crm", "1.0.0");
    world.push("rules", "1.0.0", "workflow");
    const done = await world.cli("bundle", "lock");
    expect(done).toMatchObject({ exitCode: 8 });
    expect(done.err).toContain('bundle "rules"');
    expect(done.err).toContain("[bundle_unverified]");
  });

  test("names what is configured where it is asked for something else", async () => {
    const { cli } = await lockedWorld();
    const done = await cli("bundle", "lock", "nobody");
    expect(done).toMatchObject({ exitCode: 2 });
    expect(done.err).toContain('found "nobody"; the configuration has crm, rules');
  });

  test("forgets who is not configured any more, where all are locked", async () => {
    const { cli, config, write, lock } = await lockedWorld();
    write({ ...config, layers: [] });
    expect((await cli("validate")).err).toContain(
      'warning: mcp-gateway.lock.json has an entry for "rules", which is not configured',
    );
    const done = await cli("bundle", "lock", "-o", "json");
    expect(JSON.parse(done.out).items[1]).toMatchObject({ name: "rules", state: "removed" });
    expect(Object.keys(lock().bundles)).toEqual(["crm"]);
  });

  test("has folders relative to itself, so that it means the same elsewhere", async () => {
    const { folder, config, write, cli, lock } = await lockedWorld();
    const layout = await buildLayout({ crm: allowAll });
    const crm = { command: process.execPath, policy: `oci-layout:${layout}:crm` };
    write({ ...config, servers: { crm }, layers: [] });
    expect(await cli("bundle", "lock")).toMatchObject({ exitCode: 0 });
    const { reference } = lock().bundles.crm;
    expect(reference).toMatch(/^oci-layout:\.\.\/.*layout:crm$/);
    expect(join(folder, reference.slice("oci-layout:".length))).toBe(`${layout}:crm`);
    expect((await cli("validate", "--frozen")).err).toContain("1 bundle loaded, 1 locked");
  }, 60_000);

  test("--lowest keeps anything older from being locked, and says so", async () => {
    const { cli, push, lock } = await lockedWorld();
    push("crm", "1.4.0");
    expect(await cli("bundle", "lock", "crm", "--lowest")).toMatchObject({ exitCode: 0 });
    expect(lock().bundles.crm.lowest_revision).toBe("1.4.0");
    push("crm", "1.3.9");
    const older = await cli("bundle", "lock");
    expect(older).toMatchObject({ exitCode: 8 });
    expect(older.err).toContain('expected revision "1.4.0" or later');
    push("crm", "1.5.0");
    expect(await cli("bundle", "lock")).toMatchObject({ exitCode: 0 });
    expect(lock().bundles.crm).toMatchObject({ lowest_revision: "1.4.0", revision: "1.5.0" });
  });

  test("--lowest wants a revision that others can be older than", async () => {
    const { cli, push } = await lockedWorld();
    push("crm", "4f2c91");
    const done = await cli("bundle", "lock", "crm", "--lowest");
    expect(done.err).toContain(
      'expected a semantic version as its revision for --lowest, found "4f2c91"',
    );
    expect(done).toMatchObject({ exitCode: 3 });
  });
});

describe("a lock", () => {
  test("satisfies require: digest, which its sources have by default", async () => {
    const { cli, lockPath } = await lockedWorld();
    const done = await cli("validate", "--online");
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.err).toContain("2 bundles loaded, 2 locked");
    await rm(lockPath);
    const without = await cli("validate", "--online");
    expect(without).toMatchObject({ exitCode: 3 });
    expect(without.err).toContain("lock it with bundle lock");
    expect((await cli("validate")).err).toContain("lock it with bundle lock crm");
  });

  test("is what validate looks at, whatever the tag has become", async () => {
    const { cli, push, v1 } = await lockedWorld();
    push("crm", "2.0.0");
    const { out } = await cli("validate", "--online", "-o", "json");
    expect(JSON.parse(out).bundles[0]).toMatchObject({ digest: v1, locked: true });
  });

  test("for another reference is a warning, and with --frozen a problem at its place", async () => {
    const { cli, config, write, reference } = await lockedWorld();
    const policy = { bundle: reference.replace(":crm", ":other"), require: "none" };
    write({ ...config, servers: { crm: { command: process.execPath, policy } } });
    const message = `expected the entry "crm" of mcp-gateway.lock.json to be for ${policy.bundle}, found ${reference}; it is not used`;
    const done = await cli("validate");
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.err).toContain(`warning: servers.crm.policy: ${message}`);
    const frozen = await cli("validate", "--frozen");
    expect(frozen).toMatchObject({ exitCode: 3 });
    expect(frozen.err).toMatch(
      /config\.json:\d+:\d+: servers\.crm\.policy: expected the entry "crm"/,
    );
    const served = await cli("serve", "--stdio", "--frozen");
    expect(served).toMatchObject({ exitCode: 3 });
    expect(served.err).toContain(message);
  });

  test("without an entry for a source is a problem with --frozen alone", async () => {
    const { cli, lock, writeLock } = await lockedWorld({}, { require: "none" });
    const { bundles, ...rest } = lock();
    writeLock({ ...rest, bundles: { rules: bundles.rules } });
    expect(await cli("validate")).toMatchObject({ exitCode: 0 });
    const served = await cli("serve", "--stdio", "--frozen");
    expect(served).toMatchObject({ exitCode: 3 });
    expect(served.err).toContain(
      'servers.crm.policy: expected an entry "crm" in mcp-gateway.lock.json, found none; run bundle lock crm',
    );
  });

  test("that is not there is a problem with --frozen", async () => {
    const { cli } = await createLockWorld();
    const served = await cli("serve", "--stdio", "--frozen");
    expect(served).toMatchObject({ exitCode: 3 });
    expect(served.err).toContain("2 problems with the lock");
  });

  test.each([
    ["no JSON", '{\n  "version": 1,\n  "bundles": {', ":3:"],
    ["an unknown key", '{\n  "version": 1,\n  "bundle": {}\n}', "unrecognized key"],
    ["another version", '{\n  "version": 2\n}', ":2:14: version: "],
    [
      "a digest that is none",
      '{\n "version": 1,\n "bundles": {"crm": {"reference": "oci://h/r:1", "digest": "sha256:1",\n "version": {"id": "x"}, "revision": "1", "size": 1, "signers": [], "resolved_at": "x"}}\n}',
      ":3:60: bundles.crm.digest: expected sha256:",
    ],
  ])("with %s is an error with its place, and nothing starts", async (_, text, place) => {
    const { cli, writeLock } = await createLockWorld();
    writeLock(text);
    for (const command of [["serve", "--stdio"], ["validate"], ["bundle", "lock"]]) {
      const done = await cli(...command);
      expect(done, done.err).toMatchObject({ exitCode: 3 });
      expect(done.err).toContain("[bundle_lock_invalid]");
      expect(done.err).toContain(place);
    }
  });
});
