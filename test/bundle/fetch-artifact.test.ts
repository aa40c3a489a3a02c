import { describe, expect, test } from "vitest";
import {
  bundleManifest,
  failureMessage,
  loadCrm,
  outcomeOf,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { indexType, layerType, manifestType } from "../support/fake-registry.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";

type Registry = Awaited<ReturnType<typeof registryWithBundle>>;

const archive = tinyArchive();

function layersOf(registry: Registry, ...types: readonly string[]): object {
  const layer = { digest: registry.putBlob(archive), size: archive.length };
  return { schemaVersion: 2, layers: types.map((mediaType) => ({ ...layer, mediaType })) };
}

function descriptor(registry: Registry, digest: string, mediaType = manifestType): object {
  return { mediaType, digest, size: registry.manifests.get(digest)?.bytes.length ?? 0 };
}

function putIndex(registry: Registry, tag: string, children: readonly object[]): string {
  const index = { schemaVersion: 2, mediaType: indexType, manifests: children };
  return registry.putManifest(tag, index, indexType);
}

describe("an artifact", () => {
  test.each([
    ["OPA's and ours", layerType],
    ["the ORAS CLI's default", "application/vnd.oci.image.layer.v1.tar"],
    ["Docker's", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
    ["the bundle service's", "application/vnd.openpolicyagent.bundles"],
  ])("with one layer of type %s is a bundle", async (_, type) => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", layersOf(registry, type));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("of the policy CLI, with annotations and layers of other types, is a bundle", async () => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", {
      ...layersOf(registry, "text/plain", layerType),
      artifactType: "application/vnd.oci.image.manifest.v1+json",
      annotations: { "org.openpolicyregistry.type": "policy" },
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("without media type and config is a bundle", async () => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", layersOf(registry, layerType));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test.each([
    ["two bundle layers, as an image has", [layerType, layerType], "2 of them"],
    ["no layer", [], "no layer"],
    ["a layer of another type", ["text/html"], '"text/html"'],
    [
      "two layers of types that stand alone only",
      ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar"],
      "layers of type",
    ],
  ])("with %s is refused and described", async (_, types, found) => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", layersOf(registry, ...types));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_artifact_unsupported");
    expect(await failureMessage(loadCrm(registry.reference))).toContain(found);
  });

  test("of conftest is refused with what to do", async () => {
    const registry = await registryWithBundle();
    const types = [
      "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego",
      "application/vnd.cncf.openpolicyagent.data.layer.v1+json",
    ];
    registry.putManifest("v1", layersOf(registry, ...types));
    expect(await failureMessage(loadCrm(registry.reference))).toMatch(/Conftest.*bundle push/);
  });

  test.each([
    ["of schema 1", { schemaVersion: 1, fsLayers: [] }],
    ["that is manifest and index at once", { schemaVersion: 2, layers: [], manifests: [] }],
    ["that is a list", []],
  ])("%s is refused", async (_, document) => {
    const registry = await registryWithBundle();
    registry.putManifest("v1", document);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });

  test("of a manifest type that nobody knows is refused", async () => {
    const registry = await registryWithBundle();
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    registry.putManifest("v1", layersOf(registry, layerType), type);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_artifact_unsupported");
  });

  test("is fetched from the registry, not from the addresses or data that it embeds", async () => {
    const registry = await registryWithBundle();
    const evil = "eyJldmlsIjp0cnVlfQ==";
    registry.putManifest("v1", {
      schemaVersion: 2,
      layers: [
        {
          mediaType: layerType,
          digest: registry.putBlob(archive),
          size: archive.length,
          urls: [`${registry.origin}/evil`],
          data: evil,
        },
      ],
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
    expect(registry.requests.map(({ path }) => path)).not.toContain("/evil");
  });

  test.each(["sha256:../../etc/passwd", "md5:00", `sha256:${"A".repeat(64)}`, ""])(
    "whose layer has the digest %j is refused",
    async (digest) => {
      const registry = await registryWithBundle();
      const layers = [{ mediaType: layerType, digest, size: 1 }];
      registry.putManifest("v1", { schemaVersion: 2, layers });
      expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
    },
  );
});

describe("an index", () => {
  test("gives the first manifest that has a bundle, under the digest of the index", async () => {
    const registry = await registryWithBundle();
    const image = registry.putManifest("image", layersOf(registry, layerType, layerType));
    const good = registry.putManifest("good", bundleManifest(registry, archive));
    const digest = putIndex(registry, "v1", [
      descriptor(registry, image),
      descriptor(registry, good),
      descriptor(registry, `sha256:${"0".repeat(64)}`),
    ]);
    expect(await loadCrm(registry.reference)).toMatchObject({ ok: true, bundle: { digest } });
  });

  test("has its attestations passed over unread", async () => {
    const registry = await registryWithBundle();
    const good = registry.putManifest("good", bundleManifest(registry, archive));
    const platform = { os: "unknown", architecture: "unknown" };
    const attestation = { ...descriptor(registry, `sha256:${"0".repeat(64)}`), platform };
    putIndex(registry, "v1", [attestation, descriptor(registry, good)]);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("without a bundle is refused", async () => {
    const registry = await registryWithBundle();
    putIndex(registry, "v1", []);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_artifact_unsupported");
  });

  test("may be nested four deep and not five", async () => {
    const registry = await registryWithBundle();
    let inner = registry.putManifest("good", bundleManifest(registry, archive));
    let type = manifestType;
    for (const outcome of ["ok", "ok", "ok", "ok", "bundle_too_large"]) {
      inner = putIndex(registry, "v1", [descriptor(registry, inner, type)]);
      type = indexType;
      expect(await outcomeOf(loadCrm(registry.reference))).toBe(outcome);
    }
  });

  test("that fans out is not followed beyond 32 manifests", async () => {
    const registry = await registryWithBundle();
    const children = Array.from({ length: 40 }, (_, index) => {
      const image = { ...layersOf(registry, "text/plain"), annotations: { n: String(index) } };
      return descriptor(registry, registry.putManifest(`c${index}`, image));
    });
    putIndex(registry, "v1", children);
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_too_large");
    expect(registry.requests.length).toBeLessThan(40);
  });

  test("asks for a child that it names twice only once", async () => {
    const registry = await registryWithBundle();
    const child = registry.putManifest("c", layersOf(registry, "text/plain"));
    putIndex(registry, "v1", [descriptor(registry, child), descriptor(registry, child)]);
    await loadCrm(registry.reference);
    const asked = registry.requests.filter(({ path }) => path.endsWith(child));
    expect(asked).toHaveLength(1);
  });
});
