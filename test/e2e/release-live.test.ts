/**
 * A release under a running gateway: an upgrade and a rollback take effect without a restart, and at
 * no moment does a program run with the policy of another release.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { createReleaseWorld, outcomeOf } from "./release-world.ts";

/** Calls without a pause until it is told to stop. */
function callOn(client: RawClient) {
  const outcomes: string[] = [];
  const ending = new AbortController();
  const over = (async () => {
    while (!ending.signal.aborted) outcomes.push(await outcomeOf(client, "steady"));
  })();
  const stop = async (): Promise<void> => {
    ending.abort();
    await over;
  };
  return { outcomes, stop };
}

test("an upgrade and a rollback are taken while calls go on, and nothing is mixed", async () => {
  const { done, lock, makeRelease, pushPolicy, serve, upgrade, why } = createReleaseWorld();
  const v1 = await pushPolicy("1.0.0");
  await makeRelease("1.0.0");
  await upgrade("1.0.0");
  const v2 = await pushPolicy("2.0.0");
  await makeRelease("2.0.0");

  const client = await serve();
  await client.request("tools/list");
  expect(await outcomeOf(client, "moving")).toBe("ran 1.0.0");
  const calls = callOn(client);
  await upgrade("2.0.0");
  expect(lock().bundles.crm.digest).toBe(v2);
  await eventually(() => calls.outcomes.at(-1) === "ran 2.0.0", 60_000);
  expect(await outcomeOf(client, "moving")).toBe("ran 2.0.0");
  await done("server", "rollback", "crm", ...why);
  await eventually(() => calls.outcomes.at(-1) === "ran 1.0.0", 60_000);
  await calls.stop();
  expect(await outcomeOf(client, "moving")).toBe("ran 1.0.0");

  // Nobody noticed but by what ran, and by the notice.
  expect(new Set(calls.outcomes)).toEqual(new Set(["ran 1.0.0", "ran 2.0.0"]));
  const notices = client.received.map((message) => Object(message).method);
  expect(notices).toContain("notifications/tools/list_changed");
  await client.end();

  // Each call is one decision, and the bundle of its release made it.
  const listed = JSON.parse(await done("decision", "list", "--limit", "1000", "-o", "json")).items;
  const steady = listed.filter((item: { readonly tool: string }) => item.tool === "steady");
  const versions = steady.map((item: { readonly policy_version: string }) => item.policy_version);
  const ran = calls.outcomes.slice(-versions.length).map((outcome) => outcome.slice("ran ".length));
  expect(versions.toReversed().slice(-ran.length)).toEqual(ran);
  const last = JSON.parse(await done("decision", "get", "last", "-o", "json"));
  expect(last.admission.bundles.crm.digest).toBe(v1);
}, 240_000);

test("a lock that would keep a gateway from starting is not taken", async () => {
  const { lock, lockPath, makeRelease, pushPolicy, serve, upgrade } = createReleaseWorld();
  await pushPolicy("1.0.0");
  await makeRelease("1.0.0");
  await upgrade("1.0.0");
  const client = await serve();
  const good = readFileSync(lockPath, "utf8");
  const told = (): number => client.stderr().split("lock not taken").length - 1;
  const other = lock();
  other.bundles.crm.digest = `sha256:${"0".repeat(64)}`;
  for (const [index, bad] of [JSON.stringify(other), "{", '{"version":1}'].entries()) {
    writeFileSync(lockPath, bad);
    await eventually(() => told() === index + 1, 30_000);
    expect(await outcomeOf(client, "moving")).toBe("ran 1.0.0");
  }
  rmSync(lockPath);
  await eventually(() => told() === 4, 30_000);
  expect(await outcomeOf(client, "moving")).toBe("ran 1.0.0");
  writeFileSync(lockPath, good);
  expect(await outcomeOf(client, "moving")).toBe("ran 1.0.0");
}, 120_000);

test("what was started as another program than the next release has is denied", async () => {
  const { folder, lock, makeRelease, pushPolicy, serve, upgrade } = createReleaseWorld();
  await pushPolicy("1.0.0");
  await makeRelease("1.0.0");
  await upgrade("1.0.0");
  await pushPolicy("2.0.0");
  await makeRelease("2.0.0");
  const client = await serve();
  // The command sees the released program, and the gateway does not start its own before it changed.
  client.child.kill("SIGSTOP");
  onTestFinished(() => void client.child.kill("SIGCONT"));
  const upgraded = upgrade("2.0.0");
  await eventually(() => lock().servers.crm.release.package.version === "2.0.0", 60_000);
  writeFileSync(join(folder, "version"), "6.6.6");
  client.child.kill("SIGCONT");
  await upgraded;
  const seen: string[] = [];
  await eventually(async () => {
    seen.push(await outcomeOf(client, "steady"));
    return seen.at(-1) === "release_mismatch";
  }, 60_000);
  expect(seen).not.toContain("ran 6.6.6");
}, 120_000);
