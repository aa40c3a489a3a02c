import { describe, expect, onTestFinished, test } from "vitest";
import type { RegistryMirror } from "../../src/config/registry-config.ts";
import {
  bundleManifest,
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply, startFakeRegistry } from "../support/fake-registry.ts";
import type { FakeRegistry } from "../support/fake-registry.ts";
import { createTestLog } from "../support/log.ts";
import { tinyArchive } from "../support/tiny-bundle.ts";

const credentials = () => ({ username: "alice", password: "hunter2" });
const challenge = { "www-authenticate": 'Basic realm="r"' };

function mirrorAt({ host }: FakeRegistry, more: Partial<RegistryMirror> = {}): RegistryMirror {
  return { host, prefix: undefined, resolveTags: false, credentials: "none", ...more };
}

/** A registry, and a mirror of it that has the same content. */
async function registryAndMirror() {
  const home = await registryWithBundle();
  const mirror = await startFakeRegistry();
  onTestFinished(mirror.close);
  const digest = mirror.putManifest("v1", bundleManifest(mirror, tinyArchive()));
  expect(digest).toBe(home.digest);
  return { home, mirror };
}

function optionsWith(home: FakeRegistry, mirrors: readonly RegistryMirror[], more = {}) {
  return registryOptions({
    settings: (host) => (host === home.host ? { mirrors } : undefined),
    ...more,
  });
}

describe("a mirror", () => {
  test("gives the content, and the registry says what the tag stands for", async () => {
    const { home, mirror } = await registryAndMirror();
    const registry = optionsWith(home, [mirrorAt(mirror)]);
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(home.requests.map(({ method }) => method)).toEqual(["HEAD"]);
    expect(mirror.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  test("that is believed about tags is asked for them too, and the registry may be away", async () => {
    const { home, mirror } = await registryAndMirror();
    const registry = optionsWith(home, [mirrorAt(mirror, { resolveTags: true })]);
    await home.close();
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
  });

  test("that is not believed about tags cannot move one", async () => {
    const { home, mirror } = await registryAndMirror();
    const other = tinyArchive({ name: "crm", note: "another" });
    mirror.putManifest("v1", bundleManifest(mirror, other));
    const registry = optionsWith(home, [mirrorAt(mirror)]);
    const result = await loadCrm(home.reference, { registry });
    expect(result).toMatchObject({ ok: true, bundle: { digest: home.digest } });
  });

  test.each([
    [
      "lies about a digest",
      (mirror: FakeRegistry) => {
        for (const key of mirror.blobs.keys()) mirror.blobs.set(key, Buffer.from("evil"));
      },
    ],
    ["has nothing", (mirror: FakeRegistry) => mirror.misbehave((_, r) => reply(r, 404))],
    [
      "wants a login",
      (mirror: FakeRegistry) => mirror.misbehave((_, r) => reply(r, 401, challenge)),
    ],
    ["fails", (mirror: FakeRegistry) => mirror.misbehave((_, r) => reply(r, 500))],
  ])("that %s is passed over, with a warning", async (_, break_) => {
    const { home, mirror } = await registryAndMirror();
    break_(mirror);
    const log = createTestLog();
    const registry = optionsWith(home, [mirrorAt(mirror)], { log });
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(log.lines[0]).toMatchObject({ level: "warn", data: { mirror: mirror.host } });
  });

  test("may have the repository under a prefix, and mirrors are asked in their order", async () => {
    const { home, mirror } = await registryAndMirror();
    const empty = await startFakeRegistry();
    onTestFinished(empty.close);
    const mirrors = [mirrorAt(empty), mirrorAt(mirror, { prefix: "cache/hub" })];
    expect(await outcomeOf(loadCrm(home.reference, { registry: optionsWith(home, mirrors) }))).toBe(
      "ok",
    );
    expect(empty.requests.length).toBeGreaterThan(0);
    expect(mirror.requests[0]?.path).toMatch(/^\/v2\/cache\/hub\/policies\/crm\/manifests\//);
  });
});

describe("credentials and mirrors", () => {
  test("those of the registry never go to a mirror, not even when it asks", async () => {
    const { home, mirror } = await registryAndMirror();
    mirror.misbehave((_, response) => reply(response, 401, challenge));
    home.misbehave(({ headers }, response) =>
      headers.authorization === undefined ? reply(response, 401, challenge) : false,
    );
    const registry = optionsWith(home, [mirrorAt(mirror)], { credentials });
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(mirror.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test("a mirror's own go to it where the operator says so", async () => {
    const { home, mirror } = await registryAndMirror();
    mirror.misbehave(({ headers }, response) =>
      headers.authorization === undefined ? reply(response, 401, challenge) : false,
    );
    const asked: string[] = [];
    const lookup = (host: string) => {
      asked.push(host);
      return { username: "mirror", password: "own" };
    };
    const mirrors = [mirrorAt(mirror, { credentials: "own" })];
    const registry = optionsWith(home, mirrors, { credentials: lookup });
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(new Set(asked)).toEqual(new Set([mirror.host]));
  });
});
