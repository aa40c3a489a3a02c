import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { buildSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import type { RegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { packageRoot } from "../../src/contract/package-root.ts";
import { callOf, crmSources } from "./policies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const artifact = join(packageRoot(), "toolchain", "dist");

const open: RegoToolchain[] = [];
function start(options: Parameters<typeof createRegoToolchain>[0]): RegoToolchain {
  const toolchain = createRegoToolchain(options);
  open.push(toolchain);
  return toolchain;
}
afterEach(() => Promise.all(open.splice(0).map((toolchain) => toolchain.close())));

const endless = {
  modules: {
    "p.rego":
      "package p\n\ndeny contains n if {\n\tn := count([1 | some x in numbers.range(1, 100000); some y in numbers.range(1, 100000); x == y])\n}\n",
  },
};

test("the thread starts with the first request and ends when idle", async () => {
  const toolchain = start({ idleMs: 50 });
  expect(toolchain.running()).toBe(false);
  await toolchain.version();
  expect(toolchain.running()).toBe(true);
  await vi.waitFor(() => expect(toolchain.running()).toBe(false), { timeout: 20_000 });
  expect((await toolchain.version()).opa_version).toMatch(/^1\./);
});

test("requests that come at once are answered each with its own answer", async () => {
  const toolchain = start({});
  const tools = ["get_customer", "export_customers", "purge"];
  const answers = await Promise.all(
    tools.map((tool) =>
      toolchain.eval({ ...crmSources, input: callOf(tool), query: "input.action.tool" }),
    ),
  );
  expect(answers.map((answer) => answer.ok && answer.value.value)).toEqual(tools);
});

test("a request past its deadline is ended, and the next one is answered by a fresh thread", async () => {
  const toolchain = start({ timeoutMs: 3_000 });
  await toolchain.version();
  const slow = toolchain.eval({ ...endless, input: {} });
  const next = toolchain.version();
  await expect(slow).rejects.toMatchObject({
    code: "rego_timeout",
    message: expect.stringContaining("within 3000 ms"),
  });
  expect((await next).opa_version).toMatch(/^1\./);
});

test("closing rejects what is open and what comes later", async () => {
  const toolchain = start({});
  const requests = [toolchain.eval({ ...endless, input: {} }), toolchain.version()];
  const ended = Promise.allSettled(requests);
  await toolchain.close();
  const closed = { status: "rejected", reason: expect.objectContaining({ code: "rego_closed" }) };
  expect(await ended).toEqual([closed, closed]);
  await expect(toolchain.version()).rejects.toMatchObject({ code: "rego_closed" });
});

test("an idle thread keeps no process alive, and nothing of it reaches stdout", () => {
  const script = join(packageRoot(), "node_modules", `.rego-thread-test-${process.pid}.mjs`);
  try {
    buildSync({
      stdin: {
        contents: `
          import { createRegoToolchain } from "./src/rego/create-rego-toolchain.ts";
          const toolchain = createRegoToolchain({ idleMs: 600_000 });
          process.stderr.write((await toolchain.version()).opa_version);
        `,
        resolveDir: packageRoot(),
      },
      outfile: script,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
    });
    const ended = spawnSync(process.execPath, [script], { timeout: 25_000, encoding: "utf8" });
    expect(ended).toMatchObject({ status: 0, stdout: "", stderr: expect.stringMatching(/^1\./) });
  } finally {
    rmSync(script, { force: true });
  }
});

describe("an artifact that is not the released one", () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
    cpSync(artifact, folder, { recursive: true });
  });

  test.each(["opa.wasm.br", "wasm_exec.js"])("is refused before it runs: %s", async (name) => {
    const bytes = readFileSync(join(folder, name));
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    await expect(start({ artifactFolder: folder }).version()).rejects.toMatchObject({
      code: "rego_toolchain_corrupt",
      message: expect.stringContaining(`expected ${name} with sha256`),
    });
  });

  test.each(["opa.wasm.br", "wasm_exec.js", "opa.json", "worker.js"])(
    "is missed by name: %s",
    async (name) => {
      rmSync(join(folder, name));
      await expect(start({ artifactFolder: folder }).version()).rejects.toMatchObject({
        code: "rego_toolchain_missing",
        message: expect.stringContaining(name),
      });
    },
  );

  test("whose program ends fails its request and not the next toolchain", async () => {
    writeFileSync(
      join(folder, "worker.js"),
      'import { parentPort } from "node:worker_threads";\nparentPort.on("message", () => process.exit(3));\n',
    );
    await expect(start({ artifactFolder: folder }).version()).rejects.toMatchObject({
      code: "rego_crashed",
    });
  });

  test("whose program ends in the middle of a request fails it at once", async () => {
    const empty = brotliCompressSync(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    const program = `globalThis.Go = class {
      importObject = {};
      async run() {
        await new Promise((ended) => globalThis.regoToolchainReady(() => ended()));
      }
    };`;
    const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "opa.wasm.br"), empty);
    writeFileSync(join(folder, "wasm_exec.js"), program);
    const description = { compressed_sha256: sha256(empty), wasm_exec_sha256: sha256(program) };
    writeFileSync(join(folder, "opa.json"), JSON.stringify(description));
    await expect(start({ artifactFolder: folder }).version()).rejects.toMatchObject({
      code: "rego_crashed",
      message: expect.stringContaining("its thread ended"),
    });
  });

  test("whose program throws fails its request", async () => {
    const url = pathToFileURL(join(folder, "nothing.js")).href;
    writeFileSync(
      join(folder, "worker.js"),
      `import { parentPort } from "node:worker_threads";\nparentPort.on("message", () => import(${JSON.stringify(url)}));\n`,
    );
    await expect(start({ artifactFolder: folder }).version()).rejects.toMatchObject({
      message: expect.stringContaining("rego toolchain"),
    });
  });
});
