import { mkdir, readFile, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import type { PushedBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function push(path: string, tag: string, note = ""): Promise<PushedBundle> {
  const files = tinyFiles({ name: "crm", note });
  const reference = parseReference(`oci-layout:${path}:${tag}`);
  return await pushBundle(files, reference, { registry: registryOptions() });
}

async function layoutWithBundle(): Promise<{
  readonly path: string;
  readonly reference: string;
  readonly pushed: PushedBundle;
}> {
  const path = join(temporaryFolder(), "layout");
  const pushed = await push(path, "crm");
  return { path, reference: `oci-layout:${path}:crm`, pushed };
}

function blobPath(path: string, digest: string): string {
  return join(path, "blobs", "sha256", digest.slice("sha256:".length));
}

async function readIndex(path: string) {
  return JSON.parse(await readFile(join(path, "index.json"), "utf8"));
}

describe("a layout", () => {
  test("gives the bundle that was pushed to it, by tag and by digest", async () => {
    const { path, reference, pushed } = await layoutWithBundle();
    const expected = { ok: true, bundle: { digest: pushed.digest, origin: "layout" } };
    expect(await loadCrm(reference)).toMatchObject(expected);
    expect(await loadCrm(pushed.reference)).toMatchObject(expected);
    expect(await loadCrm(`oci-layout:${path}@${pushed.digest}`)).toMatchObject(expected);
  });

  test("with one manifest needs no tag, with two it does", async () => {
    const { path } = await layoutWithBundle();
    expect(await outcomeOf(loadCrm(`oci-layout:${path}`))).toBe("ok");
    await push(path, "mail", "other");
    expect(await outcomeOf(loadCrm(`oci-layout:${path}`))).toBe("bundle_not_found");
  });

  test("moves a tag that is pushed again and keeps the manifest that had it", async () => {
    const { path, reference, pushed } = await layoutWithBundle();
    const next = await push(path, "crm", "changed");
    expect(next.digest).not.toBe(pushed.digest);
    expect(await loadCrm(reference)).toMatchObject({ bundle: { digest: next.digest } });
    expect(await loadCrm(pushed.reference)).toMatchObject({ bundle: { digest: pushed.digest } });
    const { manifests } = await readIndex(path);
    expect(manifests).toHaveLength(2);
    expect(manifests[0].annotations).toBeUndefined();
  });

  test("may give one manifest two tags", async () => {
    const { path, pushed } = await layoutWithBundle();
    await push(path, "latest");
    for (const tag of ["crm", "latest"]) {
      expect(await loadCrm(`oci-layout:${path}:${tag}`)).toMatchObject({
        bundle: { digest: pushed.digest },
      });
    }
  });

  test("keeps what other tools wrote into its index", async () => {
    const { path } = await layoutWithBundle();
    const index = await readIndex(path);
    const foreign = { mediaType: "x/y", digest: "blake3:00", size: 1, surprise: true };
    index.manifests.push(foreign);
    index.annotations = { by: "somebody" };
    await writeFile(join(path, "index.json"), JSON.stringify(index));
    await push(path, "other", "other");
    expect(await readIndex(path)).toMatchObject({
      annotations: { by: "somebody" },
      manifests: [{}, foreign, {}],
    });
  });

  test("loses no tag when many are pushed at once", async () => {
    const path = join(temporaryFolder(), "layout");
    const tags = Array.from({ length: 12 }, (_, index) => `t${index}`);
    await Promise.all(tags.map(async (tag) => await push(path, tag, tag)));
    for (const tag of tags) {
      expect(await outcomeOf(loadCrm(`oci-layout:${path}:${tag}`))).toBe("ok");
    }
    expect((await readdir(path)).toSorted()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  test("is not locked for ever by a push that was killed", async () => {
    const { path, reference } = await layoutWithBundle();
    await writeFile(join(path, "index.json.lock"), "");
    await push(path, "crm", "after");
    expect(await outcomeOf(loadCrm(reference))).toBe("ok");
  });
});

describe("a layout that was tampered with", () => {
  test.each(["layer", "manifest"])("has its changed %s refused", async (which) => {
    const { path, reference, pushed } = await layoutWithBundle();
    const file = blobPath(path, which === "layer" ? pushed.layer.digest : pushed.digest);
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(file, bytes);
    expect(await outcomeOf(loadCrm(reference))).toBe("bundle_digest_mismatch");
  });

  test("has a link in place of a blob refused, even to the right content", async () => {
    const { path, reference, pushed } = await layoutWithBundle();
    const file = blobPath(path, pushed.layer.digest);
    await rename(file, join(path, "elsewhere"));
    await symlink(join(path, "elsewhere"), file);
    expect(await outcomeOf(loadCrm(reference))).toBe("bundle_storage_failed");
  });

  test("has a folder in place of a blob refused", async () => {
    const { path, reference, pushed } = await layoutWithBundle();
    const file = blobPath(path, pushed.layer.digest);
    await rename(file, join(path, "elsewhere"));
    await mkdir(file);
    expect(await outcomeOf(loadCrm(reference))).toBe("bundle_storage_failed");
  });

  test.each([
    ["sha256:../../../etc/passwd", "bundle_not_found"],
    [`sha256:${"0".repeat(64)}`, "bundle_not_found"],
  ])("has the digest %s in its index refused", async (digest, outcome) => {
    const { path, reference } = await layoutWithBundle();
    const index = await readIndex(path);
    index.manifests[0].digest = digest;
    await writeFile(join(path, "index.json"), JSON.stringify(index));
    expect(await outcomeOf(loadCrm(reference))).toBe(outcome);
  });

  test("has two manifests with one tag refused", async () => {
    const { path, reference } = await layoutWithBundle();
    const index = await readIndex(path);
    index.manifests.push(index.manifests[0]);
    await writeFile(join(path, "index.json"), JSON.stringify(index));
    expect(await outcomeOf(loadCrm(reference))).toBe("bundle_not_found");
  });

  test.each([
    ["index.json", "{", "bundle_protocol_invalid"],
    ["index.json", "[]", "bundle_protocol_invalid"],
    ["oci-layout", '{"imageLayoutVersion":"2.0.0"}', "bundle_protocol_invalid"],
    ["oci-layout", "{}", "bundle_protocol_invalid"],
  ])("has a broken %s (%s) refused", async (file, text, outcome) => {
    const { path, reference } = await layoutWithBundle();
    await writeFile(join(path, file), text);
    expect(await outcomeOf(loadCrm(reference))).toBe(outcome);
  });

  test("that is not there is not found", async () => {
    const folder = temporaryFolder();
    expect(await outcomeOf(loadCrm(`oci-layout:${folder}/none:crm`))).toBe("bundle_not_found");
    expect(await outcomeOf(loadCrm(`oci-layout:${folder}:crm`))).toBe("bundle_not_found");
  });
});

test("a layout that cannot be written to is an error, and leaves nothing behind", async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, "file"), "");
  await expect(push(join(folder, "file"), "crm")).rejects.toMatchObject({
    code: "bundle_storage_failed",
  });
  expect((await stat(join(folder, "file"))).isFile()).toBe(true);
  expect(await readdir(folder)).toEqual(["file"]);
});
