/**
 * What the report of a replay says of a bundle, and that a replay that fails says nothing good of it.
 */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FetchedBundle } from "../../../src/bundle/sources/bundle-source.ts";
import { createVet, judge } from "../../../src/cli/serve/vet-by-replay.ts";
import { freshEnvironment } from "../../support/gateway-process.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const sample = "019ab3c2-0000-7000-8000-000000000001";
const group = { server: "crm", tool: "delete", reason: null, sample };
const none = { newly_allowed: 0, no_longer_held: 0, obligations_only: 0 };
const unchanged = { decisions: 100, replayed: 100, buckets: none, groups: [] };

describe("judge", () => {
  test("lets a bundle pass that opens nothing, whatever else it does", () => {
    const groups = [{ ...group, bucket: "newly_denied", count: 7 }];
    expect(judge("crm", { ...unchanged, groups })).toEqual({
      ok: true,
      message: "newly allows none of 100 recorded decisions",
    });
  });

  test.each([
    ["newly_allowed", "it newly allows 2 of crm/delete"],
    ["no_longer_held", "it no longer holds 2 of crm/delete"],
    ["obligations_only", "it does otherwise with the result of 2 of crm/delete"],
  ])("objects to one decision of %s, and names it", (bucket, words) => {
    const groups = [{ ...group, bucket, count: 2 }];
    const report = { ...unchanged, buckets: { ...none, [bucket]: 2 }, groups };
    expect(judge("crm", report)).toEqual({
      ok: false,
      code: "newly_allows",
      message: `of 100 recorded decisions ${words} (such as ${sample})`,
    });
  });

  test("objects to one decision about what was hidden and would not be", () => {
    const groups = [{ ...group, bucket: "not_replayable", reason: "was_hidden", count: 1 }];
    expect(judge("crm", { ...unchanged, replayed: 99, groups })).toEqual({
      ok: false,
      code: "newly_allows",
      message: `of 99 recorded decisions it no longer hides 1 of crm/delete (such as ${sample})`,
    });
  });

  test("shows three groups, and says of how many more", () => {
    const groups = Array.from({ length: 5 }, (_, at) => ({
      ...group,
      bucket: "newly_allowed",
      tool: `tool-${at}`,
      count: 1,
    }));
    const report = { ...unchanged, buckets: { ...none, newly_allowed: 5 }, groups };
    const { message } = judge("crm", report);
    expect(message).toContain("crm/tool-2");
    expect(message).not.toContain("crm/tool-3");
    expect(message).toContain("; 2 more groups");
  });

  test("objects where nothing is recorded, and where less than nine in ten can be replayed", () => {
    const code = "history_not_replayed";
    expect(judge("crm", { ...unchanged, decisions: 0, replayed: 0 })).toMatchObject({ code });
    const groups = [{ ...group, bucket: "not_replayable", reason: "pruned", count: 11 }];
    expect(judge("crm", { ...unchanged, replayed: 89, groups })).toEqual({
      ok: false,
      code,
      message: "of 100 recorded decisions only 89 can be replayed: 11 pruned",
    });
    expect(judge("crm", { ...unchanged, replayed: 90 })).toMatchObject({ ok: true });
  });

  test("says what is newly allowed before what cannot be replayed", () => {
    const buckets = { ...none, newly_allowed: 1 };
    const groups = [{ ...group, bucket: "newly_allowed", count: 1 }];
    const report = { decisions: 100, replayed: 10, buckets, groups };
    expect(judge("crm", report)).toMatchObject({ code: "newly_allows" });
  });
});

describe("a replay that fails is no history, and leaves no archive", { timeout: 60_000 }, () => {
  const fetched: FetchedBundle = {
    version: { id: "1" },
    digest: `sha256:${"a".repeat(64)}`,
    archive: Buffer.from("no archive"),
    origin: "layout",
    signed: undefined,
    keep: async () => {},
    close: async () => {},
  };
  const fail = async (
    more: Record<string, string>,
    signal: AbortSignal,
    stateDir = temporaryFolder(),
    left: readonly string[] = [],
  ): Promise<string> => {
    const configPath = join(stateDir, "no-such.json");
    const cadence = { replaySinceMs: 60_000, replayLimit: 10 };
    const env = freshEnvironment(more);
    const vetting = await createVet({ layer: "crm", configPath, stateDir, env, cadence })(
      fetched,
      signal,
    );
    expect(vetting).toMatchObject({ ok: false, code: "history_unreadable" });
    expect(readdirSync(stateDir).toSorted()).toEqual(left);
    return vetting.message;
  };
  const never = new AbortController().signal;
  const prefix = "recorded decisions could not be replayed:";

  test("with its last word", async () => {
    expect(await fail({}, never)).toMatch(new RegExp(`^${prefix} .*no-such\\.json`));
  });

  test("where it has no last word", async () => {
    const dying = "--import=data:text/javascript,process.kill(process.pid,'SIGKILL')";
    const message = await fail({ NODE_OPTIONS: dying }, never);
    expect(message).toBe(`${prefix} replay ended with a signal`);
  });

  test("where somebody ends it", async () => {
    expect(await fail({}, AbortSignal.abort())).toBe(`${prefix} The operation was aborted`);
  });

  test("nor one that a killed gateway has left, once nobody can be reading it", async () => {
    const stateDir = temporaryFolder();
    const agesMinutes = {
      "vetted-1-0123456789abcdef.tar.gz": 31,
      "vetted-1-fedcba9876543210.tar.gz": 29,
      "vetted-notes.tar.gz": 500,
      "vetted-2-00.tar.gz.bak": 500,
    };
    for (const [name, minutes] of Object.entries(agesMinutes)) {
      const path = join(stateDir, name);
      const atSeconds = Date.now() / 1000 - minutes * 60;
      writeFileSync(path, "");
      utimesSync(path, atSeconds, atSeconds);
    }
    // What cannot be removed keeps nobody from looking at a bundle.
    const folder = "vetted-3-00.tar.gz";
    mkdirSync(join(stateDir, folder));
    utimesSync(join(stateDir, folder), 0, 0);
    const [, ...kept] = [...Object.keys(agesMinutes), folder].toSorted();
    expect(await fail({}, never, stateDir, kept)).toMatch(/no-such\.json/);
  });
});
