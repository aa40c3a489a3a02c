import { describe, expect, test } from "vitest";
import { packBundle } from "../../src/bundle/archive.ts";
import {
  failureMessage,
  loadCrm,
  outcomeOf,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const zeros = `sha256:${"0".repeat(64)}`;

describe("content that is not what its digest names is not used", () => {
  test("a manifest with another hash", async () => {
    const registry = await registryWithBundle();
    const stored = registry.manifests.get(registry.digest);
    const changed = Buffer.from(stored?.bytes.toString().replace(" ", "") ?? "").subarray(0);
    changed[changed.length - 1] = 0x20;
    registry.manifests.set(registry.digest, { bytes: changed, mediaType: stored?.mediaType ?? "" });
    registry.misbehave(({ method }, response) => {
      const headers = { "docker-content-digest": registry.digest };
      return method === "HEAD" && reply(response, 200, headers);
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_digest_mismatch");
  });

  test("a manifest that the registry itself calls by another digest", async () => {
    const registry = await registryWithBundle();
    const stored = registry.manifests.get(registry.digest);
    registry.misbehave(({ method, path }, response) => {
      if (method !== "GET" || !path.includes("/manifests/")) return false;
      const headers = {
        "content-type": stored?.mediaType ?? "",
        "docker-content-digest": zeros,
      };
      return reply(response, 200, headers, stored?.bytes);
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_digest_mismatch");
  });

  test("a layer of the same size with one other bit", async () => {
    const registry = await registryWithBundle();
    for (const [digest, bytes] of registry.blobs) {
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      registry.blobs.set(digest, changed);
    }
    const message = await failureMessage(loadCrm(registry.reference));
    expect(message).toContain(registry.reference);
    expect(message).toMatch(/expected .* to have digest sha256:/);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_digest_mismatch");
  });

  test("a layer with one byte more, or fewer, than its manifest says", async () => {
    const registry = await registryWithBundle();
    for (const change of [
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("x")]),
      (bytes: Buffer) => bytes.subarray(0, -2),
    ]) {
      for (const [digest, bytes] of registry.blobs) registry.blobs.set(digest, change(bytes));
      expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_digest_mismatch");
    }
  });

  test("a whole other bundle under a pinned digest", async () => {
    const registry = await registryWithBundle();
    const other = Buffer.from(packBundle(tinyFiles({ name: "crm", extra: "evil" })));
    for (const digest of registry.blobs.keys()) registry.blobs.set(digest, other);
    const pinned = `${registry.reference}@${registry.digest}`;
    expect(await outcomeOf(loadCrm(pinned))).toBe("bundle_digest_mismatch");
  });

  test("the unchanged bundle is used", async () => {
    const registry = await registryWithBundle();
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });
});
