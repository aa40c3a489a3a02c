import { readdir, readFile, stat, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  bundleManifest,
  failureMessage,
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
  const load = async (reference = registry.reference) =>
    await loadCrm(reference, { cachePath, log });
  const methods = (): string => registry.requests.map(({ method }) => method).join(" ");
  return { registry, cachePath, log, load, methods };
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
  test("has a start without the registry use the last good bundle, with a warning", async () => {
    const { registry, load, log } = await setting();
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    expect(log.lines).toEqual([]);
    await registry.close();
    expect(await load()).toMatchObject({
      ok: true,
      bundle: { origin: "cache", digest: registry.digest, reference: registry.reference },
    });
    expect(log.lines).toMatchObject([
      {
        level: "warn",
        message: "registry is unreachable, using the last good bundle from the cache",
        data: { bundle: "crm", digest: registry.digest },
      },
    ]);
  });

  test("is used likewise where the registry answers with errors of its own", async () => {
    const { registry, load } = await setting();
    await load();
    registry.misbehave((_, response) => reply(response, 500));
    expect(await load()).toMatchObject({ bundle: { origin: "cache" } });
  });

  test("spares what it has: an unchanged tag costs one HEAD", async () => {
    const { registry, load, methods } = await setting();
    await load();
    registry.requests.length = 0;
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
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

  test("without a good bundle of that reference leaves the registry's absence an error", async () => {
    const { registry, load } = await setting();
    await load();
    await registry.close();
    const other = registry.reference.replace(":v1", ":v2");
    expect(await outcomeOf(load(other))).toBe("bundle_unreachable");
  });

  test("follows a tag that moves", async () => {
    const { registry, load } = await setting();
    await load();
    const archive = tinyArchive({ name: "crm", note: "next" });
    const digest = registry.putManifest("v1", bundleManifest(registry, archive));
    expect(await load()).toMatchObject({ bundle: { origin: "registry", digest } });
    await registry.close();
    expect(await load()).toMatchObject({ bundle: { origin: "cache", digest } });
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

  test("for a bundle that turned out to be another server's, which is never remembered", async () => {
    const { registry, load } = await setting();
    await load();
    const archive = tinyArchive({ name: "mail" });
    registry.putManifest("v1", bundleManifest(registry, archive));
    expect(await outcomeOf(load())).toBe("bundle_name_mismatch");
    await registry.close();
    expect(await load()).toMatchObject({ bundle: { origin: "cache", digest: registry.digest } });
  });
});

describe("a cache that was tampered with", () => {
  test("is not believed: with the registry away there is no bundle", async () => {
    const { registry, cachePath, load } = await setting();
    await load();
    await changeEveryBlob(cachePath);
    await registry.close();
    expect(await outcomeOf(load())).toBe("bundle_unreachable");
    expect(await failureMessage(load())).toContain("cannot be used");
  });

  test("is repaired from the registry, with a warning", async () => {
    const { registry, cachePath, load, log } = await setting();
    await load();
    await changeEveryBlob(cachePath);
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    expect(log.lines.map(({ message }) => message)).toContain("bundle cache is degraded");
    await registry.close();
    expect(await load()).toMatchObject({ bundle: { origin: "cache" } });
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

  test("cannot swap what is last good for a reference by renaming its pointer", async () => {
    const { registry, cachePath, load } = await setting();
    await load();
    const other = registry.reference.replace(":v1", ":v0");
    registry.putManifest("v0", bundleManifest(registry, tinyArchive({ name: "crm", note: "old" })));
    await load(other);
    const [first, second] = await allFiles(join(cachePath, "refs"));
    if (first === undefined || second === undefined) throw new Error("expected two pointers");
    const bytes = await readFile(first);
    await writeFile(first, await readFile(second));
    await writeFile(second, bytes);
    await registry.close();
    expect(await outcomeOf(load())).toBe("bundle_unreachable");
  });

  test.each(["{", "[]", '{"reference":"x","digest":"sha256:../.."}', ""])(
    "with the pointer %j has none",
    async (text) => {
      const { registry, cachePath, load } = await setting();
      await load();
      for (const path of await allFiles(join(cachePath, "refs"))) await writeFile(path, text);
      await registry.close();
      expect(await outcomeOf(load())).toBe("bundle_unreachable");
    },
  );
});

describe("the folder of the cache", () => {
  test("is for its owner alone", async () => {
    const { cachePath, load } = await setting();
    await load();
    expect((await stat(cachePath)).mode & 0o777).toBe(0o700);
    for (const path of await allFiles(cachePath)) {
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
    await writeFile(join(cachePath, "refs"), "in the way");
    expect(await load()).toMatchObject({ bundle: { origin: "registry" } });
    expect(log.lines.map(({ message }) => message)).toContain("bundle cache is degraded");
  });

  test("is shared by many loads at once", async () => {
    const { registry, load, cachePath } = await setting();
    for (const tag of ["a", "b", "c", "d"]) {
      const archive = tinyArchive({ name: "crm", note: tag });
      registry.putManifest(tag, bundleManifest(registry, archive));
    }
    const references = ["a", "b", "c", "d"].map((tag) => registry.reference.replace(/v1$/, tag));
    await Promise.all([...references, ...references].map(async (text) => await load(text)));
    await registry.close();
    for (const text of references) {
      expect(await load(text)).toMatchObject({ ok: true, bundle: { origin: "cache" } });
    }
    const index = JSON.parse(await readFile(join(cachePath, "index.json"), "utf8"));
    expect(index.manifests).toHaveLength(4);
  });
});
