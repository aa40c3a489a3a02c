import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseReference } from "../../../src/bundle/reference.ts";
import { openSource } from "../../../src/bundle/sources/open-source.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import { registryOptions } from "../../support/bundle-setting.ts";
import { indexType, manifestType, reply, startFakeRegistry } from "../../support/fake-registry.ts";
import type { FakeRegistry } from "../../support/fake-registry.ts";
import { artifactOf, cosign, keySigner } from "./support.ts";

const subject = cosign.subject;
const api = `/v2/acme/crm/referrers/${subject}`;
const tag = subject.replace(":", "-");
const artifact = artifactOf([subject]);

/** A registry with what cosign left, apart from where it is listed. */
async function registryWithSignature(): Promise<FakeRegistry> {
  const registry = await startFakeRegistry();
  onTestFinished(registry.close);
  for (const text of Object.values(cosign.blobs)) registry.putBlob(Buffer.from(text));
  registry.putManifest("unlisted", Buffer.from(cosign.referrer));
  return registry;
}

async function open(registry: FakeRegistry) {
  const reference = parseReference(`oci://${registry.host}/acme/crm:v1`);
  if (reference.scheme !== "oci") throw new Error("expected a registry");
  const source = await openSource(reference, registryOptions());
  onTestFinished(source.close);
  return source;
}

async function verify(registry: FakeRegistry) {
  return await verifyArtifact(artifact, [keySigner()], [await open(registry)]);
}

function answerIndex(
  response: ServerResponse,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): true {
  return reply(response, 200, { "content-type": indexType, ...headers }, text);
}

const emptyIndex = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });

describe("the referrers of a manifest", () => {
  test("come from the API where the registry has one", async () => {
    const registry = await registryWithSignature();
    registry.misbehave(({ path }, response) => path === api && answerIndex(response, cosign.index));
    expect(await verify(registry)).toMatchObject({ kind: "verified" });
    expect(registry.requests.map(({ path }) => path)).not.toContain(
      `/v2/acme/crm/manifests/${tag}`,
    );
  });

  test.each([400, 404, 405, 501])("come from the tag where the API answers %i", async (status) => {
    const registry = await registryWithSignature();
    registry.putManifest(tag, Buffer.from(cosign.index), indexType);
    registry.misbehave(({ path }, response) => path === api && reply(response, status));
    expect(await verify(registry)).toMatchObject({ kind: "verified" });
  });

  test("come from the tag where every unknown path has a page", async () => {
    const registry = await registryWithSignature();
    registry.putManifest(tag, Buffer.from(cosign.index), indexType);
    registry.misbehave(
      ({ path }, response) =>
        path === api && reply(response, 200, { "content-type": "text/html" }, "<html>"),
    );
    expect(await verify(registry)).toMatchObject({ kind: "verified" });
  });

  test("are none where the tag is the subject itself, or no index", async () => {
    const registry = await registryWithSignature();
    const document = { schemaVersion: 2, mediaType: manifestType, layers: [] };
    registry.putManifest(tag, document);
    const source = await open(registry);
    expect(await source.referrers(subject)).toEqual([]);
    const itself = Buffer.from(JSON.stringify(document));
    registry.misbehave(({ path, method }, response) => {
      if (method !== "HEAD" || !path.endsWith(tag)) return false;
      const headers = { "content-type": manifestType, "docker-content-digest": subject };
      return reply(response, 200, headers, itself);
    });
    expect(await source.referrers(subject)).toEqual([]);
    const asked = registry.requests.map(({ path }) => path);
    expect(asked).not.toContain(`/v2/acme/crm/manifests/${subject}`);
  });

  test("come in pages", async () => {
    const registry = await registryWithSignature();
    registry.misbehave(({ path }, response) => {
      if (path === api) {
        return answerIndex(response, emptyIndex, { link: `<${api}?next=2>; rel="next"` });
      }
      return path === `${api}?next=2` && answerIndex(response, cosign.index);
    });
    expect(await verify(registry)).toMatchObject({ kind: "verified" });
  });

  test.each([
    ["behind a bracket that opens nothing", `<x <${api}?next=2>; rel="next"`, true],
    ["behind 4 KiB of other text", `${"x".repeat(4096)}, <${api}?next=2>; rel="next"`, false],
    ["behind a parameter that opens another link", `<${api}?next=2>; a=<; rel="next"`, false],
  ])("with a next page %s are read to their end, or to there", async (_, link, isFollowed) => {
    const registry = await registryWithSignature();
    registry.misbehave(({ path }, response) =>
      path === api
        ? answerIndex(response, emptyIndex, { link })
        : path === `${api}?next=2` && answerIndex(response, cosign.index),
    );
    const found = await (await open(registry)).referrers(subject);
    expect(found.length > 0).toBe(isFollowed);
  });

  test("are asked for in ten pages at most", async () => {
    const registry = await registryWithSignature();
    let pages = 0;
    registry.misbehave(({ path }, response) => {
      if (!path.startsWith(api)) return false;
      pages += 1;
      return answerIndex(response, emptyIndex, { link: `<${api}?page=${pages}>; rel="next"` });
    });
    expect(await (await open(registry)).referrers(subject)).toEqual([]);
    expect(pages).toBe(10);
  });

  test.each(["http://169.254.169.254/latest", "//other.example/x", "https://x@other.example/"])(
    "are refused where the next page is at %s",
    async (target) => {
      const registry = await registryWithSignature();
      registry.misbehave(
        ({ path }, response) =>
          path === api && answerIndex(response, emptyIndex, { link: `<${target}>; rel="next"` }),
      );
      const listing = (await open(registry)).referrers(subject);
      await expect(listing).rejects.toMatchObject({ code: "bundle_redirect_refused" });
      expect(registry.requests).toHaveLength(1);
    },
  );

  test("that cannot be listed are trouble, not the absence of signatures", async () => {
    for (const [status, code] of [
      [500, "bundle_unreachable"],
      [403, "bundle_unauthorized"],
    ] as const) {
      const registry = await registryWithSignature();
      registry.misbehave(({ path }, response) => path === api && reply(response, status));
      await expect(verify(registry)).rejects.toMatchObject({ code });
    }
  });

  test("whose list is broken are told, and cosign's tag is still looked at", async () => {
    const registry = await registryWithSignature();
    registry.misbehave(({ path }, response) => path === api && answerIndex(response, "{"));
    expect(await verify(registry)).toMatchObject({
      kind: "failed",
      tried: [{ kind: "signatures", reason: expect.stringContaining("JSON manifest") }],
    });
    registry.putManifest(`${tag}.sig`, Buffer.from(cosign.signatures));
    expect(await verify(registry)).toMatchObject({ kind: "verified" });
  });

  test("with bytes that are not theirs do not count", async () => {
    const registry = await registryWithSignature();
    registry.putManifest(tag, Buffer.from(cosign.index), indexType);
    for (const digest of registry.blobs.keys()) registry.blobs.set(digest, Buffer.from("{}"));
    expect(await verify(registry)).toMatchObject({ kind: "failed" });
  });
});
