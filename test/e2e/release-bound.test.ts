/**
 * What else a release may bind: the organisation's layers, and the versions of the agents that it is
 * for. All of it moves with the program, or nothing does.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { createReleaseWorld, outcomeOf } from "./release-world.ts";

const rule = (text: string): string => `deny contains "${text}" if input.action.tool == "moving"`;

test("the layers of a release move with it, forth and back, under a running gateway", async () => {
  const layouts = createReleaseWorld();
  const reference = layouts.config.servers.crm.policy.bundle.replace(/:crm$/, ":rules");
  const layers = [{ name: "rules", kind: "compliance", policy: { bundle: reference, poll: "1s" } }];
  layouts.write({ ...layouts.config, layers });
  const { bin, done, lock, lockPath, makeRelease, push, pushPolicy, serve, upgrade, why } = layouts;
  await pushPolicy("1.0.0");
  const r1 = await push("rules", "1.0.0", rule("first"), "compliance");
  await makeRelease("1.0.0", "--layers");
  await upgrade("1.0.0");
  expect(lock()).toMatchObject({
    bundles: { rules: { digest: r1 } },
    servers: { crm: { release: { layers: { rules: { digest: r1 } } } } },
  });
  const client = await serve();
  expect(await outcomeOf(client, "moving")).toBe("first");

  const r2 = await push("rules", "2.0.0", rule("second"), "compliance");
  await pushPolicy("2.0.0");
  await makeRelease("2.0.0", "--layers");
  // The source moved, and what the release binds did not.
  expect(await outcomeOf(client, "moving")).toBe("first");
  expect(JSON.parse(await done("bundle", "lock", "-o", "json")).items).toMatchObject([
    { name: "crm", state: "released" },
    { name: "rules", state: "released", digest: r1 },
  ]);
  await upgrade("2.0.0");
  expect(lock().bundles.rules.digest).toBe(r2);
  await eventually(async () => (await outcomeOf(client, "moving")) === "second", 60_000);
  expect(await outcomeOf(client, "steady")).toBe("ran 2.0.0");
  await done("server", "rollback", "crm", ...why);
  await eventually(async () => (await outcomeOf(client, "moving")) === "first", 60_000);
  expect(await outcomeOf(client, "steady")).toBe("ran 1.0.0");

  // A lock with another layer than the release binds starts nothing.
  const text = readFileSync(lockPath, "utf8");
  const other = lock();
  other.bundles.rules.digest = r2;
  writeFileSync(lockPath, JSON.stringify(other));
  const served = await bin("serve", "--stdio");
  expect(served.code).toBe(3);
  expect(served.stderr).toContain(`binds "rules" to ${r1}, and the lock has it at ${r2}`);
  writeFileSync(lockPath, text);

  // A layer that somebody holds is not what the release has: nothing moves.
  await done("bundle", "rollback", "rules", "--to", r1, ...why);
  const held = await bin("server", "upgrade", "crm", layouts.releaseAt("2.0.0"), ...why);
  expect(held.code).toBe(2);
  expect(held.stderr).toContain("run bundle resume rules first");
  expect(readFileSync(lockPath, "utf8")).toBe(text);
}, 240_000);

test("a release is for the versions of the agents that it names", async () => {
  const world = createReleaseWorld({ agent: { id: "bot", version: "2.3.1" } });
  const { bin, config, lock, makeRelease, pushPolicy, serve, upgrade, write } = world;
  await pushPolicy("1.0.0");
  await makeRelease("1.0.0", "--agent", "bot@2.4.0", "--agent", "bot@2.3.1");
  await upgrade("1.0.0");
  expect(lock().servers.crm.release.agents).toEqual({ bot: ["2.3.1", "2.4.0"] });
  const one = await serve();
  expect(await outcomeOf(one, "moving")).toBe("ran 1.0.0");

  // The next release is for another version: the agent that goes on is denied.
  await makeRelease("2.0.0", "--agent", "bot@3.0.0");
  await upgrade("2.0.0");
  await eventually(async () => (await outcomeOf(one, "steady")) === "release_mismatch", 60_000);
  await one.end();
  const warned = await bin("validate");
  expect(warned.code).toBe(0);
  expect(warned.stderr).toContain(
    'servers.crm: expected agent "bot" in version "3.0.0", as the release has it, found "bot" in version "2.3.1"; its calls are denied',
  );
  write({ ...config, agent: { id: "bot", version: "3.0.0" } });
  const two = await serve();
  expect(await outcomeOf(two, "moving")).toBe("ran 2.0.0");
}, 240_000);
