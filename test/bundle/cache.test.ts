import { readdir, readFile, stat, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCache } from "../../src/bundle/cache.ts";
import { isDigest } from "../../src/bundle/digest.ts";
import { readKeptBundle } from "../../src/bundle/life/kept-bundles.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import type { RegistryReference } from "../../src/bundle/reference.ts";
import type { Digest } from "../../src/contract/bundle.ts";
import { codeOf } from "../../src/errors.ts";
import {
  bundleManifest,
  loadCrm,
  outcomeOf,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createTestLog } from "../support/log.ts";

async function setting() {
  const registry = await registryWithBundle();
  const cachePath = join(temporaryFolder(), "cache");
  const log = createTestLog();
  const cache = openCache(cachePath, log);
  const load = async (reference = registry.reference) =>
    await loadCrm(reference, { cachePath, log });
  /** As a start without the registry reads what was active. */
  const readKept = async (digest: string = registry.digest) =>
    await readKeptBundle(cache, registry.reference, {
      digest: digestOf(digest),
      version: { id: digest },
      archive_bytes: null,
    });
  const methods = (): string => registry.requests.map(({ method }) => method).join(" ");
  return { registry, cachePath, cache, log, load, readKept, methods };
}

function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Error("expected a digest");
}

function remote(text: string): RegistryReference {
  const reference = parseReference(text);
  if (reference.scheme === "oci") return reference;
  throw new Error("expected a reference to a registry");
}

async function refusalOf(reading: Promise<unknown>): Promise<string | undefined> {
  return await reading.then(
    () => undefined,
    (thrown: unknown) => codeOf(thrown),
  );
}

async function allFiles(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function changeEveryBlob(cachePath: string): Promise<void> {
  for (const path of await allFiles(join(cachePath, "blobs"))) {
    const bytes = await readFile(path);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
}

describe("the cache", () => {
  test("has what was kept, without the registry", async () => {
    const { registry, load, log, readKept } = await setting();
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    await registry.close();
    const kept = await readKept();
    expect(kept).toMatchObject({ origin: "cache", digest: registry.digest });
    expect(kept.archive).toEqual(tinyArchive());
    expect(log.lines).toEqual([]);
  });

  test("spares what it has: an unchanged tag costs one HEAD", async () => {
    const { registry, load, methods } = await setting();
    await load();
    registry.requests.length = 0;
    expect(await load()).toMatchObject({ bundle: { origin: "cache" } });
    expect(methods()).toBe("HEAD");
  });

  test("has a pinned reference need no network at all", async () => {
    const { registry, load, log } = await setting();
    await load();
    await registry.close();
    const pinned = `${registry.reference}@${registry.digest}`;
    expect(await load(pinned)).toMatchObject({ ok: true, bundle: { digest: registry.digest } });
    expect(log.lines).toEqual([]);
  });

  test("follows a tag that moves", async () => {
    const { registry, load, readKept } = await setting();
    await load();
    const archive = tinyArchive({ name: "crm", note: "next" });
    const digest = registry.putManifest("v1", bundleManifest(registry, archive));
    expect(await load()).toMatchObject({ bundle: { origin: "registry", digest } });
    await registry.close();
    expect((await readKept(digest)).archive).toEqual(archive);
  });
});

describe("the cache does not stand in", () => {
  test.each([
    ["content with a wrong digest", 200, "bundle_digest_mismatch"],
    ["not found", 404, "bundle_not_found"],
    ["not authorised", 401, "bundle_unauthorized"],
    ["not allowed", 403, "bundle_unauthorized"],
  ])("for a registry that answers with %s", async (_, status, outcome) => {
    const { registry, load } = await setting();
    await load();
    const archive = tinyArchive({ name: "crm", note: "next" });
    registry.putManifest("v1", bundleManifest(registry, archive));
    registry.misbehave(
      ({ method }, response) => method === "GET" && reply(response, status, {}, "other"),
    );
    expect(await outcomeOf(load())).toBe(outcome);
  });

  test("for a registry that is away: what a tag stands for now is not known here", async () => {
    const { registry, load } = await setting();
    await load();
    await registry.close();
    expect(await outcomeOf(load())).toBe("bundle_unreachable");
  });

  test("for a bundle that turned out to be another server's, which is never kept", async () => {
    const { registry, load, readKept } = await setting();
    const archive = tinyArchive({ name: "mail" });
    const digest = registry.putManifest("v1", bundleManifest(registry, archive));
    expect(await outcomeOf(load())).toBe("bundle_name_mismatch");
    expect(await refusalOf(readKept(digest))).toBe("bundle_not_found");
  });
});

describe("a cache that was tampered with", () => {
  test("is not believed", async () => {
    const { cachePath, load, readKept } = await setting();
    await load();
    await changeEveryBlob(cachePath);
    expect(await refusalOf(readKept())).toBe("bundle_digest_mismatch");
  });

  test("is repaired from the registry, with a warning", async () => {
    const { registry, cachePath, load, log, readKept } = await setting();
    await load();
    await changeEveryBlob(cachePath);
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    expect(log.lines.map(({ message }) => message)).toContain("bundle cache is degraded");
    await registry.close();
    expect((await readKept()).archive).toEqual(tinyArchive());
  });

  test("cannot make a pinned reference mean something else", async () => {
    const { registry, cachePath, load } = await setting();
    await load();
    const other = tinyArchive({ name: "crm", note: "evil" });
    for (const path of await allFiles(join(cachePath, "blobs"))) await writeFile(path, other);
    await registry.close();
    const pinned = `${registry.reference}@${registry.digest}`;
    expect(await outcomeOf(load(pinned))).toBe("bundle_unreachable");
  });
});

describe("what was pulled for a reference", () => {
  async function pulled() {
    const world = await setting();
    const { cache, load, registry } = world;
    await load();
    const top = await cache.content.readManifest(digestOf(registry.digest));
    const reference = remote(registry.reference);
    await cache.remember(reference, top);
    return { ...world, reference, top };
  }

  test("is known by that reference alone", async () => {
    const { cache, reference, registry } = await pulled();
    expect(await cache.pulled(reference)).toBe(registry.digest);
    expect(await cache.pulled({ ...reference, tag: "v2" })).toBeUndefined();
  });

  test("cannot be swapped with another's by renaming its file", async () => {
    const { cache, cachePath, reference, top } = await pulled();
    const other = { ...reference, tag: "v0" };
    await cache.remember(other, top);
    const [first, second] = await allFiles(join(cachePath, "refs"));
    if (first === undefined || second === undefined) throw new Error("expected two pointers");
    const bytes = await readFile(first);
    await writeFile(first, await readFile(second));
    await writeFile(second, bytes);
    expect(await cache.pulled(reference)).toBeUndefined();
    expect(await cache.pulled(other)).toBeUndefined();
  });

  test.each(["{", "[]", '{"reference":"x","digest":"sha256:../.."}', ""])(
    "is nothing where its file holds %j",
    async (text) => {
      const { cache, cachePath, reference } = await pulled();
      for (const path of await allFiles(join(cachePath, "refs"))) await writeFile(path, text);
      expect(await cache.pulled(reference)).toBeUndefined();
    },
  );

  test("is in the index of the layout, once for each reference", async () => {
    const { cache, cachePath, reference, top } = await pulled();
    const tags = ["a", "b", "c", "d"];
    await Promise.all(tags.map(async (tag) => await cache.remember({ ...reference, tag }, top)));
    const index = JSON.parse(await readFile(join(cachePath, "index.json"), "utf8"));
    expect(index.manifests).toHaveLength(5);
  });
});

describe("the folder of the cache", () => {
  test("is for its owner alone", async () => {
    const { cachePath, load } = await setting();
    await load();
    expect((await stat(cachePath)).mode & 0o777).toBe(0o700);
    const files = await allFiles(cachePath);
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) {
      expect([path, (await stat(path)).mode & 0o777]).toEqual([path, 0o600]);
    }
  });

  test("holds no temporary files once a load is done", async () => {
    const { cachePath, load } = await setting();
    await load();
    expect((await allFiles(cachePath)).filter((path) => /\.tmp$|\.lock$/.test(path))).toEqual([]);
  });

  test("that cannot be written to costs a warning and no bundle", async () => {
    const { cachePath, load, log } = await setting();
    await mkdir(cachePath);
    await writeFile(join(cachePath, "blobs"), "in the way");
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    expect(log.lines.map(({ message }) => message)).toContain("bundle cache is degraded");
  });

  test("is shared by many loads at once", async () => {
    const { registry, load, readKept } = await setting();
    const tags = ["a", "b", "c", "d"];
    const digests = tags.map((tag) => {
      const archive = tinyArchive({ name: "crm", note: tag });
      return registry.putManifest(tag, bundleManifest(registry, archive));
    });
    const references = tags.map((tag) => registry.reference.replace(/v1$/, tag));
    await Promise.all([...references, ...references].map(async (text) => await load(text)));
    await registry.close();
    for (const digest of digests) expect(await readKept(digest)).toMatchObject({ digest });
  });
});
