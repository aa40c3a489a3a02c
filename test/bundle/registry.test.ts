import { describe, expect, test } from "vitest";
import { reply } from "../support/fake-registry.ts";
import { loadCrm, outcomeOf, registryWithBundle } from "../support/bundle-setting.ts";

describe("a bundle in a registry", () => {
  test("is resolved by HEAD and then asked for by digest only", async () => {
    const registry = await registryWithBundle();
    const loaded = await loadCrm(registry.reference);
    expect(loaded).toMatchObject({
      ok: true,
      bundle: { name: "crm", digest: registry.digest, origin: "registry", revision: "1.0.0" },
    });
    const [head, manifest, blob, ...more] = registry.requests.map(
      ({ method, path }) => `${method} ${path}`,
    );
    expect(head).toBe("HEAD /v2/policies/crm/manifests/v1");
    expect(manifest).toBe(`GET /v2/policies/crm/manifests/${registry.digest}`);
    expect(blob).toMatch(/^GET \/v2\/policies\/crm\/blobs\/sha256:[0-9a-f]{64}$/);
    expect(more).toEqual([]);
  });

  test("is asked for with all four manifest types, since registries hide the others", async () => {
    const registry = await registryWithBundle();
    await loadCrm(registry.reference);
    const [head, get] = registry.requests;
    for (const type of [
      "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.docker.distribution.manifest.list.v2+json",
    ]) {
      expect(head?.headers.accept).toContain(type);
      expect(get?.headers.accept).toContain(type);
    }
    expect(get?.headers["accept-encoding"]).toBe("identity");
  });

  test("is found by GET where HEAD names no digest", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(({ method }, response) => method === "HEAD" && reply(response, 200));
    expect(await loadCrm(registry.reference)).toMatchObject({
      ok: true,
      bundle: { digest: registry.digest },
    });
  });

  test("is found by GET where HEAD is not allowed", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(({ method }, response) => method === "HEAD" && reply(response, 405));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("that is pinned is never resolved", async () => {
    const registry = await registryWithBundle();
    const pinned = `${registry.reference}@${registry.digest}`;
    expect(await outcomeOf(loadCrm(pinned))).toBe("ok");
    expect(registry.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  test("is not found where tag or repository do not exist", async () => {
    const registry = await registryWithBundle();
    const missing = registry.reference.replace(":v1", ":v2");
    expect(await outcomeOf(loadCrm(missing))).toBe("bundle_not_found");
  });

  test("is refused where the tag stands for a digest of an unknown kind", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(
      ({ method }, response) =>
        method === "HEAD" && reply(response, 200, { "docker-content-digest": "md5:123" }),
    );
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });

  test("is refused where content type and media type differ", async () => {
    const registry = await registryWithBundle();
    const stored = registry.manifests.get(registry.digest);
    registry.misbehave(({ method, path }, response) => {
      if (method !== "GET" || !path.includes("/manifests/")) return false;
      const type = "application/vnd.oci.image.index.v1+json";
      return reply(response, 200, { "content-type": type }, stored?.bytes ?? "");
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });

  test("is refused where a login page is served in place of a manifest", async () => {
    const registry = await registryWithBundle();
    const page = "<html>please sign in</html>";
    registry.misbehave((_, response) =>
      reply(response, 200, { "content-type": "text/html" }, page),
    );
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });

  test("is refused where its content comes encoded", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(({ path }, response) => {
      if (!path.includes("/blobs/")) return false;
      return reply(response, 200, { "content-encoding": "gzip" }, "x");
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_protocol_invalid");
  });
});
