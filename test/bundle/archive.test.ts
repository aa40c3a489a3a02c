import * as fc from "fast-check";
import { packTar, unpackTar } from "modern-tar";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { archiveLimits, openArchive, packBundle } from "../../src/bundle/archive.ts";
import { foldPath } from "../../src/bundle/archive-path.ts";
import { thrownCode } from "../support/bundle-setting.ts";
import { sha256 } from "../support/fake-registry.ts";
import { hostileTar } from "../support/hostile-tar.ts";

const segment = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9_-]{1,60}$/),
  fc.stringMatching(/^[äöüßéλ日本]{1,40}$/),
);
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const files = fc
  .uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 2000 })), {
    selector: ([name]) => foldPath(name),
    maxLength: 12,
  })
  .map((entries) => new Map(entries))
  .filter((entries) => [...entries.keys()].every((name) => Buffer.byteLength(name) < 500));

describe("an archive", () => {
  test("gives back the files that were packed, whatever their names and sizes", () => {
    fc.assert(
      fc.property(files, (given) => {
        const opened = openArchive(packBundle(given));
        expect([...opened.keys()].toSorted()).toEqual([...given.keys()].toSorted());
        for (const [name, content] of given) expect(opened.get(name)).toEqual(Buffer.from(content));
      }),
    );
  });

  test("has the same bytes whatever the order of its files", () => {
    const entries = [
      ["b.rego", Buffer.from("b")],
      [".manifest", Buffer.from("{}")],
      ["/a.rego", Buffer.from("a")],
    ] as const;
    const packed = packBundle(new Map(entries));
    expect(packBundle(new Map(entries.toReversed()))).toEqual(packed);
    expect(Buffer.from(packed.subarray(0, 10)).toString("hex")).toBe("1f8b08000000000000ff");
    expect(sha256(gunzipSync(packed))).toBe(
      "sha256:3508957884c56b22646241bfce26f90fb530a81bb4c6ad412bd5828d68d98a53",
    );
  });

  test("is read by another reader, with names as OPA writes them", async () => {
    const long = `${"folder/".repeat(20)}policy.rego`;
    const given = new Map([
      ["policy.wasm", Buffer.from([0, 1, 2])],
      [long, Buffer.from("package a")],
    ]);
    const entries = await unpackTar(gunzipSync(packBundle(given)), { strict: true });
    expect(entries.map(({ header }) => header.name)).toEqual([`/${long}`, "/policy.wasm"]);
    expect(entries[1]?.data).toEqual(new Uint8Array([0, 1, 2]));
    expect(entries[0]?.header.mtime?.getTime()).toBe(0);
  });

  test("of another writer is read: folders, long names, leading dots, padding", async () => {
    const long = `./${"folder/".repeat(40)}data.json`;
    const tar = await packTar([
      { header: { name: "./folder/", size: 0, type: "directory" } },
      { header: { name: "./.manifest", size: 2 }, body: "{}" },
      { header: { name: long, size: 2 }, body: "{}" },
    ]);
    const padded = Buffer.concat([tar, Buffer.alloc(10_240 - (tar.length % 10_240))]);
    expect([...openArchive(gzipSync(padded)).keys()]).toEqual([".manifest", long.slice(2)]);
    expect([...openArchive(padded).keys()]).toEqual([".manifest", long.slice(2)]);
  });

  test("is read whatever slice of memory it lies in", () => {
    const packed = packBundle(new Map([["a", Buffer.from("content")]]));
    const memory = Buffer.alloc(packed.length + 64, 1);
    memory.set(packed, 33);
    const slice = memory.subarray(33, 33 + packed.length);
    expect(openArchive(slice).get("a")?.toString()).toBe("content");
  });

  test("never makes the reader throw anything but its own errors", () => {
    const packed = packBundle(new Map([["a/b", Buffer.from("content")]]));
    const tar = gunzipSync(packed);
    const flipped = fc
      .tuple(fc.constantFrom(packed, tar), fc.nat(), fc.nat(255))
      .map(([bytes, at, value]) => {
        const changed = Buffer.from(bytes);
        changed[at % changed.length] = value;
        return changed;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), flipped), (bytes) => {
        const code = thrownCode(() => openArchive(bytes)) ?? "bundle_archive_ok";
        expect(code).toMatch(/^bundle_(?:archive_|too_large)/);
      }),
    );
  });

  test("that is larger than a layer may be is refused before it is opened", () => {
    const bytes = Buffer.alloc(archiveLimits.packedBytes + 1);
    expect(thrownCode(() => openArchive(bytes))).toBe("bundle_too_large");
  });

  test("is not packed with a name that could not be read back", () => {
    for (const name of ["../a", "a\\b", "a".repeat(600)]) {
      const files = new Map([[name, Buffer.from("x")]]);
      expect(thrownCode(() => packBundle(files))).toBe("bundle_archive_unsafe");
    }
  });
});

test("an archive of GNU tar is read, also where it cuts a long name within a character", () => {
  const name = `${"é".repeat(80)}.rego`;
  const cut = Buffer.from(name).subarray(0, 99);
  const long = { name: "././@LongLink", type: "L", content: `${name}\0`, magic: "ustar  \0" };
  const file = {
    name: Buffer.concat([cut, Buffer.from([0xc3])]),
    content: "x",
    magic: "ustar  \0",
  };
  expect([...openArchive(hostileTar(long, file)).keys()]).toEqual([name]);
});
