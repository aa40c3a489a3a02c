import { describe, expect, onTestFinished, test } from "vitest";
import type { Polled, Version } from "../../src/bundle/sources/bundle-source.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import type { RegistryOptions } from "../../src/bundle/sources/registry-session.ts";
import { codeOf } from "../../src/errors.ts";
import { dependencies, loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { reply, sha256, startFakeRegistry } from "../support/fake-registry.ts";
import type { Mode } from "../support/fake-registry.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";

const { signal } = new AbortController();
const archive = tinyArchive();
const other = tinyArchive({ name: "crm", note: "newer" });

/** A server with one bundle, which a test may replace. */
async function startService(contentType = "application/gzip") {
  const server = await startFakeRegistry();
  onTestFinished(server.close);
  const serving = { bytes: archive };
  const serve: Mode = ({ headers }, response) => {
    const etag = `"${sha256(serving.bytes)}"`;
    if (headers["if-none-match"] === etag) return reply(response, 304, { etag });
    return reply(response, 200, { etag, "content-type": contentType }, serving.bytes);
  };
  server.misbehave(serve);
  return { ...server, url: `${server.origin}/bundles/crm.tar.gz`, serving, serve };
}

async function open(
  url: string,
  registry: RegistryOptions = registryOptions(),
  longPollMs?: number,
) {
  return await openBundleSource(url, { kind: "server", longPollMs }, dependencies({ registry }));
}

function versionOf(polled: Polled): Version {
  if (polled.kind === "changed") return polled.version;
  throw new Error(`expected a new version, found ${polled.kind}`);
}

describe("a bundle service", () => {
  test("is downloaded once for a poll and the fetch after it, and opens", async () => {
    const service = await startService();
    expect(await loadCrm(service.url)).toMatchObject({
      ok: true,
      bundle: { name: "crm", origin: "service", digest: sha256(archive), reference: service.url },
    });
    expect(service.requests).toHaveLength(1);
    expect(service.requests[0]?.headers["prefer"]).toBe("modes=snapshot");
  });

  test("is asked by its ETag from then on, also after a restart", async () => {
    const service = await startService();
    const version = versionOf(await (await open(service.url)).poll(undefined, signal));
    const later = await (await open(service.url)).poll(version, signal);
    expect(later).toEqual({ kind: "unchanged", waited: false });
    expect(service.requests.map(({ headers }) => headers["if-none-match"])).toEqual([
      undefined,
      version.etag,
    ]);
  });

  test("that says nothing new under a new ETag has nothing new", async () => {
    const service = await startService();
    const source = await open(service.url);
    const version = versionOf(await source.poll(undefined, signal));
    const headers = { etag: '"another"' };
    service.misbehave((_, response) => reply(response, 200, headers, archive));
    expect(await source.poll(version, signal)).toMatchObject({ kind: "unchanged" });
    await source.poll(version, signal);
    expect(service.requests.at(-1)?.headers["if-none-match"]).toBe('"another"');
  });

  test("gives exactly the version that was polled, or none", async () => {
    const service = await startService();
    const source = await open(service.url);
    const version = versionOf(await source.poll(undefined, signal));
    service.serving.bytes = other;
    expect((await source.fetch(version, signal)).archive).toEqual(archive);
    expect(await source.fetch(version, signal).catch(codeOf)).toBe("bundle_not_found");
    const next = versionOf(await source.poll(version, signal));
    expect((await source.fetch(next, signal)).archive).toEqual(other);
  });

  test.each([
    [1024, true],
    [1025, false],
  ])("with an ETag of %i characters is asked by it: %s", async (length, isTaken) => {
    const service = await startService();
    const etag = `"${"x".repeat(length - 2)}"`;
    service.misbehave((_, response) => reply(response, 200, { etag }, archive));
    const source = await open(service.url);
    const version = versionOf(await source.poll(undefined, signal));
    expect(version.etag).toBe(isTaken ? etag : undefined);
    await source.poll(version, signal);
    expect(service.requests.at(-1)?.headers["if-none-match"]).toBe(isTaken ? etag : undefined);
  });

  test("without ETags is compared by content", async () => {
    const service = await startService();
    service.misbehave((_, response) => reply(response, 200, {}, archive));
    const source = await open(service.url);
    const version = versionOf(await source.poll(undefined, signal));
    expect(await source.poll(version, signal)).toMatchObject({ kind: "unchanged" });
  });

  test("that is busy says when to come back", async () => {
    const service = await startService();
    service.misbehave((_, response) => reply(response, 429, { "retry-after": "120" }));
    const polled = await (await open(service.url)).poll(undefined, signal);
    expect(polled).toMatchObject({
      kind: "failed",
      error: { code: "bundle_unreachable" },
      retryAfterMs: 120_000,
    });
  });

  test.each([
    ["nothing at all", 200, "", "bundle_protocol_invalid"],
    ["304 to a question without ETag", 304, "", "bundle_protocol_invalid"],
    ["404", 404, "", "bundle_not_found"],
    ["no archive", 200, "<html>", "bundle_archive_invalid"],
  ])("that answers %s is refused", async (_, status, body, code) => {
    const service = await startService();
    service.misbehave((_request, response) => reply(response, status, {}, body));
    expect(await outcomeOf(loadCrm(service.url))).toBe(code);
  });

  test("that never answers is given up", async () => {
    const service = await startService();
    service.misbehave(() => true);
    const registry = registryOptions({ stepTimeoutMs: 100, deadlineMs: 1000 });
    const polled = await (await open(service.url, registry)).poll(undefined, signal);
    expect(polled).toMatchObject({ kind: "failed", error: { code: "bundle_unreachable" } });
  });
});

describe("a long poll", () => {
  test("is asked for only where the server says that it knows how", async () => {
    const plain = await startService();
    const source = await open(plain.url, registryOptions(), 20_000);
    const version = versionOf(await source.poll(undefined, signal));
    expect(await source.poll(version, signal)).toMatchObject({ waited: false });
    expect(plain.requests.at(-1)?.headers["prefer"]).toBe("modes=snapshot");
  });

  test("waits longer than any other answer may take", async () => {
    const service = await startService("application/vnd.openpolicyagent.bundles; charset=x");
    const registry = registryOptions();
    const source = await open(service.url, registry, 20_000);
    const version = versionOf(await source.poll(undefined, signal));
    Object.assign(registry, { stepTimeoutMs: 300, deadlineMs: 500 });
    service.misbehave((request, response) => {
      setTimeout(() => service.serve(request, response), 1000);
      return true;
    });
    service.serving.bytes = other;
    const polled = await source.poll(version, signal);
    expect(polled).toMatchObject({ kind: "changed" });
    expect(service.requests.at(-1)?.headers["prefer"]).toBe("modes=snapshot;wait=20");
  });

  test.each([
    [0, false],
    [9_999, false],
    [10_000, true],
    [20_000, true],
  ])("of 20 s that is answered after %i ms has waited: %s", async (tookMs, waited) => {
    const service = await startService("application/vnd.openpolicyagent.bundles");
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const source = await open(service.url, registryOptions({ clock }), 20_000);
    const version = versionOf(await source.poll(undefined, signal));
    service.misbehave((request, response) => {
      nowMs += tookMs;
      return service.serve(request, response);
    });
    expect(await source.poll(version, signal)).toEqual({ kind: "unchanged", waited });
    service.serving.bytes = other;
    expect(await source.poll(version, signal)).toMatchObject({ kind: "changed", waited });
  });

  test("ends with its signal", async () => {
    const service = await startService("application/vnd.openpolicyagent.bundles");
    const source = await open(service.url, registryOptions(), 20_000);
    const version = versionOf(await source.poll(undefined, signal));
    service.misbehave(() => true);
    const ending = new AbortController();
    setTimeout(() => ending.abort(), 100);
    expect(await source.poll(version, ending.signal)).toMatchObject({ kind: "failed" });
  });
});

describe("credentials of a bundle service", () => {
  const token = registryOptions({ settings: () => ({ token: "s3cret" }) });

  test("are a bearer token or a password of the config", async () => {
    const service = await startService();
    await loadCrm(service.url, { registry: token });
    const basic = registryOptions({ settings: () => ({ username: "alice", password: "x" }) });
    await loadCrm(service.url, { registry: basic });
    expect(service.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer s3cret",
      `Basic ${Buffer.from("alice:x").toString("base64")}`,
    ]);
  });

  test("are not those of a registry login", async () => {
    const service = await startService();
    const registry = registryOptions({ credentials: () => ({ username: "a", password: "b" }) });
    await loadCrm(service.url, { registry });
    expect(service.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("do not follow a redirect to another origin, and neither does an ETag open one", async () => {
    const service = await startService();
    const storage = await startService();
    service.misbehave(({ path }, response) =>
      reply(response, 307, { location: `${storage.origin}${path}` }),
    );
    expect(await outcomeOf(loadCrm(service.url, { registry: token }))).toBe("ok");
    expect(storage.requests).toHaveLength(1);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
    expect(JSON.stringify(storage.requests)).not.toContain("s3cret");
  });

  test("that are wrong are not repeated in the message", async () => {
    const service = await startService();
    service.misbehave((_, response) => reply(response, 401));
    const result = await loadCrm(service.url, { registry: token });
    expect(result).toMatchObject({ ok: false, error: { code: "bundle_unauthorized" } });
    expect(JSON.stringify(result)).not.toContain("s3cret");
  });
});
