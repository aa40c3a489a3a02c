/**
 * A keeper under a lock that changes while the gateway runs, with a real keeper on a registry: what
 * the lock binds is what is active, nothing older than it accepts ever is, and what it forbids goes.
 */
import { afterEach, describe, expect, test } from "vitest";
import { openKeeper } from "../../../src/bundle/life/open-keeper.ts";
import type { SourceLock } from "../../../src/bundle/lock/match-lock.ts";
import { RelockingKeeper } from "../../../src/bundle/lock/relocking-keeper.ts";
import { asDigest } from "../../../src/bundle/release/release-document.ts";
import { systemClock } from "../../../src/config/ambient.ts";
import type { BundleChange } from "../../../src/contract/bundle.ts";
import { bundleManifest, dependencies, registryWithBundle } from "../../support/bundle-setting.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { archiveOf } from "./lock-world.ts";

const open = new Set<RelockingKeeper>();
afterEach(async () => {
  const all = [...open];
  open.clear();
  await Promise.all(all.map((keeper) => keeper.close()));
});

async function createWorld(lockOf: (v1: string) => SourceLock | undefined = () => undefined) {
  const registry = await registryWithBundle(archiveOf("crm", "1.0.0"));
  const log = createTestLog();
  const activated: (string | undefined)[] = [];
  const changes: BundleChange[] = [];
  const place = { stateDir: temporaryFolder(), clock: systemClock };
  const cachePath = temporaryFolder();
  const push = (revision: string): string =>
    registry.putManifest("v1", bundleManifest(registry, archiveOf("crm", revision)));
  const keeper = new RelockingKeeper({
    layer: "crm",
    lock: lockOf(registry.digest),
    hands: {
      activate: async (bundle) => {
        activated.push(bundle?.revision);
        return { ok: true };
      },
      record: async (change) => void changes.push(change),
    },
    log,
    open: async (lock, hands) => {
      const { locked, ...limits } = lock ?? { locked: undefined };
      return await openKeeper(
        {
          wanted: { name: "crm", kind: "server" },
          reference: registry.reference,
          trust: { require: "none", signers: [] },
          pollMs: 100,
          activation: "auto",
          maxStalenessMs: undefined,
          longPollMs: undefined,
          locked,
          ...limits,
        },
        {
          ...dependencies({ cachePath, log }),
          ...hands,
          cachePath,
          place,
          test: undefined,
          clock: systemClock,
          random: () => 0,
        },
      );
    },
  });
  open.add(keeper);
  return { activated, changes, keeper, push, registry };
}

/** `isBound`: a release binds it, so nobody can have another. */
function lockTo(text: string, isBound: boolean, lowestRevision?: string): SourceLock {
  const digest = asDigest(text);
  const onlyDigest = isBound ? digest : undefined;
  return { locked: { digest, version: { id: digest } }, lowestRevision, onlyDigest };
}

const patience = { timeout: 20_000 };

describe("a lock that changes", () => {
  test("moves what is active, forth and back, and what the source has moves nothing", async () => {
    const { activated, keeper, push, registry } = await createWorld((v1) => lockTo(v1, true));
    await keeper.start();
    const v2 = push("2.0.0");
    await keeper.relock(lockTo(v2, true));
    await keeper.relock(lockTo(registry.digest, true));
    push("3.0.0");
    await keeper.relock(lockTo(registry.digest, true));
    expect(activated).toEqual(["1.0.0", "2.0.0", "1.0.0"]);
  });

  test("takes away what it forbids where its own cannot be had, and says so", async () => {
    const { activated, changes, keeper, registry } = await createWorld((v1) => lockTo(v1, true));
    await keeper.start();
    await keeper.relock(lockTo(`sha256:${"0".repeat(64)}`, true));
    expect(activated).toEqual(["1.0.0", undefined]);
    expect(changes.at(-1)).toMatchObject({
      event: "withdrawn",
      previous: registry.digest,
      code: "bundle_release_mismatch",
    });
    await keeper.relock(lockTo(registry.digest, true));
    expect(activated.at(-1)).toBe("1.0.0");
  });

  test("leaves the last good one where no release binds it", async () => {
    const { activated, keeper } = await createWorld((v1) => lockTo(v1, false));
    await keeper.start();
    await keeper.relock(lockTo(`sha256:${"0".repeat(64)}`, false));
    expect(activated).not.toContain(undefined);
    expect(activated.at(-1)).toBe("1.0.0");
  });

  test("with a lowest revision takes away what is older", async () => {
    const { activated, keeper, push, registry } = await createWorld((v1) => lockTo(v1, false));
    await keeper.start();
    await keeper.relock(lockTo(registry.digest, false, "1.4.0"));
    expect(activated).toEqual(["1.0.0", undefined]);
    const v2 = push("1.4.0");
    await keeper.relock(lockTo(v2, false, "1.4.0"));
    expect(activated.at(-1)).toBe("1.4.0");
  });

  test("that is gone lets the source be followed again", async () => {
    const { activated, keeper, push } = await createWorld((v1) => lockTo(v1, false));
    await keeper.start();
    push("2.0.0");
    await keeper.relock(undefined);
    await expect.poll(() => activated.at(-1), patience).toBe("2.0.0");
  });

  test("opens nothing once it is closed", async () => {
    const { activated, keeper, push } = await createWorld((v1) => lockTo(v1, true));
    await keeper.start();
    await keeper.close();
    await keeper.relock(lockTo(push("2.0.0"), true));
    expect(activated).toEqual(["1.0.0"]);
  });
});

describe("the lowest revision of a lock", () => {
  test("keeps a running gateway from what is older, however it came, and from nothing else", async () => {
    const { activated, changes, keeper, push } = await createWorld((v1) => ({
      ...lockTo(v1, false, "1.4.0"),
    }));
    await keeper.start();
    expect(activated).toEqual([]);
    expect(changes.at(-1)).toMatchObject({ event: "rejected", code: "bundle_downgrade" });
    await keeper.relock(lockTo(push("1.3.9"), false, "1.4.0"));
    expect(activated).toEqual([]);
    await keeper.relock(lockTo(push("1.4.1"), false, "1.4.0"));
    expect(activated).toEqual(["1.4.1"]);
  });
});
