/**
 * What `bundle gc` takes away and what it leaves: everything is older than an hour but where a test
 * says otherwise.
 */
import { mkdir, readFile, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCache } from "../../src/bundle/cache.ts";
import type { BundleCache } from "../../src/bundle/cache.ts";
import { isDigest } from "../../src/bundle/digest.ts";
import { changeHistory } from "../../src/bundle/life/bundle-history.ts";
import { hold, noteCandidate } from "../../src/bundle/life/history-changes.ts";
import { encodeOciJson, describeBytes, mediaTypes } from "../../src/bundle/oci-document.ts";
import type { Descriptor } from "../../src/bundle/oci-document.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import type { RegistryReference } from "../../src/bundle/reference.ts";
import { fetchArtifact } from "../../src/bundle/fetch-artifact.ts";
import { sweepCache } from "../../src/bundle/sweep-cache.ts";
import { systemClock } from "../../src/config/ambient.ts";
import type { Digest } from "../../src/contract/bundle.ts";
import { runCli } from "../support/cli-run.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hourMs = 60 * 60_000;

interface Kept {
  readonly manifest: Descriptor;
  readonly layer: Digest;
  readonly config: Digest;
  readonly bytes: number;
}

function openWorld(path = temporaryFolder()) {
  const cache = openCache(path, createTestLog());
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const descriptor = describeBytes(bytes, mediaType);
    await cache.keepBlob(bytes, descriptor);
    return descriptor;
  };
  /** An artifact of this name, one layer and a config of its own. */
  const keep = async (name: string): Promise<Kept> => {
    const layer = await put(Buffer.from(`archive ${name}`), mediaTypes.bundleLayer);
    const config = await put(Buffer.from(`{"name":"${name}"}`), "application/json");
    const document = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
    const { bytes, descriptor } = encodeOciJson(document, mediaTypes.manifest);
    await cache.keepBlob(bytes, descriptor);
    const size = layer.size + config.size + descriptor.size;
    return { manifest: descriptor, layer: layer.digest, config: config.digest, bytes: size };
  };
  const sweep = async (needed: readonly Digest[], more: object = {}) =>
    await sweepCache({
      path,
      cache,
      needed: async () => ({ digests: needed, references: [] }),
      nowMs: Date.now() + 2 * hourMs,
      isDryRun: false,
      ...more,
    });
  const left = async (): Promise<readonly string[]> =>
    (await readdir(join(path, "blobs", "sha256"))).map((hex) => `sha256:${hex}`);
  return { path, cache, put, keep, sweep, left };
}

function allOf({ manifest, layer, config }: Kept): readonly Digest[] {
  return [manifest.digest, layer, config];
}

function sorted(digests: readonly string[]): readonly string[] {
  return digests.toSorted();
}

/** As it was two hours ago, so that "now" is as good as "then". */
async function age(path: string, digests: readonly Digest[]): Promise<void> {
  const then = Date.now() / 1000 - 2 * 60 * 60;
  for (const digest of digests) {
    await utimes(join(path, "blobs", "sha256", digest.slice(7)), then, then);
  }
}

function registryReference(text: string): RegistryReference {
  const reference = parseReference(text);
  if (reference.scheme === "oci") return reference;
  throw new Error("expected a registry");
}

async function remember(
  cache: BundleCache,
  text: string,
  { manifest }: Kept,
): Promise<RegistryReference> {
  const reference = registryReference(text);
  await cache.remember(reference, await cache.content.readManifest(manifest.digest));
  return reference;
}

test("an artifact that is needed stays whole, one that is not goes whole, and the bytes are counted", async () => {
  const { cache, keep, sweep, left } = openWorld();
  const [needed, useless] = [await keep("v1"), await keep("v2")];
  const swept = await sweep([needed.manifest.digest]);
  expect(sorted(await left())).toEqual(sorted(allOf(needed)));
  expect(swept).toEqual({
    removedFiles: 3,
    freedBytes: useless.bytes,
    keptFiles: 3,
    keptBytes: needed.bytes,
  });
  await fetchArtifact(cache.content, needed.manifest.digest, "v1");
});

test("a dry run says the same and removes nothing", async () => {
  const { keep, sweep, left } = openWorld();
  const [needed, useless] = [await keep("v1"), await keep("v2")];
  const dry = await sweep([needed.manifest.digest], { isDryRun: true });
  expect(dry).toMatchObject({ removedFiles: 3, freedBytes: useless.bytes });
  expect(await left()).toHaveLength(6);
  expect(await sweep([needed.manifest.digest])).toEqual(dry);
});

test("an index that is needed keeps what its manifests name", async () => {
  const { cache, keep, sweep, left } = openWorld();
  const inside = await keep("v1");
  const document = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [inside.manifest] };
  const { bytes, descriptor } = encodeOciJson(document, mediaTypes.index);
  await cache.keepBlob(bytes, descriptor);
  await sweep([descriptor.digest]);
  expect(sorted(await left())).toEqual(sorted([descriptor.digest, ...allOf(inside)]));
});

test("what proves something about a needed manifest stays with its content, and goes with it", async () => {
  const { path, cache, keep, sweep, left } = openWorld();
  const [bundle, proof] = [await keep("v1"), await keep("signature")];
  await cache.keepProof(bundle.manifest.digest, proof.manifest);
  await sweep([bundle.manifest.digest]);
  expect(await left()).toHaveLength(6);
  expect(await cache.content.referrers(bundle.manifest.digest)).toHaveLength(1);
  await sweep([]);
  expect(await left()).toEqual([]);
  expect(await readdir(join(path, "proofs"))).toEqual([]);
});

test("what a configured reference had last stays, what another one had goes with its pointer", async () => {
  const { path, cache, keep, sweep, left } = openWorld();
  const [mine, other] = [await keep("v1"), await keep("v2")];
  const reference = await remember(cache, "oci://registry.example/policies/crm:1", mine);
  const stranger = await remember(cache, "oci://registry.example/policies/old:1", other);
  await sweep([], { needed: async () => ({ digests: [], references: [reference] }) });
  expect(sorted(await left())).toEqual(sorted(allOf(mine)));
  expect(await cache.pulled(reference)).toBe(mine.manifest.digest);
  expect(await cache.pulled(stranger)).toBeUndefined();
  const index = await readFile(join(path, "index.json"), "utf8");
  expect(index).toContain(mine.manifest.digest);
  expect(index).not.toContain(other.manifest.digest);
});

test("what is younger than an hour stays with the old content that it names", async () => {
  const { path, keep, sweep, left } = openWorld();
  const [fresh, old] = [await keep("fresh"), await keep("old")];
  await age(path, [fresh.layer, fresh.config, ...allOf(old)]);
  await sweep([], { nowMs: Date.now() });
  expect(sorted(await left())).toEqual(sorted(allOf(fresh)));
});

test("what is written while the sweep goes on stays", async () => {
  const { path, keep, sweep, left } = openWorld();
  const old = await keep("v1");
  await age(path, allOf(old));
  await sweep([], {
    nowMs: Date.now(),
    // Somebody fetches it again, and one more, after the files were listed.
    needed: async () => {
      await keep("v1");
      await keep("v2");
      return { digests: [], references: [] };
    },
  });
  expect(await left()).toHaveLength(6);
});

test("half-written files of dead writers go, and files of others stay", async () => {
  const { path, keep, sweep } = openWorld();
  await keep("v1");
  const blobs = join(path, "blobs", "sha256");
  await writeFile(join(blobs, "abc.tmp"), "half");
  await writeFile(join(blobs, "README"), "not ours");
  await mkdir(join(blobs, "0".repeat(64)));
  await sweep([]);
  expect(sorted(await readdir(blobs))).toEqual(sorted(["0".repeat(64), "README"]));
});

test("a cache that is not there is empty", async () => {
  const { sweep } = openWorld(join(temporaryFolder(), "none"));
  expect(await sweep([])).toMatchObject({ removedFiles: 0, keptFiles: 0 });
});

test("where nobody can say what is needed nothing is removed", async () => {
  const { keep, sweep, left } = openWorld();
  await keep("v1");
  const needed = async (): Promise<never> => {
    throw new Error("no");
  };
  await expect(sweep([], { needed })).rejects.toThrow("no");
  expect(await left()).toHaveLength(3);
});

test("bundle gc needs what histories, the lock and references name, whatever configuration they are of", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "cache", "mcp-gateway");
  const { cache, keep, left } = openWorld(path);
  const names = ["held", "candidate", "locked", "last", "pinned", "useless"] as const;
  const kept = new Map<string, Kept>();
  for (const name of names) kept.set(name, await keep(name));
  const digestOf = (name: (typeof names)[number]): Digest => {
    const digest = kept.get(name)?.manifest.digest ?? "";
    if (isDigest(digest)) return digest;
    throw new Error(`no ${name}`);
  };
  await age(
    path,
    [...kept.values()].flatMap((one) => allOf(one)),
  );

  const stateDir = join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const place = { stateDir, clock: systemClock };
  const at = new Date().toISOString();
  // Of another configuration.
  const key = { layer: "other", reference: "oci://registry.example/policies/other:1" };
  await changeHistory(place, key, (before) =>
    noteCandidate(hold(before, { digest: digestOf("held"), at, by: "alice", why: null }), {
      digest: digestOf("candidate"),
      revision: "2",
      at,
      state: "waiting",
      code: null,
      message: null,
    }),
  );
  const reference = "oci://registry.example/policies/crm:1";
  const last = kept.get("last");
  if (last !== undefined) await remember(cache, reference, last);
  const pinned = `oci://registry.example/policies/mail@${digestOf("pinned")}`;
  const config = {
    agent: { id: "bot", scope: "support" },
    user: { id: "alice" },
    environment: { region: "eu" },
    servers: {
      crm: { command: "node", policy: { bundle: reference, require: "none" } },
      mail: { command: "node", policy: pinned },
    },
  };
  await writeFile(join(folder, "mcp-gateway.config.json"), JSON.stringify(config), { mode: 0o600 });
  const lock = { version: 1, bundles: { crm: { digest: digestOf("locked") } } };
  await writeFile(join(folder, "mcp-gateway.lock.json"), JSON.stringify(lock));

  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache"), MCP_GATEWAY_STATE: stateDir };
  const dry = await runCli(["bundle", "gc", "--dry-run", "-o", "json"], folder, env);
  const report = { removed_files: 3, freed_bytes: kept.get("useless")?.bytes };
  expect(JSON.parse(dry.out)).toMatchObject({ ...report, dry_run: true });
  const done = await runCli(["bundle", "gc", "-o", "json"], folder, env);
  expect(JSON.parse(done.out)).toMatchObject({ ...report, dry_run: false });
  const useless = allOf(kept.get("useless") ?? (await keep("useless")));
  const needed = [...kept.values()].flatMap((one) => allOf(one));
  expect(sorted(await left())).toEqual(sorted(needed.filter((one) => !useless.includes(one))));
});
