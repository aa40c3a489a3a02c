import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import type { BundleFiles } from "../../src/bundle/compile-policy.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import { codeOf } from "../../src/errors.ts";
import { dependencies } from "../support/bundle-setting.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const { signal } = new AbortController();

async function open(buildFolder: () => Promise<BundleFiles> = () => Promise.resolve(tinyFiles())) {
  const folder = temporaryFolder();
  await writeFile(join(folder, "policy.rego"), "package mcp.crm");
  const given = dependencies({ dev: true, buildFolder });
  const source = await openBundleSource(`file:${folder}`, { kind: "server" }, given);
  const versionNow = async () => {
    const polled = await source.poll(undefined, signal);
    if (polled.kind !== "changed") throw new Error(polled.kind);
    return polled.version;
  };
  return { folder, source, versionNow };
}

describe("a folder of sources", () => {
  test("is looked at when it is polled, and built when it is fetched", async () => {
    let builds = 0;
    const { source, versionNow } = await open(() => {
      builds += 1;
      return Promise.resolve(tinyFiles());
    });
    const version = await versionNow();
    expect(await source.poll(version, signal)).toEqual({ kind: "unchanged", waited: false });
    expect(builds).toBe(0);
    const fetched = await source.fetch(version, signal);
    expect(fetched).toMatchObject({ origin: "folder", version });
    expect(openArchive(fetched.archive).has("policy.wasm")).toBe(true);
    expect(builds).toBe(1);
  });

  test.each([
    ["a file changes", (folder: string) => writeFile(join(folder, "policy.rego"), "package other")],
    ["a file comes", (folder: string) => writeFile(join(folder, "new.rego"), "")],
    ["a file goes", (folder: string) => rm(join(folder, "policy.rego"))],
    ["a folder comes", (folder: string) => mkdir(join(folder, "lists"))],
  ])("has another version when %s", async (_, change) => {
    const { folder, source, versionNow } = await open();
    const version = await versionNow();
    await change(folder);
    expect(await source.poll(version, signal)).toMatchObject({ kind: "changed" });
  });

  test("that goes away is a failure, as a value", async () => {
    const { folder, source } = await open();
    await rm(folder, { recursive: true });
    const polled = await source.poll(undefined, signal);
    expect(polled).toMatchObject({ kind: "failed", error: { code: "bundle_not_found" } });
  });

  test("that does not build is a failure with the builder's words", async () => {
    const { source, versionNow } = await open(() => Promise.reject(new Error("policy.rego:1:1")));
    const failure = source.fetch(await versionNow(), signal);
    await expect(failure).rejects.toThrow("policy.rego:1:1");
    expect(await failure.catch(codeOf)).toBe("bundle_compile_failed");
  });
});

describe("watching a folder", () => {
  test("says so once when something changed, in a folder below too, and not after its end", async () => {
    const { folder, source } = await open();
    await mkdir(join(folder, "lists"));
    let changes = 0;
    const stop = source.watch?.(() => {
      changes += 1;
    });
    onTestFinished(() => stop?.());
    await settled();
    await replace(join(folder, "policy.rego"), "package mcp.crm # changed");
    await eventually(() => changes === 1);
    await replace(join(folder, "lists", "data.json"), "{}");
    await eventually(() => changes === 2);
    stop?.();
    await writeFile(join(folder, "policy.rego"), "package mcp.crm # again, and longer");
    await settled();
    expect(changes).toBe(2);
  });

  test("works where the system tells nothing: a folder that comes later", async () => {
    const { folder, source } = await open();
    await rm(folder, { recursive: true });
    let changes = 0;
    const stop = source.watch?.(() => {
      changes += 1;
    });
    onTestFinished(() => stop?.());
    await settled();
    await mkdir(folder);
    await writeFile(join(folder, "policy.rego"), "package mcp.crm");
    await eventually(() => changes > 0);
    expect(changes).toBeGreaterThan(0);
  });
});

/** Writes in one step: there is no moment at which a look would find half of it. */
async function replace(path: string, text: string): Promise<void> {
  const made = join(temporaryFolder(), "made");
  await writeFile(made, text);
  await rename(made, path);
}

/** Longer than a look now and then. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1200);
  });
}

test("a source that cannot be watched says so by having no watch", async () => {
  const source = await openBundleSource(
    "oci://registry.example/a:v1",
    { kind: "server" },
    dependencies(),
  );
  expect(source.watch).toBeUndefined();
});
