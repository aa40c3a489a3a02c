import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { minimal, problemsOf, server, writeConfig } from "./support.ts";

const release = { type: "cosign-key", key: "keys/release.pub" };
const ci = { type: "sigstore", identity: "ci@acme.example", issuer: "https://token.example" };
const remote = "oci://r.example/crm:1";

function configWith(policy: unknown, trust: object = {}): object {
  return { ...minimal, trust, servers: { crm: { ...server, policy } } };
}

/** The trust of a server's policy, and the folder that its paths are relative to. */
function trustOf(policy: unknown, trust: object = {}, env: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const { config } = loadConfig({ path: writeConfig(configWith(policy, trust), folder), env });
  return { folder, trust: config.servers.get("crm")?.policy?.trust, config };
}

function requireOf(policy: unknown, trust: object = {}): string | undefined {
  return trustOf(policy, trust).trust?.require;
}

describe("a policy that does not say what it requires", () => {
  test.each([remote, "https://b.example/crm.tar.gz", "git+https://g.example/p#main:crm"])(
    "and comes from %s requires a signature where anybody may sign, else a digest",
    (bundle) => {
      expect(requireOf(bundle)).toBe("digest");
      expect(requireOf(bundle, { release })).toBe("signature");
      expect(requireOf({ bundle, signers: [release] })).toBe("signature");
    },
  );

  test.each(["oci-layout:dist:crm", "file:policies"])("and is at %s requires nothing", (bundle) => {
    expect(requireOf(bundle, { release })).toBe("none");
    expect(requireOf({ bundle, signers: ["release"] }, { release })).toBe("signature");
  });
});

describe("signers", () => {
  test("have a name and are written once; who names none means all", () => {
    const { trust, folder, config } = trustOf(remote, { release, ci });
    expect(trust?.signers).toEqual([
      { type: "cosign-key", name: "release", key: join(folder, "keys/release.pub") },
      {
        type: "sigstore",
        name: "ci",
        identity: "ci@acme.example",
        identityRegex: undefined,
        issuer: "https://token.example",
        trustedRoot: undefined,
      },
    ]);
    expect(config.signers).toEqual(trust?.signers);
  });

  test("may be named, or written in place", () => {
    const { trust } = trustOf({ bundle: remote, signers: ["ci", release] }, { release, ci });
    expect(trust?.signers.map(({ name }) => name)).toEqual(["ci", "signers.1"]);
  });

  test("have keys as PEM or in a file, secrets of HS algorithms as they are", () => {
    const pem = "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n";
    const opa = { type: "opa", keyid: "k" };
    const names = {
      pem: { type: "cosign-key", key: pem },
      rsa: { ...opa, key: "opa.pub" },
      secret: { ...opa, key: "${env:OPA_SECRET}", algorithm: "HS256", scope: "crm" },
    };
    const { trust, folder } = trustOf(remote, names, { OPA_SECRET: "opa.pub" });
    expect(trust?.signers).toMatchObject([
      { key: pem },
      { key: join(folder, "opa.pub"), algorithm: "RS256", scope: undefined },
      { key: "opa.pub", algorithm: "HS256", scope: "crm" },
    ]);
  });

  test("are of no use where no signature is required", () => {
    expect(trustOf({ bundle: remote, require: "digest" }, { release }).trust?.signers).toEqual([]);
    const problems = problemsOf(
      configWith({ bundle: remote, require: "none", signers: ["release"] }, { release }),
    );
    expect(problems).toEqual([
      'servers.crm.policy.signers: signers have no effect with require "none"',
    ]);
  });

  test.each<[string, object, object, string]>([
    ["nobody", { require: "signature" }, {}, "expected somebody in trust, or in signers"],
    ["an empty list", { signers: [] }, { release }, "expected at least one signer"],
    ["a name nobody has", { signers: ["relaese"] }, { release }, 'did you mean "release"?'],
    ["neither identity nor pattern", {}, { x: { ...ci, identity: undefined } }, "found neither"],
    ["identity and pattern", {}, { x: { ...ci, identity_regex: ".*" } }, "found 2"],
    [
      "neither, in place",
      { signers: [{ ...ci, identity: undefined }] },
      {},
      "servers.crm.policy.signers.0: expected identity or identity_regex",
    ],
  ])("with %s are refused", (_, policy, trust, reason) => {
    const problems = problemsOf(configWith({ bundle: remote, ...policy }, trust));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test.each<[string, object]>([
    ["without an issuer", { ...ci, issuer: undefined }],
    ["without a key", { type: "cosign-key" }],
    ["of an unknown type", { type: "notation", key: "x" }],
    ["with an algorithm that is none", { type: "opa", keyid: "k", key: "x", algorithm: "none" }],
    ["with a key that nobody knows", { ...release, keys: "x" }],
  ])("%s are refused", (_, signer) => {
    expect(problemsOf(configWith(remote, { x: signer })).length).toBeGreaterThan(0);
  });

  test("of a layer's policy are checked likewise", () => {
    const policy = { bundle: remote, signers: ["ghost"] };
    const layers = [{ name: "identity", kind: "identity", policy }];
    const problems = problemsOf({ ...minimal, layers });
    expect(problems[0]).toContain(
      'layers.0.policy.signers.0: expected a name in trust, found "ghost"',
    );
  });
});
