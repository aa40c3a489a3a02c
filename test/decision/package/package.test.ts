import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { makePackage } from "../../../src/decision/package/make-package.ts";
import { signManifest } from "../../../src/decision/package/package-manifest.ts";
import { verifyPackage } from "../../../src/decision/package/verify-package.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { storeChains } from "../../../src/decision/verify-record.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions } from "../support.ts";
import type { Setting } from "./package-setting.ts";
import {
  audit,
  checkpoints,
  filesOf,
  lostDigest,
  pack,
  recordHistory,
  unpack,
  writeAround,
  writeRecords,
} from "./package-setting.ts";

let setting: Setting;
/** Of somebody who has the package and the key, and nothing else. */
let elsewhere = "";
let original = new Map<string, string>();

beforeAll(async () => {
  setting = await recordHistory();
  await audit(setting.folder, "export", "--since", "1h", "-f", "p.tar.gz", "-c", "config.json");
  original = unpack(join(setting.folder, "p.tar.gz"));
});

beforeEach(async () => {
  elsewhere = temporaryFolder();
  const key = createPublicKey(await checkpointKey(setting.stateDir, checkpoints));
  writeFileSync(join(elsewhere, "key.pub"), key.export({ type: "spki", format: "pem" }));
});

/** Where each writer's records are, the older writer first. */
const recordFiles = (files: ReadonlyMap<string, string>): readonly string[] =>
  [...files.keys()].filter((name) => name.startsWith("records/")).toSorted();

interface Found {
  readonly kind: string;
  readonly seq: number;
  readonly message: string;
}

async function verify(files: ReadonlyMap<string, string>): Promise<{
  readonly code: number;
  readonly problems: readonly Found[];
}> {
  pack(join(elsewhere, "p.tar.gz"), files);
  const words = ["--package", "p.tar.gz", "--key", "key.pub", "-o", "json"];
  const { code, out, err } = await audit(elsewhere, "verify", ...words);
  expect(err).toBe("");
  return { code, problems: JSON.parse(out).problems };
}

/** What is found once the lines of the first writer's records were changed. */
async function changed(change: (lines: string[]) => readonly string[]): Promise<readonly Found[]> {
  const files = new Map(original);
  const [name = ""] = recordFiles(files);
  const lines = (files.get(name) ?? "").trimEnd().split("\n");
  files.set(
    name,
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
  const { code, problems } = await verify(files);
  expect(code).toBe(8);
  expect(problems).toContainEqual(
    expect.objectContaining({ kind: "package", message: `${name} was changed` }),
  );
  return problems;
}

test("a package verifies where there is no gateway, and says what it lacks", async () => {
  pack(join(elsewhere, "p.tar.gz"), original);
  const { code, err, out } = await audit(
    elsewhere,
    "verify",
    "--package",
    "p.tar.gz",
    "--key",
    "key.pub",
  );
  expect({ code, out }).toEqual({ code: 0, out: "" });
  expect(err).toMatch(/^10 records of 2 writers, 2 checkpoints, 1 bundles; made at 2/);
  expect(err).toContain(`not packed: ${lostDigest}`);
  expect(err).toContain("the package is whole, and every chain in it");
});

test("it holds the bundles that decided, by digest, with all their parts", () => {
  const { digest, layer } = setting;
  expect(original.get(`bundles/sha256/${layer.slice(7)}`)).toBe("package crm");
  expect(JSON.parse(original.get(`bundles/sha256/${digest.slice(7)}`) ?? "")).toHaveProperty(
    "layers",
  );
  const manifest = JSON.parse(original.get("manifest.json") ?? "");
  expect(manifest).toMatchObject({ bundles: [digest], missing_bundles: [lostDigest] });
});

test("without a key the one of the package is used, and that is said", async () => {
  pack(join(elsewhere, "p.tar.gz"), original);
  const { code, err } = await audit(elsewhere, "verify", "--package", "p.tar.gz");
  expect(code).toBe(0);
  expect(err).toContain("the key came with the package");
});

describe("of a changed package the first place is named, where", () => {
  test("a record was edited", async () => {
    const [first] = await changed((lines) =>
      lines.map((line, at) => (at === 2 ? line.replace("support-bot", "support-bat") : line)),
    );
    expect(first).toMatchObject({ kind: "edited", seq: 3 });
  });

  test("a record was deleted", async () => {
    const [first] = await changed((lines) => lines.toSpliced(3, 1));
    expect(first).toMatchObject({ kind: "missing", seq: 4 });
  });

  test("a record was inserted", async () => {
    const [first] = await changed((lines) => lines.toSpliced(2, 0, lines[1] ?? ""));
    expect(first).toMatchObject({ kind: "duplicate", seq: 2 });
  });

  test("something that is no record was inserted", async () => {
    const [first] = await changed((lines) => lines.toSpliced(2, 0, '{"pruned":true}'));
    expect(first).toMatchObject({ kind: "out_of_chain", seq: 3 });
  });

  test("records were reordered", async () => {
    const [first] = await changed(([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest]);
    expect(first).toMatchObject({ kind: "missing", seq: 2 });
  });

  test("the end was cut off", async () => {
    const [first] = await changed((lines) => lines.slice(0, -1));
    expect(first).toMatchObject({ kind: "truncated", seq: 6 });
  });
});

test("a bundle that was swapped, removed or added is found", async () => {
  const name = `bundles/sha256/${setting.layer.slice(7)}`;
  const swapped = await verify(new Map([...original, [name, "package evil"]]));
  expect(swapped.problems).toContainEqual(
    expect.objectContaining({ kind: "bundle", message: `${setting.layer} has other content` }),
  );
  const removed = new Map(original);
  removed.delete(`bundles/sha256/${setting.digest.slice(7)}`);
  expect((await verify(removed)).problems[0]).toMatchObject({
    kind: "bundle",
    message: `${setting.digest} was packed and is not here`,
  });
  const added = await verify(new Map([...original, ["bundles/readme", "hello"]]));
  expect(added.problems).toMatchObject([
    { kind: "package", message: "bundles/readme was not packed" },
  ]);
});

test("a manifest that was changed, unsigned or signed with another key is found", async () => {
  const text = original.get("manifest.json") ?? "";
  const changedText = text.replace(lostDigest, setting.digest);
  const edited = await verify(new Map([...original, ["manifest.json", changedText]]));
  expect(edited.problems[0]?.message).toBe("its manifest is not signed by the key");
  const unsigned = new Map(original);
  unsigned.delete("manifest.sig");
  expect((await verify(unsigned)).problems[0]?.message).toBe(
    "its manifest is not signed by the key",
  );
  const { privateKey } = generateKeyPairSync("ed25519");
  const other = await verify(
    new Map([...original, ["manifest.sig", signManifest(text, privateKey)]]),
  );
  expect(other.problems[0]?.message).toBe("its manifest is not signed by the key");
  const none = new Map(original);
  none.delete("manifest.json");
  expect((await verify(none)).problems[0]?.message).toBe("it has no manifest");
});

test("who signs a new manifest over changed records is found by the checkpoints", async () => {
  const files = new Map(original);
  const [name = ""] = recordFiles(files);
  const lines = (files.get(name) ?? "").trimEnd().split("\n").slice(0, -2);
  files.set(name, lines.map((line) => `${line}\n`).join(""));
  const manifest = JSON.parse(files.get("manifest.json") ?? "");
  const listed = manifest.files.find((file: { readonly name: string }) => file.name === name);
  listed.sha256 = createHash("sha256")
    .update(files.get(name) ?? "")
    .digest("hex");
  manifest.writers[0].records = lines.length;
  const text = JSON.stringify(manifest);
  files.set("manifest.json", text);
  files.set("manifest.sig", signManifest(text, await checkpointKey(setting.stateDir, checkpoints)));
  const { code, problems } = await verify(files);
  expect(code).toBe(8);
  expect(problems).toMatchObject([{ kind: "truncated", seq: 5 }]);
});

test("a file that is no package, or a torn one, is refused", async () => {
  writeFileSync(join(elsewhere, "p.tar.gz"), "hello");
  const { code, err } = await audit(
    elsewhere,
    "verify",
    "--package",
    "p.tar.gz",
    "--key",
    "key.pub",
  );
  expect(code).toBe(8);
  expect(err).toMatch(/expected a package of the record at .* \[package_unusable\]/);
});

test("what was made before the time is left out, and the chain is followed all the same", async () => {
  const { folder, stateDir, digest } = await recordHistory();
  await wait(20);
  const since = new Date().toISOString();
  await writeRecords(stateDir, [digest]);
  const words = ["--since", since, "-f", "p.tar.gz", "-c", "config.json"];
  expect((await audit(folder, "export", ...words)).err).toMatch(
    /^2 records of 1 writers, 1 bundles/,
  );
  const { code, err } = await audit(folder, "verify", "--package", "p.tar.gz");
  expect(code, err).toBe(0);
});

test("a time in the middle of a writer cuts its chain there, and nothing else may be cut", async () => {
  const { folder, stateDir, digest } = await recordHistory();
  const since = await writeAround(stateDir, digest);
  const words = ["--since", since, "-f", "p.tar.gz", "-c", "config.json"];
  expect((await audit(folder, "export", ...words)).err).toMatch(/^4 records of 1 writers/);
  expect((await audit(folder, "verify", "--package", "p.tar.gz")).code).toBe(0);
  const files = unpack(join(folder, "p.tar.gz"));
  const [name = ""] = recordFiles(files);
  const lines = (files.get(name) ?? "").trimEnd().split("\n");
  pack(join(folder, "cut.tar.gz"), new Map([...files, [name, `${lines.slice(1).join("\n")}\n`]]));
  const { out } = await audit(folder, "verify", "--package", "cut.tar.gz", "-o", "json");
  expect(JSON.parse(out).problems[0]).toMatchObject({ kind: "missing", seq: 3 });
});

test("of records whose payload was pruned the headers are packed, and prove themselves", async () => {
  const { folder, stateDir } = await recordHistory();
  const database = await openStore(logOptions(stateDir));
  try {
    await database.query("DELETE FROM mcp_gateway.decision_payload");
    const key = await checkpointKey(stateDir, checkpoints);
    const made = await makePackage({
      scratch: temporaryFolder(),
      chains: storeChains(database),
      checkpoints: join(stateDir, "checkpoints"),
      key,
      sinceMs: 0,
      nowMs: Date.now(),
      readBundle: async () => undefined,
    });
    const files = await filesOf(made);
    expect(made.manifest.missing_bundles).toContain(lostDigest);
    expect(verifyPackage(files, createPublicKey(key))).toMatchObject({ records: 10, problems: [] });
    const texts = new Map([...files].map(([name, bytes]) => [name, bytes.toString("utf8")]));
    const [name = ""] = recordFiles(texts);
    const edited = (texts.get(name) ?? "").replace("support-bot", "support-bat");
    pack(join(folder, "p.tar.gz"), new Map([...texts, [name, edited]]));
    const { out } = await audit(folder, "verify", "--package", "p.tar.gz", "-o", "json");
    expect(JSON.parse(out).problems[0]).toMatchObject({ kind: "edited", seq: 1 });
  } finally {
    await database.close();
  }
}, 90_000);
