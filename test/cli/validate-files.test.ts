/**
 * `validate` opens the keys, certificates and pins that a configuration leads to.
 */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/cli-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder = "";
beforeAll(() => {
  folder = temporaryFolder();
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  write("release.pub", publicKey.export({ type: "spki", format: "pem" }));
  write("release.key", privateKey.export({ type: "pkcs8", format: "pem" }));
  write("empty.pub", "");
  write("root.json", "{}");
  for (const name of ["client", "other"]) {
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)];
    execFileSync("openssl", [...args, "-subj", `/CN=${name}`, ...files], { stdio: "ignore" });
  }
});

function write(name: string, text: string | Buffer): void {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
}

async function validate(parts: object, state: Readonly<Record<string, string>> = {}) {
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, ...parts };
  write("c.json", JSON.stringify(config, null, 1));
  const env = { PATH: "/nowhere", HOME: folder, ...state };
  return await runCli(["validate", "c.json"], folder, env);
}

const sigstore = { type: "sigstore", issuer: "https://token.example" };

describe("files that a configuration names", () => {
  test("and that are in order are no problem", async () => {
    const { exitCode, err } = await validate({
      trust: {
        release: { type: "cosign-key", key: "release.pub" },
        pipeline: { ...sigstore, identity_regex: "https://ci\\.example/.*" },
      },
      registries: {
        "r.example": { ca_file: "other.pem", cert_file: "client.pem", key_file: "client.key" },
      },
      servers: { search: { url: "https://search.example/mcp", ca_file: "other.pem" } },
    });
    expect(err).toMatch(/c\.json: valid /);
    expect(exitCode).toBe(0);
  });

  test.each<[string, object, string, string]>([
    [
      "a key that is not there",
      { trust: { release: { type: "cosign-key", key: "gone.pub" } } },
      "trust.release.key",
      "ENOENT",
    ],
    [
      "an empty key",
      { trust: { release: { type: "cosign-key", key: "empty.pub" } } },
      "trust.release.key",
      "[bundle_trust_invalid]",
    ],
    [
      "a private key",
      { trust: { release: { type: "cosign-key", key: "release.key" } } },
      "trust.release.key",
      "found a private key",
    ],
    [
      "a key of another algorithm",
      { trust: { opa: { type: "opa", keyid: "k", key: "release.pub", algorithm: "RS256" } } },
      "trust.opa.key",
      "for RS256",
    ],
    [
      "a trust root that is none",
      { trust: { ci: { ...sigstore, identity: "ci", trusted_root: "root.json" } } },
      "trust.ci.trusted_root",
      "expected a trusted_root.json",
    ],
    [
      "a pattern that is none",
      { trust: { ci: { ...sigstore, identity_regex: "(" } } },
      "trust.ci.identity_regex",
      "RE2",
    ],
    [
      "a signer in place",
      {
        servers: {
          crm: {
            command: "x",
            policy: {
              bundle: "oci://r.example/crm:1",
              signers: [{ type: "cosign-key", key: "gone.pub" }],
            },
          },
        },
      },
      "servers.crm.policy.signers.0.key",
      "ENOENT",
    ],
    [
      "an authority that is not there",
      { registries: { "r.example": { ca_file: "gone.pem" } } },
      "registries.r.example.ca_file",
      "ENOENT",
    ],
    [
      "a key where a certificate belongs",
      { registries: { "r.example": { cert_file: "client.key", key_file: "client.key" } } },
      "registries.r.example.cert_file",
      "expected a certificate in PEM in",
    ],
    [
      "the key of another certificate",
      { registries: { "r.example": { cert_file: "client.pem", key_file: "other.key" } } },
      "registries.r.example.key_file",
      "found another one",
    ],
    [
      "a server's authority that is none",
      { servers: { search: { url: "https://search.example/mcp", ca_file: "root.json" } } },
      "servers.search.ca_file",
      "expected a certificate in PEM in",
    ],
  ])("%s is a problem at its place", async (_, parts, place, reason) => {
    const { exitCode, err } = await validate(parts);
    const lines = err.split("\n").filter((line) => line.includes(`${place}: `));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\S+c\.json:\d+:\d+: /);
    expect(lines[0]).toContain(reason);
    expect(exitCode).toBe(3);
  });
});

test("pins that somebody changed are a warning of their server", async () => {
  const state = join(folder, "state");
  mkdirSync(join(state, "pins"), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, "pins", "crm.json"), "{}", { mode: 0o600 });
  const servers = { crm: { command: process.execPath }, mail: { command: process.execPath } };
  const { exitCode, err } = await validate({ servers }, { MCP_GATEWAY_STATE: state });
  expect(err).toMatch(
    /warning: servers\.crm: .*crm\.json is no file of pins; restore the file, or/,
  );
  expect(err).not.toContain("servers.mail: ");
  expect(exitCode).toBe(0);
});
