import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCache } from "../../../src/bundle/cache.ts";
import { isDigest } from "../../../src/bundle/digest.ts";
import { mediaTypes } from "../../../src/bundle/oci-document.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { artifactOf, cosign, cosignPlace, keySigner, memoryPlace, ownKey } from "./support.ts";

const artifact = artifactOf([cosign.subject]);

/** A cache after a bundle was verified from a registry. */
async function cacheAfter(form: "bundle" | "tag") {
  const path = join(temporaryFolder(), "cache");
  const cache = openCache(path, createTestLog());
  const place = cosignPlace(form);
  const found = await verifyArtifact(artifact, [keySigner()], [cache.peekBefore(place)]);
  if (found.kind === "failed") throw new Error("expected a good signature");
  for (const { subject, manifest } of found.proofs) await cache.keepProof(subject, manifest);
  for (const part of [place.blobs, place.manifests]) {
    for (const [digest, bytes] of part) if (isDigest(digest)) await cache.keepPart(bytes, digest);
  }
  return { path, cache };
}

describe("what verified a bundle", () => {
  test.each(["bundle", "tag"] as const)(
    "as a %s is in the cache: a start without the registry verifies again",
    async (form) => {
      const { cache } = await cacheAfter(form);
      expect(await verifyArtifact(artifact, [keySigner()], [cache.content])).toMatchObject({
        kind: "verified",
      });
    },
  );

  test("is judged again: a cache says nothing to another key", async () => {
    const { cache } = await cacheAfter("bundle");
    const stranger = keySigner(ownKey().publicPem);
    expect(await verifyArtifact(artifact, [stranger], [cache.content])).toMatchObject({
      code: "no_trusted_signature",
    });
  });

  test("is not driven out by what did not", async () => {
    const { cache } = await cacheAfter("bundle");
    const empty = memoryPlace();
    const places = [cache.content, cache.peekBefore(empty)];
    expect(await verifyArtifact(artifact, [keySigner()], places)).toMatchObject({
      kind: "verified",
    });
  });

  test("that was damaged on disk counts as none", async () => {
    const { path, cache } = await cacheAfter("bundle");
    const folder = join(path, "blobs", "sha256");
    for (const name of await readdir(folder)) await writeFile(join(folder, name), "{}");
    expect(await verifyArtifact(artifact, [keySigner()], [cache.content])).toMatchObject({
      kind: "failed",
    });
  });

  test.each(["", "[]", '{"subject":"x","manifests":[]}', '{"manifests":[{"digest":"../x"}]}'])(
    "is not read from a list that is %j",
    async (text) => {
      const { path, cache } = await cacheAfter("bundle");
      const [name = ""] = await readdir(join(path, "proofs"));
      await writeFile(join(path, "proofs", name), text);
      expect(await cache.content.referrers(cosign.subject)).toEqual([]);
    },
  );

  test("is not read from the list of another manifest", async () => {
    const { path, cache } = await cacheAfter("bundle");
    const [name = ""] = await readdir(join(path, "proofs"));
    const list = JSON.parse(await readFile(join(path, "proofs", name), "utf8"));
    const other = { ...list, subject: `sha256:${"c3".repeat(32)}` };
    await writeFile(join(path, "proofs", name), JSON.stringify(other));
    expect(list.manifests).toHaveLength(1);
    expect(await cache.content.referrers(cosign.subject)).toEqual([]);
  });

  test("is kept for a few signers, the newest first", async () => {
    const { cache } = await cacheAfter("bundle");
    for (let index = 0; index < 20; index += 1) {
      const digest = `sha256:${index.toString(16).padStart(64, "0")}` as const;
      await cache.keepProof(cosign.subject, { mediaType: mediaTypes.manifest, digest, size: 2 });
    }
    const kept = await cache.content.referrers(cosign.subject);
    expect(kept).toHaveLength(8);
    expect(kept[0]?.digest).toBe(`sha256:${"13".padStart(64, "0")}`);
  });
});
