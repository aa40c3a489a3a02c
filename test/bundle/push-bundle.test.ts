import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packBundle } from "../../src/bundle/archive.ts";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { registryOptions } from "../support/bundle-setting.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const registry = registryOptions();

async function pushInto(bundle: Parameters<typeof pushBundle>[0], options: object = {}) {
  const path = join(temporaryFolder(), "layout");
  const reference = parseReference(`oci-layout:${path}:crm`);
  const pushed = await pushBundle(bundle, reference, { registry, ...options });
  const file = join(path, "blobs", "sha256", pushed.digest.slice("sha256:".length));
  return { pushed, manifest: JSON.parse(await readFile(file, "utf8")) };
}

describe("a pushed bundle", () => {
  test("is an artifact as OPA, the ORAS CLI and skopeo take it", async () => {
    const { manifest, pushed } = await pushInto(tinyFiles({ name: "crm", layer: "server" }));
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.mcp-gateway.policy-bundle.v1",
      config: {
        mediaType: "application/vnd.oci.empty.v1+json",
        digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        size: 2,
      },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          digest: pushed.layer.digest,
          size: pushed.layer.size,
          annotations: { "org.opencontainers.image.title": "bundle.tar.gz" },
        },
      ],
      annotations: {
        "io.mcp-gateway.bundle.layer": "server",
        "io.mcp-gateway.bundle.name": "crm",
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "org.opencontainers.image.revision": "1.0.0",
        "org.opencontainers.image.title": "crm",
        "org.opencontainers.image.version": "1.0.0",
      },
    });
  });

  test("has the same digest each time, as files or as an archive", async () => {
    const files = tinyFiles();
    const { pushed } = await pushInto(files);
    expect((await pushInto(new Map([...files].toReversed()))).pushed.digest).toBe(pushed.digest);
    expect((await pushInto(packBundle(files))).pushed.digest).toBe(pushed.digest);
  });

  test("says when and where its sources were made, if that is known", async () => {
    const source = "https://git.example/policies";
    const { manifest } = await pushInto(tinyFiles(), { createdSeconds: 1_700_000_000, source });
    expect(manifest.annotations).toMatchObject({
      "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
      "org.opencontainers.image.source": source,
    });
  });

  test("that is no archive, or has a broken manifest, is not pushed", async () => {
    await expect(pushInto(Buffer.from("text"))).rejects.toMatchObject({
      code: "bundle_archive_invalid",
    });
    await expect(pushInto(tinyFiles({}, { ".manifest": "{" }))).rejects.toMatchObject({
      code: "bundle_manifest_invalid",
    });
  });
});
