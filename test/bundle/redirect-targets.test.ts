import { request } from "undici";
import { describe, expect, test } from "vitest";
import { isLoopbackHost } from "../../src/bundle/sources/loopback-host.ts";
import { guardedLookup, isWithinReach } from "../../src/bundle/sources/network-guard.ts";
import { closeSession, openSession } from "../../src/bundle/sources/registry-session.ts";
import { codeOf } from "../../src/errors.ts";
import {
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";

async function outcomeOfRedirect(location: string | undefined): Promise<string> {
  const registry = await registryWithBundle();
  registry.misbehave(({ path }, response) => {
    if (!path.includes("/blobs/")) return false;
    return reply(response, 302, location === undefined ? {} : { location });
  });
  return await outcomeOf(loadCrm(registry.reference));
}

describe("a redirect", () => {
  test.each([
    ["the cloud's metadata service", "http://169.254.169.254/latest/meta-data"],
    ["the same over https", "https://169.254.169.254/latest/meta-data"],
    ["an address of the inner network", "https://10.0.0.1/blob"],
    ["another one", "https://192.168.1.1/blob"],
    ["a carrier's network", "https://100.64.0.1/blob"],
    ["an address in IPv6's local range", "https://[fe80::1]/blob"],
    ["a unique local address", "https://[fd00::1]/blob"],
    ["an IPv4 address in IPv6", "https://[::ffff:10.0.0.1]/blob"],
    ["an address as one number", "https://167772161/blob"],
    ["an address in octal", "https://012.0.0.1/blob"],
    ["no address at all", "https://0.0.0.0/blob"],
    ["plain http on another machine", "http://storage.example/blob"],
    ["a file", "file:///etc/passwd"],
    ["another protocol", "ftp://storage.example/blob"],
    ["a place with credentials in it", "https://alice:hunter2@storage.example/blob"],
    ["nowhere", undefined],
    ["something unreadable", "https://"],
  ])("to %s is refused", async (_, location) => {
    expect(await outcomeOfRedirect(location)).toBe("bundle_redirect_refused");
  });

  test("within the registry is followed", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(({ path }, response) => {
      if (!path.includes("/blobs/") || path.endsWith("?here")) return false;
      return reply(response, 308, { location: `${path}?here` });
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("is followed five times and no more", async () => {
    for (const [redirects, outcome] of [
      [5, "ok"],
      [6, "bundle_redirect_refused"],
    ] as const) {
      const registry = await registryWithBundle();
      registry.misbehave(({ path }, response) => {
        const hop = Number(new URL(path, registry.origin).searchParams.get("hop") ?? "0");
        if (!path.includes("/blobs/") || hop >= redirects) return false;
        return reply(response, 302, { location: `?hop=${hop + 1}` });
      });
      expect(await outcomeOf(loadCrm(registry.reference))).toBe(outcome);
    }
  });

  test("in a circle ends", async () => {
    expect(await outcomeOfRedirect("?again")).toBe("bundle_redirect_refused");
  });
});

describe("the guard of addresses", () => {
  test.each(["127.0.0.1", "127.9.9.9:80", "[::1]:5000", "localhost", "localhost:5000"])(
    "knows that %s is this machine",
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  test.each(["localhost.example", "127.0.0.1.example", "10.0.0.1", "[::2]", "notlocalhost"])(
    "knows that %s is another machine",
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  test("lets public addresses and names through, and this machine only from this machine", () => {
    expect(isWithinReach("93.184.216.34", "public")).toBe(true);
    expect(isWithinReach("[2606:4700::1111]:443", "public")).toBe(true);
    expect(isWithinReach("storage.example", "public")).toBe(true);
    expect(isWithinReach("127.0.0.1", "public")).toBe(false);
    expect(isWithinReach("127.0.0.1", "public_or_loopback")).toBe(true);
    expect(isWithinReach("10.0.0.1", "public_or_loopback")).toBe(false);
  });

  test("refuses a name that resolves to this machine", async () => {
    expect(await resolve("public")).toBe("bundle_redirect_refused");
    expect(await resolve("loopback")).toMatch(/^(?:127\.|::1)/);
  });
});

describe("the connections to where a registry redirects", () => {
  test.each([
    ["registry.example", "bundle_redirect_refused"],
    ["localhost:5000", "answered"],
  ])("of %s to a name of this machine: %s", async (host, outcome) => {
    const target = await registryWithBundle();
    const about = { host, repository: "a", where: `oci://${host}/a:v1` };
    const session = await openSession(about, registryOptions());
    const url = target.origin.replace("127.0.0.1", "localhost");
    const answer = request(`${url}/v2/`, { dispatcher: session.elsewhere });
    expect(await answer.then(() => "answered", codeOf)).toBe(outcome);
    await closeSession(session);
  });
});

async function resolve(reach: "public" | "loopback"): Promise<string> {
  return await new Promise((done) => {
    guardedLookup(reach)("localhost", {}, (error, address) => {
      const found = typeof address === "string" ? address : "several";
      done(error === null ? found : (codeOf(error) ?? "no code"));
    });
  });
}
