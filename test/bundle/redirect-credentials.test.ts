import { describe, expect, onTestFinished, test } from "vitest";
import {
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply, startFakeRegistry } from "../support/fake-registry.ts";
import type { FakeRegistry } from "../support/fake-registry.ts";

const credentials = { username: "alice", password: "hunter2" };
const authorization = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;
const challenge = { "www-authenticate": 'Basic realm="policies"' };
const registry = registryOptions({ credentials: () => credentials });

/** A registry that wants a password and keeps its blobs elsewhere. */
async function registryWithStorage(): Promise<{
  readonly home: Awaited<ReturnType<typeof registryWithBundle>>;
  readonly storage: FakeRegistry;
}> {
  const home = await registryWithBundle();
  const storage = await startFakeRegistry();
  onTestFinished(storage.close);
  for (const bytes of home.blobs.values()) storage.putBlob(bytes);
  home.misbehave(({ path, headers }, response) => {
    if (headers.authorization !== authorization) return reply(response, 401, challenge);
    if (!path.includes("/blobs/")) return false;
    return reply(response, 307, { location: `${storage.origin}${path}` });
  });
  return { home, storage };
}

describe("credentials", () => {
  test("stay with the registry when it redirects to the same host on another port", async () => {
    const { home, storage } = await registryWithStorage();
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(storage.requests).toHaveLength(1);
    for (const { headers } of storage.requests) {
      expect(headers.authorization).toBeUndefined();
      expect(headers.cookie).toBeUndefined();
      expect(JSON.stringify(headers)).not.toContain("YWxpY2U6aHVudGVyMg");
    }
  });

  test("are not answered to a challenge that comes from elsewhere", async () => {
    const { home, storage } = await registryWithStorage();
    storage.misbehave((_, response) => reply(response, 401, challenge));
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("bundle_unauthorized");
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("are not even prepared for a challenge that comes from elsewhere", async () => {
    const { home, storage } = await registryWithStorage();
    home.misbehave(({ path }, response) => {
      if (!path.includes("/blobs/")) return false;
      return reply(response, 307, { location: `${storage.origin}${path}` });
    });
    storage.misbehave((_, response) => reply(response, 401, challenge));
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("bundle_unauthorized");
    expect(storage.requests).toHaveLength(1);
  });

  test("are sent again when a redirect comes back to the registry", async () => {
    const { home, storage } = await registryWithStorage();
    storage.misbehave(({ path }, response) =>
      reply(response, 302, { location: `${home.origin}${path}?back=1` }),
    );
    home.misbehave(({ path, headers }, response) => {
      if (headers.authorization !== authorization) return reply(response, 401, challenge);
      if (!path.includes("/blobs/") || path.endsWith("?back=1")) return false;
      return reply(response, 307, { location: `${storage.origin}${path}` });
    });
    expect(await outcomeOf(loadCrm(home.reference, { registry }))).toBe("ok");
    expect(storage.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test("are sent only after the registry asked, and then without being asked again", async () => {
    const { home } = await registryWithStorage();
    await loadCrm(home.reference, { registry });
    expect(home.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      authorization,
      authorization,
      authorization,
    ]);
  });

  test("are asked for by the exact host and port", async () => {
    const home = await registryWithBundle();
    home.misbehave((_, response) => reply(response, 401, challenge));
    const asked: string[] = [];
    const options = registryOptions({
      credentials: (host) => {
        asked.push(host);
        return undefined;
      },
    });
    expect(await outcomeOf(loadCrm(home.reference, { registry: options }))).toBe(
      "bundle_unauthorized",
    );
    expect(new Set(asked)).toEqual(new Set([home.host]));
  });
});
