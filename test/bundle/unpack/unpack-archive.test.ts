/**
 * Opening an archive holds up nobody: what is large is opened in a thread of its own, and says the
 * same as what is opened here.
 */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { packBundle } from "../../../src/bundle/archive.ts";
import { openHere } from "../../../src/bundle/unpack/opened-archive.ts";
import { unpackArchive } from "../../../src/bundle/unpack/unpack-archive.ts";
import { signaturesFile } from "../../../src/bundle/verify/opa-signature.ts";
import { codeOf } from "../../../src/errors.ts";
import { hostileTar } from "../../support/hostile-tar.ts";
import { opa, openOne } from "../verify/support.ts";

const mebibyte = 1024 * 1024;

/** As little as 64 KB, and nearly as much as an archive may hold. */
const bomb = gzipSync(
  hostileTar(
    { name: "a.bin", content: "a".repeat(31 * mebibyte) },
    { name: "b.bin", content: "b".repeat(31 * mebibyte) },
  ),
);

async function codeFrom(archive: Buffer): Promise<string | undefined> {
  return await unpackArchive(archive, []).then(
    () => undefined,
    (thrown: unknown) => codeOf(thrown),
  );
}

/** How often a timer fired while it was worked, and for which part of that the event loop was idle. */
async function watch(work: () => Promise<unknown>) {
  let fired = 0;
  const timer = setInterval(() => (fired += 1), 1);
  const before = performance.eventLoopUtilization();
  await work();
  const { idle, active } = performance.eventLoopUtilization(before);
  clearInterval(timer);
  return { fired, idle: idle / (idle + active) };
}

describe("an archive that unpacks to a thousand times its size", () => {
  test("is opened while timers fire", { timeout: 60_000 }, async () => {
    expect(bomb.length).toBeLessThan(200_000);
    const here = await watch(async () => openHere(bomb, []));
    const aside = await watch(async () => await unpackArchive(bomb, []));
    expect(here.fired).toBe(0);
    expect(aside.fired).toBeGreaterThan(3);
    expect(aside.idle).toBeGreaterThan(here.idle);
  });

  test("has the same files and the same digest as if it were opened here", async () => {
    const { files, content } = await unpackArchive(bomb, []);
    const here = openHere(bomb, []);
    expect(content).toBe(here.content);
    expect([...files.keys()]).toEqual([...here.files.keys()]);
    for (const [path, bytes] of files) expect(here.files.get(path)?.equals(bytes)).toBe(true);
  });
});

describe("an archive that is opened in a thread", () => {
  test.each([
    ["of more than the limit", gzipSync(Buffer.alloc(65 * mebibyte)), "bundle_too_large"],
    [
      "with a link",
      gzipSync(hostileTar({ name: "l", type: "2" }, { name: "a", content: filled() })),
      "bundle_archive_unsafe",
    ],
    ["that is cut off", bomb.subarray(0, -9), "bundle_archive_invalid"],
    ["that is none", Buffer.alloc(2 * mebibyte, 7), "bundle_archive_invalid"],
  ])("%s is refused by the same code", async (_, archive, code) => {
    expect(await codeFrom(archive)).toBe(code);
  });

  test("has its own signature judged there", async () => {
    const [first] = opa;
    if (first === undefined) throw new Error("expected a fixture");
    const { algorithm, key } = first;
    const signer = openOne({
      type: "opa",
      name: "builder",
      keyid: "k1",
      key,
      algorithm,
      scope: undefined,
    });
    const files = new Map(openHere(first.archive, []).files);
    const good = await unpackArchive(first.archive, [signer]);
    expect(good.carried.signer).toMatchObject({ type: "opa", name: "builder" });
    files.set("filler.bin", Buffer.alloc(2 * mebibyte));
    const large = await unpackArchive(Buffer.from(packBundle(files)), [signer]);
    expect(large.files.has(signaturesFile)).toBe(true);
    expect(large.carried).toMatchObject({
      signer: undefined,
      tried: [{ code: "subject_mismatch", reason: expect.stringContaining("filler.bin") }],
    });
  });
});

test("whoever understates what an archive unpacks to is stopped where it said that it ends", async () => {
  const liar = Buffer.from(gzipSync(Buffer.alloc(60 * mebibyte)));
  liar.writeUInt32LE(1024, liar.length - 4);
  const startedBytes = process.memoryUsage().arrayBuffers;
  expect(await codeFrom(liar)).toBe("bundle_archive_invalid");
  expect(process.memoryUsage().arrayBuffers - startedBytes).toBeLessThan(8 * mebibyte);
});

function filled(): string {
  return "x".repeat(2 * mebibyte);
}
