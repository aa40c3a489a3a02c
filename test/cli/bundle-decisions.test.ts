import { describe, expect, test } from "vitest";
import { openCache } from "../../src/bundle/cache.ts";
import { noteCandidate } from "../../src/bundle/life/history-changes.ts";
import type { Digest } from "../../src/contract/bundle.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { createTestLog } from "../support/log.ts";
import { archiveOf, createWorld, me, why } from "./bundle-world.ts";

describe("bundle resume", () => {
  test("gives the source back, with a record", async () => {
    const { cli, history, records, v1, v2 } = await createWorld();
    await cli("bundle", "rollback", "crm", ...why);
    const done = await cli("bundle", "resume", "crm", "--why", "v3 is out");
    expect(done).toMatchObject({ exitCode: 0, out: v1 });
    expect((await history()).hold).toBeNull();
    const events = (await records()).map(({ event, digest, previous_digest: previous, why }) => {
      return { event, digest, previous, why };
    });
    expect(events).toContainEqual({
      event: "resumed",
      digest: v1,
      previous: v2,
      why: "v3 is out",
    });
  });

  test("of a source that is not held changes nothing and records nothing", async () => {
    const { cli, records } = await createWorld();
    const done = await cli("bundle", "resume", "crm");
    expect(done).toMatchObject({ exitCode: 0, out: "" });
    expect(done.err).toContain("is not held");
    expect(await records()).toEqual([]);
  });
});

describe("bundle activate", () => {
  const waiting = (digest: Digest, state: "waiting" | "rejected" = "waiting") =>
    ({
      digest,
      revision: "v3",
      at: "2026-11-21T10:00:00.000Z",
      state,
      code: state === "rejected" ? "bundle_downgrade" : null,
      message: state === "rejected" ? "too old" : null,
    }) as const;

  test("takes the bundle that waits, without a reason", async () => {
    const { cli, change, history, records, v3 } = await createWorld();
    await change((before) => noteCandidate(before, waiting(v3)));
    const done = await cli("bundle", "activate", "crm");
    expect(done).toMatchObject({ exitCode: 0, out: v3 });
    expect((await history()).hold).toMatchObject({ digest: v3, why: null });
    expect(await records()).toEqual([
      expect.objectContaining({ event: "held", digest: v3, revision: "v3", why: null }),
    ]);
  });

  test("takes a rejected one by name and with a reason alone", async () => {
    const { cli, change, history, v3 } = await createWorld();
    await change((before) => noteCandidate(before, waiting(v3, "rejected")));
    expect(await cli("bundle", "activate", "crm")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("too old"),
    });
    expect(await cli("bundle", "activate", "crm", v3)).toMatchObject({ exitCode: 2 });
    expect((await history()).hold).toBeNull();
    const done = await cli("bundle", "activate", "crm", v3.slice(0, 19), ...why);
    expect(done).toMatchObject({ exitCode: 0, out: v3 });
  });

  test("takes any bundle of the cache that is named whole", async () => {
    const { cli, v3 } = await createWorld();
    expect(await cli("bundle", "activate", "crm", v3.slice(0, 19), ...why)).toMatchObject({
      exitCode: 2,
    });
    expect(await cli("bundle", "activate", "crm", v3, ...why)).toMatchObject({ exitCode: 0 });
  });

  test("has a waiting bundle of a source without artifacts from the cache", async () => {
    const { cacheDir, change, cli, history } = await createWorld();
    const archive = archiveOf("v4");
    const digest = sha256Of(archive);
    const descriptor = { mediaType: "application/gzip", digest, size: archive.length };
    await openCache(cacheDir, createTestLog()).keepBlob(archive, descriptor);
    const kept = { version: { id: "0".repeat(40) }, archive_bytes: archive.length };
    await change((before) => noteCandidate(before, { ...waiting(digest), ...kept }));
    expect(await cli("bundle", "activate", "crm")).toMatchObject({ exitCode: 0, out: digest });
    expect((await history()).hold?.digest).toBe(digest);
  });

  test.each([
    ["where none waits", [], 2, "found none"],
    ["of one that is not here", [sha256Of("other"), ...why], 7, "nothing was changed"],
  ])("%s changes nothing", async (_, args, exitCode, message) => {
    const { cli, history, records } = await createWorld();
    const refused = await cli("bundle", "activate", "crm", ...args);
    expect(refused).toMatchObject({ exitCode, out: "" });
    expect(refused.err).toContain(message);
    expect((await history()).hold).toBeNull();
    expect(await records()).toEqual([]);
  });

  test("of a revoked one is exit code 8", async () => {
    const { cli, records, v3 } = await createWorld();
    await cli("bundle", "revoke", "crm", v3, ...why);
    expect(await cli("bundle", "activate", "crm", v3, ...why)).toMatchObject({ exitCode: 8 });
    expect(await records()).toEqual([expect.objectContaining({ event: "revoked" })]);
  });
});

describe("bundle revoke", () => {
  test("ends the hold at that bundle, says what follows, and can be undone", async () => {
    const { cli, history, records, v1, v2 } = await createWorld();
    await cli("bundle", "rollback", "crm", "--to", v2, ...why);
    const done = await cli("bundle", "revoke", "crm", v2, ...why);
    expect(done).toMatchObject({ exitCode: 0, out: v2 });
    expect(done.err).toContain(`goes back to revision "v1" (${v1})`);
    expect(await history()).toMatchObject({ hold: null, revoked: [{ digest: v2, by: me }] });
    const twice = await cli("bundle", "revoke", "crm", v2, ...why);
    expect(twice.err).toContain("is revoked already");
    expect(await cli("bundle", "revoke", "crm", v2, "--undo", ...why)).toMatchObject({
      exitCode: 0,
    });
    expect((await history()).revoked).toEqual([]);
    const undone = await cli("bundle", "revoke", "crm", v2, "--undo", ...why);
    expect(undone.err).toContain("is not revoked");
    const events = new Set((await records()).map(({ event }) => event));
    expect(events).toEqual(new Set(["held", "reinstated", "revoked"]));
  });

  test("of the only good one says that calls are denied", async () => {
    const { cli, v1, v2 } = await createWorld();
    await cli("bundle", "revoke", "crm", v1, ...why);
    const done = await cli("bundle", "revoke", "crm", v2, ...why);
    expect(done.err).toContain("calls are denied");
  });

  test("takes a whole digest that was never here, and asks for a reason", async () => {
    const { cli, history } = await createWorld();
    const digest = sha256Of("other");
    expect(await cli("bundle", "revoke", "crm", digest)).toMatchObject({ exitCode: 2 });
    expect((await history()).revoked).toEqual([]);
    expect(await cli("bundle", "revoke", "crm", digest, ...why)).toMatchObject({ exitCode: 0 });
    expect((await history()).revoked).toMatchObject([{ digest }]);
  });
});
