/**
 * The commands on releases: what they make, what they refuse, and that a refusal leaves the lock as
 * it was.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { changeLock } from "../../src/bundle/lock/lock-file.ts";
import { emptyLock } from "../../src/bundle/lock/lock-document.ts";
import { systemClock } from "../../src/config/ambient.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { acquireProcessLock } from "../../src/database/process-lock.ts";
import { createLockWorld } from "../bundle/lock/lock-world.ts";
import { program } from "../e2e/release-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const why = ["--why", "as planned"];
const patienceMs = 60_000;

async function createWorld() {
  const world = await createLockWorld(
    { args: ["server.mjs", "${release.version}"] },
    { require: "none" },
  );
  writeFileSync(join(world.folder, "server.mjs"), program);
  const crm = world.push("crm", "1.0.0");
  const rules = world.push("rules", "1.0.0", "workflow");
  const releases = `oci-layout:${join(world.folder, "releases")}`;
  const make = async (version: string, ...more: readonly string[]): Promise<string> => {
    const reference = `${releases}:${version}`;
    const options = ["--package", `@acme/crm@${version}`, "--push", reference, ...more];
    const done = await world.cli("server", "release", "crm", ...options);
    expect(done, done.err).toMatchObject({ exitCode: 0 });
    return reference;
  };
  const upgrade = async (reference: string) =>
    await world.cli("server", "upgrade", "crm", reference, ...why);
  const hasLock = (): boolean => existsSync(world.lockPath);
  return { ...world, crm, rules, releases, make, upgrade, hasLock };
}

describe("server release", () => {
  test(
    "names an image by its digest, which is the version that the program is started with",
    async () => {
      const { cli, crm, make, releases, upgrade, lock } = await createWorld();
      const digest = `sha256:${"a".repeat(64)}`;
      const image = ["--image", `registry.example/crm-mcp@${digest}`];
      const done = await cli("server", "release", "crm", ...image);
      expect(JSON.parse(done.out)).toMatchObject({
        package: { image: "registry.example/crm-mcp", digest },
        server_info: { name: "crm", version: digest },
        bundle: { digest: crm, revision: "1.0.0" },
      });
      await cli("server", "release", "crm", ...image, "--push", `${releases}:image`);
      const taken = await upgrade(`${releases}:image`);
      expect(taken, taken.err).toMatchObject({ exitCode: 0 });
      expect(lock().servers.crm.release.package).toMatchObject({ digest });
      expect(await upgrade(await make("1.0.0"))).toMatchObject({ exitCode: 0 });
      expect(lock().servers.crm.history).toHaveLength(1);
    },
    patienceMs,
  );

  test.each([
    ["no program", []],
    ["two programs", ["--package", "a@1", "--image", `b@sha256:${"a".repeat(64)}`]],
    ["a package without a version", ["--package", "@acme/crm"]],
    ["a version that is an option", ["--package", "a@--inspect"]],
    ["an image by its tag", ["--image", "registry.example/crm@latest"]],
    ["an agent without a version", ["--package", "a@1", "--agent", "bot"]],
    ["an agent without a name", ["--package", "a@1", "--agent", "@1"]],
    ["an agent with an empty version", ["--package", "a@1", "--agent", "bot@"]],
  ])("refuses %s", async (_, options) => {
    const { cli } = await createWorld();
    const done = await cli("server", "release", "crm", ...options);
    expect(done).toMatchObject({ exitCode: 2, out: "" });
    expect(done.err).toContain("expected ");
  });

  test(
    "names agents in an order that does not change, each version once",
    async () => {
      const { cli } = await createWorld();
      const agents = ["z@1", "bot@2.4.0", "bot@2.3.1", "bot@2.4.0", "constructor@1"];
      const options = agents.flatMap((agent) => ["--agent", agent]);
      const done = await cli("server", "release", "crm", "--package", "a@1", ...options);
      expect(JSON.stringify(JSON.parse(done.out).agents)).toBe(
        '{"bot":["2.3.1","2.4.0"],"constructor":["1"],"z":["1"]}',
      );
    },
    patienceMs,
  );
});

describe("server rollback", () => {
  test(
    "names --to where nothing was before, and tells of a program that no release moves",
    async () => {
      const { cli, config, make, upgrade, write } = await createWorld();
      const [one, two] = [await make("1.0.0"), await make("2.0.0")];
      const moved = await upgrade(one);
      expect(moved.err).not.toContain("warning");
      const alone = await cli("server", "rollback", "crm", ...why);
      expect(alone).toMatchObject({ exitCode: 2 });
      expect(alone.err).not.toContain("--to");
      await upgrade(two);
      expect(await upgrade(one)).toMatchObject({ exitCode: 0 });
      const none = await cli("server", "rollback", "crm", ...why);
      expect(none.err).toContain("found 1.0.0, 2.0.0; name one of the others with --to");

      const fixed = { ...config.servers.crm, args: ["server.mjs", "2.0.0"] };
      write({ ...config, servers: { crm: fixed } });
      const stays = await upgrade(two);
      expect(stays).toMatchObject({ exitCode: 0 });
      expect(stays.err).toContain("warning: servers.crm starts the program that its command line");
    },
    patienceMs,
  );
});

describe("server upgrade", () => {
  test(
    "refuses what is no release, and a release of another server",
    async () => {
      const { cli, config, hasLock, make, reference, upgrade, write } = await createWorld();
      const bundle = await upgrade(reference);
      expect(bundle).toMatchObject({ exitCode: 3 });
      expect(bundle.err).toContain("[bundle_release_invalid]");
      const release = await make("1.0.0");
      const other = { ...config.servers.crm, policy: { bundle: reference, require: "none" } };
      write({ ...config, servers: { other } });
      const stranger = await cli("server", "upgrade", "other", release, ...why);
      expect(stranger).toMatchObject({ exitCode: 3 });
      expect(stranger.err).toContain('expected server "other", found "crm"');
      expect(hasLock()).toBe(false);
    },
    patienceMs,
  );

  test(
    "refuses bundles that were revoked, and so does everything that would lock them",
    async () => {
      const { cli, crm, hasLock, lock, lockPath, make, push, upgrade } = await createWorld();
      const one = await make("1.0.0");
      await cli("bundle", "revoke", "crm", crm, ...why);
      const refused = await upgrade(one);
      expect(refused).toMatchObject({ exitCode: 8 });
      expect(refused.err).toContain("[bundle_revoked]");
      expect(refused.err).toContain(`bundle revoke crm ${crm} --undo`);
      const locked = await cli("bundle", "lock", "crm");
      expect(locked).toMatchObject({ exitCode: 8 });
      expect(locked.err).toContain("[bundle_revoked]");
      const released = await cli("server", "release", "crm", "--package", "a@1");
      expect(released.err).toContain("[bundle_revoked]");
      expect(hasLock()).toBe(false);

      push("crm", "2.0.0");
      const two = await make("2.0.0");
      expect(await upgrade(two)).toMatchObject({ exitCode: 0 });
      const text = readFileSync(lockPath, "utf8");
      expect(await upgrade(one)).toMatchObject({ exitCode: 8 });
      expect(readFileSync(lockPath, "utf8")).toBe(text);
      await cli("bundle", "revoke", "crm", crm, "--undo", ...why);
      expect(await upgrade(one)).toMatchObject({ exitCode: 0 });
      expect(lock().bundles.crm.digest).toBe(crm);
      await cli(
        "bundle",
        "revoke",
        "crm",
        lock().servers.crm.history[0].release.bundle.digest,
        ...why,
      );
      const back = await cli("server", "rollback", "crm", "--to", "2.0.0", ...why);
      expect(back.err).toContain("[bundle_revoked]");
      expect(lock().bundles.crm.digest).toBe(crm);
    },
    patienceMs,
  );

  test(
    "changes nothing while somebody else writes the lock",
    async () => {
      const { env, hasLock, lockPath, make, upgrade } = await createWorld();
      const release = await make("1.0.0");
      const [, hex = ""] = sha256Of(lockPath).split(":");
      const folder = join(env.MCP_GATEWAY_STATE, "locks", `lock-${hex.slice(0, 16)}.lock`);
      const held = await acquireProcessLock(folder, { clock: systemClock, waitMs: 0 });
      if (!held.ok) throw new Error("expected nobody to hold it");
      const done = await upgrade(release);
      await held.lock.release();
      expect(done).toMatchObject({ exitCode: 1 });
      expect(done.err).toContain("[bundle_lock_unwritable]");
      expect(done.err).toContain(`process ${process.pid} is changing it; nothing was changed`);
      expect(hasLock()).toBe(false);
      expect(await upgrade(release)).toMatchObject({ exitCode: 0 });
    },
    patienceMs,
  );
});

test("a lock that cannot be written is an error with its path", async () => {
  const folder = temporaryFolder();
  const place = { stateDir: temporaryFolder(), clock: systemClock };
  const path = join(folder, "mcp-gateway.lock.json");
  const changing = changeLock(place, path, async () => {
    await rm(folder, { recursive: true });
    // A file where its folder was: whoever runs this may write everywhere.
    writeFileSync(folder, "");
    return emptyLock;
  });
  await expect(changing).rejects.toMatchObject({
    code: "bundle_lock_unwritable",
    message: expect.stringContaining(`expected to write ${path}, but`),
  });
});
