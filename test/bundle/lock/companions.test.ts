/**
 * What a lock says of bundles that are tried beside a policy: they are locked like any other, and what
 * a release binds has no canary.
 */
import { dirname } from "node:path";
import { expect, test } from "vitest";
import type { GatewayLock } from "../../../src/bundle/lock/lock-document.ts";
import { matchLock } from "../../../src/bundle/lock/match-lock.ts";
import { load, minimal, server } from "../../config/support.ts";

const digest = `sha256:${"1".repeat(64)}`;
const next = `sha256:${"2".repeat(64)}`;

/** A configuration whose server has these companions. */
function configOf(companions: object) {
  return load({ ...minimal, servers: { crm: { ...server, ...companions } } }).config;
}

function source(reference: string, its: string): GatewayLock["bundles"][string] {
  const rest = { revision: "1", size: 1, signers: [], resolved_at: "2026-11-22T00:00:00Z" };
  return { reference, digest: its, version: { id: its }, ...rest };
}

function lockOf(isReleased: boolean): GatewayLock {
  const bundle = { reference: "oci-layout:dist:crm", digest, revision: "1" };
  const release = {
    version: 1,
    server: "crm",
    package: { name: "crm", version: "1.0.0" },
    bundle,
    pins: {},
  } as const;
  const released = {
    release,
    digest,
    reference: "oci-layout:dist:r",
    since: "2026-11-22T00:00:00Z",
  };
  return {
    version: 1,
    bundles: {
      crm: source("oci-layout:dist:crm", digest),
      "crm~shadow": source("oci-layout:next:crm", next),
    },
    servers: isReleased ? { crm: { ...released, history: [] } } : {},
  };
}

function match(companions: object, isReleased: boolean) {
  const config = configOf(companions);
  return matchLock(config, dirname(config.path), lockOf(isReleased), false);
}

const shadow = "oci-layout:next:crm";
const canary = { policy: "oci-layout:next:crm", percent: 5 };

test("a companion is locked under its own name, and is no stranger in the lock", () => {
  const { sources, warnings } = match({ shadow }, false);
  expect(sources.get("crm~shadow")?.locked.digest).toBe(next);
  expect(sources.get("crm")?.locked.digest).toBe(digest);
  expect(warnings).toEqual([]);
});

test("a companion that went is a stranger in the lock", () => {
  const { warnings } = match({}, false);
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining('an entry for "crm~shadow", which is not configured'),
  ]);
});

test("what a release binds has no canary, and may have a shadow", () => {
  expect(match({ shadow }, true).problems).toEqual([]);
  const { problems } = match({ shadow, canary }, true);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining("servers.crm.canary.policy: expected no canary, since a release"),
  ]);
  expect(match({ shadow, canary }, false).problems).toEqual([]);
});

test("nobody is held to the digest of a release by being its shadow", () => {
  const { sources } = match({ shadow }, true);
  expect(sources.get("crm")?.onlyDigest).toBe(digest);
  expect(sources.get("crm~shadow")?.onlyDigest).toBeUndefined();
});
