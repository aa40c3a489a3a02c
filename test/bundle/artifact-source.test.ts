import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import type { Polled } from "../../src/bundle/sources/bundle-source.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import { codeOf } from "../../src/errors.ts";
import {
  bundleManifest,
  dependencies,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyArchive, tinyFiles } from "../support/tiny-bundle.ts";

const { signal } = new AbortController();
const newer = tinyArchive({ name: "crm", note: "newer" });

async function open(reference: string, cachePath?: string) {
  return await openBundleSource(reference, { kind: "server" }, dependencies({ cachePath }));
}

function idOf(polled: Polled): string {
  if (polled.kind === "changed") return polled.version.id;
  throw polled.kind === "failed" ? polled.error : new Error("unchanged");
}

describe("a tag in a registry", () => {
  test("is polled by one HEAD, conditional once something is known", async () => {
    const home = await registryWithBundle();
    const source = await open(home.reference);
    expect(idOf(await source.poll(undefined, signal))).toBe(home.digest);
    const known = { id: home.digest };
    expect(await source.poll(known, signal)).toEqual({ kind: "unchanged", waited: false });
    expect(home.requests.map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
    expect(home.requests.map(({ headers }) => headers["if-none-match"])).toEqual([
      undefined,
      `"${home.digest}"`,
    ]);
  });

  test("that the registry calls not modified is unchanged", async () => {
    const home = await registryWithBundle();
    home.misbehave(({ headers }, response) =>
      headers["if-none-match"] === undefined ? false : reply(response, 304),
    );
    const source = await open(home.reference);
    expect(await source.poll({ id: home.digest }, signal)).toMatchObject({ kind: "unchanged" });
    expect(home.requests).toHaveLength(1);
  });

  test("called not modified by a registry that was not asked is refused", async () => {
    const home = await registryWithBundle();
    home.misbehave((_, response) => reply(response, 304));
    const polled = await (await open(home.reference)).poll(undefined, signal);
    expect(polled).toMatchObject({ kind: "failed", error: { code: "bundle_protocol_invalid" } });
  });

  test("that moves gives a new version, and the one that was polled can still be fetched", async () => {
    const home = await registryWithBundle();
    const source = await open(home.reference);
    const before = idOf(await source.poll(undefined, signal));
    const digest = home.putManifest("v1", bundleManifest(home, newer));
    const fetched = await source.fetch({ id: before }, signal);
    expect(fetched).toMatchObject({ digest: home.digest, origin: "registry" });
    expect(fetched.archive).toEqual(tinyArchive());
    await fetched.close();
    expect(idOf(await source.poll({ id: before }, signal))).toBe(digest);
  });

  test("is fetched with its manifest and a way to its signatures", async () => {
    const home = await registryWithBundle();
    const source = await open(home.reference);
    const fetched = await source.fetch({ id: home.digest }, signal);
    expect(fetched.signed?.artifact.digest).toBe(home.digest);
    expect(await fetched.signed?.content.referrers(fetched.digest)).toEqual([]);
    expect(home.requests.at(-1)?.path).toContain("sha256-");
    await fetched.close();
  });

  test("whose version the cache has is fetched without the registry", async () => {
    const home = await registryWithBundle();
    const source = await open(home.reference, join(temporaryFolder(), "cache"));
    const first = await source.fetch({ id: home.digest }, signal);
    await first.keep();
    await first.close();
    await home.close();
    const again = await source.fetch({ id: home.digest }, signal);
    expect(again).toMatchObject({ origin: "cache", digest: home.digest });
    await again.close();
  });

  test.each([
    ["away", 503, { "retry-after": "60" }, "bundle_unreachable", 60_000],
    ["shut", 403, {}, "bundle_unauthorized", undefined],
    ["empty", 404, {}, "bundle_not_found", undefined],
  ])("in a registry that is %s is a failure, as a value", async (_, status, headers, code, ms) => {
    const home = await registryWithBundle();
    home.misbehave((_request, response) => reply(response, status, headers));
    const polled = await (await open(home.reference)).poll(undefined, signal);
    expect(polled).toMatchObject({ kind: "failed", error: { code } });
    expect(polled.kind === "failed" && polled.retryAfterMs).toBe(ms);
  });

  test("ends with its signal", async () => {
    const home = await registryWithBundle();
    home.misbehave(() => true);
    const ending = new AbortController();
    setTimeout(() => ending.abort(), 100);
    const polled = await (await open(home.reference)).poll(undefined, ending.signal);
    expect(polled).toMatchObject({ kind: "failed", error: { code: "bundle_unreachable" } });
  });
});

describe("a pinned digest", () => {
  test("is never polled over the network", async () => {
    const home = await registryWithBundle();
    const source = await open(`${home.reference}@${home.digest}`);
    expect(source.isFixed).toBe(true);
    expect(idOf(await source.poll(undefined, signal))).toBe(home.digest);
    expect(home.requests).toEqual([]);
  });
});

describe("a layout", () => {
  test("is polled and fetched like a registry", async () => {
    const folder = join(temporaryFolder(), "dist");
    const reference = `oci-layout:${folder}:crm`;
    const push = async (files: Map<string, Buffer>): Promise<string> => {
      const options = { registry: registryOptions() };
      return (await pushBundle(files, parseReference(reference), options)).digest;
    };
    const first = await push(tinyFiles());
    const source = await open(reference);
    expect(idOf(await source.poll(undefined, signal))).toBe(first);
    expect(await source.fetch({ id: first }, signal)).toMatchObject({ origin: "layout" });
    const second = await push(tinyFiles({ name: "crm", note: "newer" }));
    expect(idOf(await source.poll({ id: first }, signal))).toBe(second);
  });
});

test("a version that is no digest is refused", async () => {
  const source = await open("oci://registry.example/a:v1");
  expect(await source.fetch({ id: "../../etc" }, signal).catch(codeOf)).toBe(
    "bundle_reference_invalid",
  );
});
