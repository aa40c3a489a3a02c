import { describe, expect, test } from "vitest";
import { archiveLimits } from "../../src/bundle/archive.ts";
import { maxManifestBytes } from "../../src/bundle/oci-document.ts";
import {
  bundleManifest,
  loadCrm,
  outcomeOf,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { manifestType, layerType } from "../support/fake-registry.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";

describe("a registry that sends too much", () => {
  test("is not listened to beyond four megabytes of manifest", async () => {
    const registry = await registryWithBundle();
    let sent = 0;
    registry.misbehave(({ method, path }, response) => {
      if (method !== "GET" || !path.includes("/manifests/")) return false;
      response.writeHead(200, { "content-type": manifestType });
      const chunk = Buffer.alloc(256 * 1024, 0x20);
      const more = (): void => {
        while (sent < 64 * 1024 * 1024) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", more);
            return;
          }
        }
        response.end();
      };
      more();
      return true;
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_too_large");
    expect(sent).toBeLessThan(4 * maxManifestBytes);
  });

  test("is not asked for a layer that is declared larger than the limit", async () => {
    const registry = await registryWithBundle();
    for (const size of [archiveLimits.packedBytes + 1, 2 ** 52]) {
      const layers = [{ mediaType: layerType, digest: `sha256:${"0".repeat(64)}`, size }];
      registry.putManifest("v1", { schemaVersion: 2, layers });
      expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_too_large");
    }
    expect(registry.requests.filter(({ path }) => path.includes("/blobs/"))).toEqual([]);
  });

  test.each([
    ["2^62", "4611686018427387904"],
    ["a negative number", "-1"],
    ["a fraction", "1.5"],
    ["text", '"12"'],
  ])("is refused where the size of a layer is %s", async (_, size) => {
    const registry = await registryWithBundle();
    const text = `{"schemaVersion":2,"layers":[{"mediaType":"${layerType}","digest":"sha256:${"0".repeat(64)}","size":${size}}]}`;
    registry.putManifest("v1", Buffer.from(text));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });

  test("in an error is not listened to beyond eight kilobytes, and the error is understood", async () => {
    const registry = await registryWithBundle();
    let finished = false;
    registry.misbehave(({ method }, response) => {
      if (method !== "GET") return false;
      response.writeHead(404, { "content-type": "text/plain" });
      response.write(Buffer.alloc(16 * 1024, "x"));
      response.on("finish", () => {
        finished = true;
      });
      return true;
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_not_found");
    expect(finished).toBe(false);
  });

  test("is used again once it behaves", async () => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", bundleManifest(registry, tinyArchive()));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });
});
