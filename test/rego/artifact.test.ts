import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { hostBuiltins } from "../../src/contract/host-builtins.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { packageRoot } from "../../src/contract/package-root.ts";
import { sourcesDigest } from "../../toolchain/sources-digest.js";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sources = join(packageRoot(), "toolchain");
const description = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .parse(JSON.parse(readFileSync(join(sources, "dist", "opa.json"), "utf8")));

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

test("the artifact was built from the sources beside it (else run toolchain/build.sh)", () => {
  expect(sourcesDigest(sources)).toBe(description["sources_digest"]);
  execFileSync(join(sources, "verify.sh"), ["--sources"], { stdio: "pipe" });
});

test("a changed source is noticed", () => {
  const folder = temporaryFolder();
  cpSync(sources, folder, { recursive: true });
  const before = sourcesDigest(folder);
  expect(before).toBe(description["sources_digest"]);
  const path = join(folder, "rego", "contract.go");
  writeFileSync(path, `${readFileSync(path, "utf8")}\n`);
  expect(sourcesDigest(folder)).not.toBe(before);
  expect(() => execFileSync(join(folder, "verify.sh"), ["--sources"], { stdio: "pipe" })).toThrow(
    /sources of the toolchain: expected sha256:/,
  );
});

test("the files are the ones that opa.json describes, with the licences of what is linked", () => {
  const sha256 = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(sources, "dist", name)))
      .digest("hex");
  expect(sha256("opa.wasm.br")).toBe(description["compressed_sha256"]);
  expect(sha256("wasm_exec.js")).toBe(description["wasm_exec_sha256"]);
  const licences = readFileSync(join(sources, "dist", "LICENSES.txt"), "utf8");
  const modules = readFileSync(join(sources, "go.mod"), "utf8").matchAll(/^\t(\S+) v\S+$/gm);
  for (const [, path] of modules) expect(licences).toContain(path);
});

test("the program is the OPA that go.mod pins", async () => {
  const pinned = /opa (v\S+)/.exec(readFileSync(join(sources, "go.mod"), "utf8"))?.[1];
  expect(description["opa_version"]).toBe(pinned);
  expect(`v${(await toolchain.version()).opa_version}`).toBe(pinned);
});

test("schema/capabilities.json is what the toolchain allows (else run this test with -u)", async () => {
  const capabilities = await toolchain.capabilities();
  const names = capabilities.builtins.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...hostBuiltins, "glob.match", "regex.match"]));
  for (const refused of ["http.send", "opa.runtime", "net.lookup_ip_addr", "rego.parse_module"]) {
    expect(names).not.toContain(refused);
  }
  const text = `${JSON.stringify(capabilities, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(packageRoot(), "schema", "capabilities.json"));
});
