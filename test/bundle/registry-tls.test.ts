import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RegistrySetting } from "../../src/bundle/sources/registry-session.ts";
import {
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply, startFakeRegistry } from "../support/fake-registry.ts";

const folder = join("test", "fixtures", "registry-tls");
const pem = (name: string): Buffer => readFileSync(join(folder, name));
const server = { cert: pem("server.pem"), key: pem("server-key.pem"), ca: pem("ca.pem") };
const caFile = join(folder, "ca.pem");
const client = { certFile: join(folder, "client.pem"), keyFile: join(folder, "client-key.pem") };

/** A registry on this machine that speaks TLS, as any other one does by itself. */
function optionsFor(setting: RegistrySetting) {
  return registryOptions({ settings: () => ({ plainHttp: false, ...setting }) });
}

describe("a registry over TLS", () => {
  test("is trusted by the authority that the operator names, and not without", async () => {
    const home = await registryWithBundle(undefined, server);
    const load = (setting: RegistrySetting) =>
      outcomeOf(loadCrm(home.reference, { registry: optionsFor(setting) }));
    expect(await load({ caFile })).toBe("ok");
    expect(await load({})).toBe("bundle_unreachable");
    expect(home.requests).toHaveLength(3);
  });

  test("gets the client certificate that the operator names", async () => {
    const asking = { ...server, requestCert: true, rejectUnauthorized: true };
    const home = await registryWithBundle(undefined, asking);
    const load = (setting: RegistrySetting) =>
      outcomeOf(loadCrm(home.reference, { registry: optionsFor(setting) }));
    expect(await load({ caFile, ...client })).toBe("ok");
    expect(await load({ caFile })).toBe("bundle_unreachable");
  });

  test("whose certificate files are missing is not asked", async () => {
    const home = await registryWithBundle(undefined, server);
    const setting = { caFile: join(folder, "none.pem") };
    const load = loadCrm(home.reference, { registry: optionsFor(setting) });
    expect(await outcomeOf(load)).toBe("bundle_credentials_unusable");
    expect(home.requests).toEqual([]);
  });
});

describe("a client certificate", () => {
  test("stays with the registry when it redirects, even to a host that the operator named", async () => {
    const asking = { ...server, requestCert: true, rejectUnauthorized: false };
    const home = await registryWithBundle(undefined, asking);
    const storage = await startFakeRegistry(asking);
    onTestFinished(storage.close);
    for (const bytes of home.blobs.values()) storage.putBlob(bytes);
    const shown: { readonly at: string; readonly name: string | undefined }[] = [];
    const nameOf = (socket: TLSSocket): string | undefined => {
      const { subject } = socket.getPeerCertificate();
      return subject === undefined ? undefined : String(subject.CN);
    };
    home.misbehave(({ path }, response) => {
      if (response.socket !== null) shown.push({ at: "home", name: nameOf(tls(response.socket)) });
      if (!path.includes("/blobs/")) return false;
      return reply(response, 307, { location: `${storage.origin}${path}` });
    });
    storage.misbehave((_, response) => {
      if (response.socket !== null)
        shown.push({ at: "storage", name: nameOf(tls(response.socket)) });
      return false;
    });
    const setting = { caFile, ...client, redirectHosts: [storage.host] };
    const load = loadCrm(home.reference, { registry: optionsFor(setting) });
    expect(await outcomeOf(load)).toBe("ok");
    expect(shown).toContainEqual({ at: "home", name: "client" });
    expect(shown.filter(({ at }) => at === "storage")).toEqual([
      { at: "storage", name: undefined },
    ]);
  });
});

function tls(socket: object): TLSSocket {
  if (isTls(socket)) return socket;
  throw new TypeError("expected a TLS socket");
}

function isTls(socket: object): socket is TLSSocket {
  return "getPeerCertificate" in socket;
}

describe("hosts that a registry may redirect to", () => {
  async function redirected(redirectHosts: readonly string[]) {
    const home = await registryWithBundle();
    const storage = await startFakeRegistry();
    onTestFinished(storage.close);
    for (const bytes of home.blobs.values()) storage.putBlob(bytes);
    home.misbehave(({ path }, response) =>
      path.includes("/blobs/")
        ? reply(response, 307, { location: `${storage.origin}${path}` })
        : false,
    );
    const hosts = redirectHosts.map((host) => host.replace("STORAGE", storage.host));
    const registry = registryOptions({ settings: () => ({ redirectHosts: hosts }) });
    const outcome = await outcomeOf(loadCrm(home.reference, { registry }));
    return { outcome, asked: storage.requests.length };
  }

  test("are the ones that the operator named, and no others", async () => {
    expect(await redirected(["STORAGE"])).toEqual({ outcome: "ok", asked: 1 });
    expect(await redirected(["other.example"])).toEqual({
      outcome: "bundle_redirect_refused",
      asked: 0,
    });
  });
});
