import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  noteActivation,
  noteCandidate,
  noteHoldRefused,
  noteRequest,
} from "../../src/bundle/life/history-changes.ts";
import type { World } from "./bundle-world.ts";
import { createWorld, entryOf, mark, me, why } from "./bundle-world.ts";

describe("bundle history", () => {
  test("says of each bundle what it was and what was decided about it", async () => {
    const { cli, change, v1, v2, v3 } = await createWorld();
    await change((before) =>
      noteCandidate(before, {
        digest: v3,
        revision: "v3",
        at: "2026-11-21T10:00:00.000Z",
        state: "waiting",
        code: null,
        message: null,
      }),
    );
    await cli("bundle", "rollback", "crm", ...why);
    await cli("bundle", "revoke", "crm", v2, "--why", "grants too much");
    const { out } = await cli("bundle", "history", "crm", "-o", "json");
    const { items } = JSON.parse(out);
    expect(items).toMatchObject([
      { digest: v3, state: "waiting", held: null, revoked: null },
      {
        digest: v2,
        state: "active",
        activated_at: "2026-11-20T10:00:00.000Z",
        by: "gateway",
        vouched_by: "nothing",
        size_bytes: 1000,
        revoked: { by: me, why: "grants too much" },
      },
      { digest: v1, state: "previous", held: { by: me, why: "refunds are denied" } },
    ]);
    const table = await cli("bundle", "history", "crm");
    expect(table.out).toMatch(/^active,revoked +v2 .*revoked by .*: grants too much$/m);
    expect(table.out).toMatch(/^previous,held +v1 /m);
  });

  test("of a source that no gateway asked yet is empty and says so", async () => {
    const { cli, stateDir } = await createWorld();
    await rm(join(stateDir, "bundles"), { recursive: true });
    const empty = await cli("bundle", "history", "crm");
    expect(empty).toMatchObject({ exitCode: 0 });
    expect(empty.err).toContain('no gateway with this state folder has had a bundle of "crm"');
  });
});

describe("bundle list", () => {
  const itemOf = async ({ cli }: World): Promise<Record<string, unknown>> =>
    JSON.parse((await cli("bundle", "list", "-o", "json")).out).items[0];
  const waitingAs = (digest: World["v3"]) =>
    ({
      digest,
      revision: "v3",
      at: "2026-11-21T10:00:00.000Z",
      state: "waiting",
      code: null,
      message: null,
    }) as const;
  const refusedAs = (digest: World["v3"]) =>
    ({
      ...waitingAs(digest),
      state: "rejected",
      code: "bundle_tests_failed",
      message: "two tests fail",
    }) as const;

  test("tells of the active bundle in OPA's words, and what the source said last", async () => {
    const world = await createWorld();
    await world.change((before) => ({
      ...before,
      active: before.active && { ...before.active, signers: ["release"], vouched_by: "signature" },
      status: {
        last_request: "2026-11-22T10:00:05.000Z",
        last_successful_request: "2026-11-22T10:00:00.000Z",
        last_successful_download: "2026-11-20T09:59:00.000Z",
        last_successful_activation: "2026-11-20T10:00:00.000Z",
        code: "bundle_unreachable",
        message: "no route",
      },
    }));
    expect(await itemOf(world)).toEqual({
      role: "policy",
      beside: null,
      name: "crm",
      kind: "server",
      reference: world.reference,
      state: "active",
      active_revision: "v2",
      active: {
        digest: world.v2,
        revision: "v2",
        activated_at: "2026-11-20T10:00:00.000Z",
        by: "gateway",
        why: null,
        vouched_by: "signature",
        signers: ["release"],
        size_bytes: 1000,
      },
      candidate: null,
      hold: null,
      here: null,
      last_request: "2026-11-22T10:00:05.000Z",
      last_successful_request: "2026-11-22T10:00:00.000Z",
      last_successful_download: "2026-11-20T09:59:00.000Z",
      last_successful_activation: "2026-11-20T10:00:00.000Z",
      code: "bundle_unreachable",
      message: "no route",
      errors: [{ code: "bundle_unreachable", message: "no route" }],
    });
    const { out, err } = await world.cli("bundle", "list");
    expect(out).toMatch(
      /^crm +active +v2 +[0-9a-f]{12} +release +\d+[dhms] +- +\d+[dhms]\nbare +no_policy( +-){6}$/m,
    );
    expect(err).toBe("crm: no route [bundle_unreachable]");
  });

  test("tells the active bundle from one that its source has and that was refused", async () => {
    const world = await createWorld();
    await world.change((before) => noteCandidate(before, refusedAs(world.v3)));
    expect(await itemOf(world)).toMatchObject({
      state: "rejected",
      active_revision: "v2",
      active: { digest: world.v2, revision: "v2" },
      candidate: { digest: world.v3, state: "rejected", code: "bundle_tests_failed" },
      code: "bundle_tests_failed",
    });
    const { out, err } = await world.cli("bundle", "list");
    expect(out).toMatch(/^crm +rejected +v2 .* v3 /m);
    expect(err).toBe("crm: two tests fail [bundle_tests_failed]");
    await world.change((before) => noteActivation(before, entryOf(world.v1, "v1"), mark));
    expect(await itemOf(world)).toMatchObject({ state: "active", candidate: null, errors: [] });
  });

  test("lists everything that is wrong, what denies first", async () => {
    const world = await createWorld({ max_staleness: "1h" });
    await world.change((before) =>
      noteRequest(noteCandidate(before, refusedAs(world.v3)), "2026-11-22T00:00:00.000Z", {
        code: "bundle_unreachable",
        message: "no route",
      }),
    );
    const { errors, code } = await itemOf(world);
    expect(errors).toMatchObject([
      { code: "bundle_stale", message: expect.stringContaining("max_staleness is 3600 s") },
      { code: "bundle_unreachable" },
      { code: "bundle_tests_failed" },
    ]);
    expect(code).toBe("bundle_stale");
  });

  test("a source where each new bundle waits is not held by whoever activates one", async () => {
    const world = await createWorld({ activation: "manual" });
    const { change, cli, v1, v3 } = world;
    await change((before) => noteCandidate(before, waitingAs(v3)));
    expect(await itemOf(world)).toMatchObject({ state: "waiting" });
    const done = await cli("bundle", "activate", "crm");
    expect(done.err).toContain("until the next bundle activate crm");
    expect(await itemOf(world)).toMatchObject({ state: "chosen", active_revision: "v2" });
    await change((before) => noteActivation(before, entryOf(v3, "v3"), mark, "chosen"));
    expect(await itemOf(world)).toMatchObject({
      state: "active",
      active_revision: "v3",
      hold: { digest: v3 },
    });
    await change((before) => noteCandidate(before, { ...waitingAs(v1), revision: "v4" }));
    expect(await itemOf(world)).toMatchObject({ state: "waiting" });
    await cli("bundle", "rollback", "crm", ...why);
    await change((before) => noteActivation(before, entryOf(world.v2, "v2"), mark, "chosen"));
    expect(await itemOf(world)).toMatchObject({ state: "held", active_revision: "v2" });
  });

  test("a choice is chosen until a gateway follows, and says why where none can", async () => {
    const world = await createWorld();
    const { change, cli, v1, v2 } = world;
    await cli("bundle", "rollback", "crm", ...why);
    expect(await itemOf(world)).toMatchObject({
      state: "chosen",
      active_revision: "v2",
      hold: { digest: v1, why: why[1] },
      errors: [],
    });
    expect((await cli("bundle", "list")).out).toMatch(
      new RegExp(`^crm +chosen +v2 .* ${v1.slice(7, 19)} `, "m"),
    );
    await change((before) =>
      noteHoldRefused(before, { digest: v1, code: "bundle_unverified", message: "nobody signed" }),
    );
    expect(await itemOf(world)).toMatchObject({ state: "chosen", code: "bundle_unverified" });
    await change((before) => noteActivation(before, entryOf(v1, "v1"), mark, "chosen"));
    expect(await itemOf(world)).toMatchObject({ state: "held", errors: [] });
    await cli("bundle", "resume", "crm");
    expect(await itemOf(world)).toMatchObject({ state: "active", hold: null });
    await cli("bundle", "revoke", "crm", v1, ...why);
    expect(await itemOf(world)).toMatchObject({
      state: "revoked",
      code: "bundle_revoked",
      message: expect.stringContaining("refunds are denied"),
    });
    expect(v2).not.toBe(v1);
  });

  test("says stale where the source was not heard of for too long", async () => {
    const world = await createWorld({ max_staleness: "1h" });
    const heard = async (at: string) =>
      await world.change((before) => ({
        ...before,
        status: { ...before.status, last_successful_request: at },
      }));
    expect(await itemOf(world)).toMatchObject({ state: "stale" });
    await heard("2026-11-22T00:00:00.000Z");
    expect(await itemOf(world)).toMatchObject({ state: "stale" });
    await heard(new Date().toISOString());
    expect(await itemOf(world)).toMatchObject({ state: "active", errors: [] });
  });

  test("a history that cannot be read is a row that says so", async () => {
    const world = await createWorld();
    const folder = join(world.stateDir, "bundles");
    const [name = ""] = (await readdir(folder)).filter((one) => one.endsWith(".json"));
    await writeFile(join(folder, name), "{}");
    const [crm, bare] = JSON.parse((await world.cli("bundle", "list", "-o", "json")).out).items;
    expect(crm).toMatchObject({ name: "crm", state: "bundle_state_unusable", active: null });
    expect(crm.message).toContain(name);
    expect(bare).toMatchObject({ state: "no_policy" });
  });

  test("rows of long names stay within 100 characters", async () => {
    const world = await createWorld();
    await world.change((before) => ({
      ...before,
      active: before.active && {
        ...before.active,
        revision: "0123456789abcdef0123456789abcdef01234567",
        signers: ["release-pipeline", "security-team"],
      },
      candidate: { ...refusedAs(world.v3), revision: "fedcba9876543210fedcba9876543210fedcba98" },
    }));
    const { out } = await world.cli("bundle", "list");
    expect(out).toContain("0123456789abc…  ");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});
