import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCache } from "../../src/bundle/cache.ts";
import { fetchArtifact } from "../../src/bundle/fetch-artifact.ts";
import { describeBytes, mediaTypes } from "../../src/bundle/oci-document.ts";
import { holdContent } from "../../src/bundle/sources/held-content.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import { verifyArtifact } from "../../src/bundle/verify/verify-artifact.ts";
import type { Signer } from "../../src/bundle/verify/trust.ts";
import { dependencies, registryWithBundle } from "../support/bundle-setting.ts";
import { reply, sha256 } from "../support/fake-registry.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";
import { artifactOf, cosign, cosignPlace, keySigner, ownKey, referrer } from "./verify/support.ts";

const { signal } = new AbortController();

function newCache() {
  const path = join(temporaryFolder(), "cache");
  return { path, cache: openCache(path, createTestLog()) };
}

async function blobsIn(path: string): Promise<readonly string[]> {
  const folder = join(path, "blobs", "sha256");
  return existsSync(folder) ? (await readdir(folder)).map((hex) => `sha256:${hex}`) : [];
}

describe("an artifact that is fetched", () => {
  test("is on disk when it is kept, whole, and not before", async () => {
    const home = await registryWithBundle();
    const { path, cache } = newCache();
    const options = dependencies({ cachePath: path });
    const source = await openBundleSource(home.reference, { kind: "server" }, options);
    const fetched = await source.fetch({ id: home.digest }, signal);
    await fetched.signed?.content.referrers(fetched.digest);
    expect(existsSync(path)).toBe(false);
    await fetched.close();
    await home.close();
    await fetched.keep();
    const artifact = await fetchArtifact(cache.content, fetched.digest, "cache");
    expect(artifact.archive).toEqual(tinyArchive());
    expect(await blobsIn(path)).toContain(artifact.manifest.config?.digest);
  });

  test("from a cache that has it is not written again", async () => {
    const home = await registryWithBundle();
    const { path } = newCache();
    const options = dependencies({ cachePath: path });
    const source = await openBundleSource(home.reference, { kind: "server" }, options);
    const first = await source.fetch({ id: home.digest }, signal);
    await first.keep();
    await first.close();
    const asked = home.requests.length;
    const again = await source.fetch({ id: home.digest }, signal);
    await again.keep();
    await again.close();
    expect(again.origin).toBe("cache");
    expect(home.requests).toHaveLength(asked);
  });

  test("without a cache is kept nowhere", async () => {
    const home = await registryWithBundle();
    const source = await openBundleSource(home.reference, { kind: "server" }, dependencies());
    const fetched = await source.fetch({ id: home.digest }, signal);
    await fetched.close();
    await expect(fetched.keep()).resolves.toBeUndefined();
  });
});

test("an archive of a bundle service is on disk when it is kept, and not before", async () => {
  const home = await registryWithBundle();
  const archive = tinyArchive();
  home.misbehave((_, response) => reply(response, 200, {}, archive));
  const { path, cache } = newCache();
  const options = dependencies({ cachePath: path });
  const source = await openBundleSource(`${home.origin}/b.tar.gz`, { kind: "server" }, options);
  const fetched = await source.fetch({ id: sha256(archive) }, signal);
  expect(existsSync(path)).toBe(false);
  await fetched.keep();
  const descriptor = describeBytes(archive, "application/gzip");
  expect(await cache.content.readBlob(descriptor, archive.length)).toEqual(archive);
});

describe("a signature that is read", () => {
  const signed = artifactOf([cosign.subject]);

  /** A bundle under what cosign signed, with a foreign signature before the good one. */
  async function meet(signer: Signer) {
    const place = cosignPlace("bundle");
    const [good] = place.listed.splice(0);
    const junk = place.putBlob("{}", mediaTypes.sigstoreBundle);
    const bad = place.refer(referrer(cosign.subject, junk));
    if (good !== undefined) place.listed.push(good);
    const { path, cache } = newCache();
    const { content, keep } = holdContent(cache, place);
    const found = await verifyArtifact(signed, [signer], [cache.content, content]);
    const archive = tinyArchive();
    const layer = describeBytes(archive, mediaTypes.bundleLayer);
    const manifest = { schemaVersion: 2 as const, layers: [layer] };
    const bytes = Buffer.from("{}");
    const documents = [{ digest: cosign.subject, bytes, mediaType: mediaTypes.manifest }];
    const artifact = { digest: cosign.subject, documents, manifest, layer, archive };
    const keepAll = async () => await keep({ artifact, config: undefined, isNew: false });
    return { path, cache, found, keepAll, bad, junk };
  }

  test("is on disk when it proved something and is kept; what was read before it never is", async () => {
    const { path, cache, found, keepAll, bad, junk } = await meet(keySigner());
    expect(await blobsIn(path)).toEqual([]);
    if (found.kind === "failed") throw new Error("expected a good signature");
    for (const { subject, manifest } of found.proofs) await cache.keepProof(subject, manifest);
    expect(await blobsIn(path)).toEqual([]);
    await keepAll();
    expect(await verifyArtifact(signed, [keySigner()], [cache.content])).toMatchObject({
      kind: "verified",
    });
    const kept = await blobsIn(path);
    expect(kept).toHaveLength(2);
    expect(kept).not.toContain(bad);
    expect(kept).not.toContain(junk.digest);
  });

  test("and proves nothing is never on disk", async () => {
    const { path, found, keepAll } = await meet(keySigner(ownKey().publicPem));
    expect(found.kind).toBe("failed");
    await keepAll();
    expect(await blobsIn(path)).toEqual([]);
  });
});
