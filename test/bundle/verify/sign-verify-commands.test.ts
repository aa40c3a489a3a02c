import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../src/bundle/archive.ts";
import { registryWithBundle } from "../../support/bundle-setting.ts";
import { runCli } from "../../support/cli-run.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyArchive } from "../../support/tiny-bundle.ts";
import { ownKey } from "./support.ts";

const base = { agent: { id: "a" }, user: { id: "u" }, servers: {} };

async function workFolder() {
  const folder = temporaryFolder();
  const key = ownKey();
  await writeFile(join(folder, "release.key"), key.pem, { mode: 0o600 });
  await writeFile(join(folder, "release.pub"), key.publicPem, { mode: 0o600 });
  await writeFile(join(folder, "other.pub"), ownKey().publicPem, { mode: 0o600 });
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache"), SIGNING_KEY: key.pem };
  const cli = async (...args: readonly string[]) => await runCli(args, folder, env);
  return { folder, cli };
}

describe("bundle sign and bundle verify", () => {
  test.each(["bundle", "cosign-tag"])("as %s", async (format) => {
    const { cli } = await workFolder();
    const { reference, digest } = await registryWithBundle();
    const before = await cli("bundle", "verify", reference, "--key", "release.pub");
    expect(before).toMatchObject({ exitCode: 8, out: "" });
    expect(before.err).toContain("(unsigned) [bundle_unverified]");

    const args = ["--key", "env://SIGNING_KEY", "--format", format];
    const signed = await cli("bundle", "sign", reference, ...args);
    expect(signed).toMatchObject({ exitCode: 0, err: "", out: `${reference}@${digest}` });

    const after = await cli("bundle", "verify", reference, "--key", "release.pub", "-o", "json");
    expect(after).toMatchObject({ exitCode: 0, err: "" });
    expect(JSON.parse(after.out)).toMatchObject({
      reference: `${reference}@${digest}`,
      name: "crm",
      revision: "1.0.0",
      verified_by: [{ type: "cosign-key", name: "--key" }],
      signatures: [{ subject: digest }],
    });
    const other = await cli("bundle", "verify", reference, "--key", "other.pub");
    expect(other).toMatchObject({ exitCode: 8, out: "" });
  });

  test("for another server is exit code 8", async () => {
    const { cli } = await workFolder();
    const { reference } = await registryWithBundle();
    await cli("bundle", "sign", reference, "--key", "release.key");
    const verify = ["bundle", "verify", reference, "--key", "release.pub", "--name"];
    expect(await cli(...verify, "crm")).toMatchObject({ exitCode: 0 });
    const mail = await cli(...verify, "mail");
    expect(mail).toMatchObject({ exitCode: 8, out: "" });
    expect(mail.err).toContain("[bundle_name_mismatch]");
  });

  test("with the signers of the configuration", async () => {
    const { cli, folder } = await workFolder();
    const { reference } = await registryWithBundle();
    const config = join(folder, "mcp-gateway.config.json");
    const trust = { release: { type: "cosign-key", key: "release.pub" } };
    await writeFile(config, JSON.stringify({ ...base, trust }), { mode: 0o600 });
    expect(await cli("bundle", "verify", reference)).toMatchObject({ exitCode: 8 });
    await cli("bundle", "sign", reference, "--key", "release.key");
    const verified = await cli("bundle", "verify", reference, "-o", "json");
    expect(JSON.parse(verified.out).verified_by).toMatchObject([{ name: "release" }]);
    await chmod(join(folder, "release.pub"), 0o666);
    const writable = await cli("bundle", "verify", reference);
    expect(writable).toMatchObject({ exitCode: 3 });
    expect(writable.err).toContain("[bundle_trust_invalid]");
  });

  test.each<[string, number, readonly string[]]>([
    ["nobody to trust", 2, []],
    ["an identity without its issuer", 2, ["--identity", "ci@acme.example"]],
    ["an issuer without an identity", 2, ["--issuer", "https://token.example"]],
    ["a key that is not there", 2, ["--key", "none.pub"]],
    ["a variable that is not set", 2, ["--key", "env://NO_SUCH_KEY"]],
    ["a private key", 3, ["--key", "release.key"]],
  ])("with %s is exit code %i", async (_, exitCode, options) => {
    const { cli } = await workFolder();
    const { reference } = await registryWithBundle();
    expect(await cli("bundle", "verify", reference, ...options)).toMatchObject({
      exitCode,
      out: "",
    });
  });

  test("of a format or algorithm that nobody knows is exit code 2", async () => {
    const { cli } = await workFolder();
    const { reference } = await registryWithBundle();
    const sign = ["bundle", "sign", reference, "--key", "release.key"];
    expect(await cli(...sign, "--format", "notation")).toMatchObject({ exitCode: 2 });
    expect(await cli(...sign, "--opa", "--algorithm", "none")).toMatchObject({ exitCode: 2 });
  });
});

describe("bundle sign --opa", () => {
  test("signs an archive, which is pushed as it is and verifies", async () => {
    const { cli, folder } = await workFolder();
    await writeFile(join(folder, "bundle.tar.gz"), tinyArchive());
    await writeFile(join(folder, "secret"), "top secret\n", { mode: 0o600 });
    const args = ["--opa", "--key", "secret", "--algorithm", "HS256", "--scope", "crm"];
    const signed = await cli("bundle", "sign", "bundle.tar.gz", ...args, "--file", "signed.tar.gz");
    expect(signed).toMatchObject({ exitCode: 0, err: "" });
    const files = openArchive(await readFile(join(folder, "signed.tar.gz")));
    expect([...files.keys()]).toContain(".signatures.json");
    await cli("bundle", "push", "signed.tar.gz", "oci-layout:dist:crm");

    const opa = { type: "opa", keyid: "default", key: "${file:secret}", algorithm: "HS256" };
    const config = join(folder, "mcp-gateway.config.json");
    const write = async (scope: string) => {
      const trust = { builder: { ...opa, scope } };
      await writeFile(config, JSON.stringify({ ...base, trust }), { mode: 0o600 });
    };
    await write("crm");
    const verified = await cli("bundle", "verify", "oci-layout:dist:crm", "-o", "json");
    expect(JSON.parse(verified.out).verified_by).toEqual([
      { type: "opa", name: "builder", keyid: "default", scope: "crm" },
    ]);
    await write("mail");
    expect(await cli("bundle", "verify", "oci-layout:dist:crm")).toMatchObject({ exitCode: 8 });
  });

  test("of a folder says what to do instead", async () => {
    const { cli } = await workFolder();
    const signed = await cli("bundle", "sign", ".", "--opa", "--key", "release.key");
    expect(signed).toMatchObject({ exitCode: 3, out: "" });
    expect(signed.err).toContain("policy build");
  });
});
