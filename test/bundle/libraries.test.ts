import { describe, expect, test } from "vitest";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import { openLibrary } from "../../src/bundle/open-library.ts";
import { codeOf, messageOf } from "../../src/errors.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const digest = `sha256:${"1".repeat(64)}` as const;
const required = { name: "lib-text", digest };
const about = {
  name: "crm",
  kind: "server",
  reference: "oci-layout:/dist:crm",
  digest,
  origin: "layout",
} as const;

function files(manifest: object, more: Readonly<Record<string, string>> = {}) {
  const all = {
    ".manifest": JSON.stringify(manifest),
    "text.rego": "package lib.text\n\nx := 1\n",
    "text_test.rego": "package lib.text_test\n\ntest_a if true\n",
    ...more,
  };
  return new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)] as const));
}

const library = {
  revision: "1.2.0",
  roots: ["/lib/text/"],
  metadata: { name: "lib-text", layer: "library" },
};

describe("a library", () => {
  test("is its modules without tests, its data and its paths", () => {
    const opened = openLibrary(files(library, { "data.json": '{"lib":{}}' }), required, "here");
    expect(opened).toEqual({
      ...required,
      revision: "1.2.0",
      roots: ["lib/text"],
      modules: new Map([["text.rego", "package lib.text\n\nx := 1\n"]]),
      dataJson: '{"lib":{}}',
    });
  });

  test.each([
    ["a layer", { ...library, metadata: { name: "lib-text" } }, '"server"'],
    ["another library", { ...library, metadata: { name: "lib-b", layer: "library" } }, '"lib-b"'],
    ["one without a name", { ...library, metadata: { layer: "library" } }, "without name"],
    [
      "one with counters",
      {
        ...library,
        metadata: { ...library.metadata, counters: { c: { key: ["user"], limit: 1 } } },
      },
      "without counters",
    ],
    ["one that claims all paths", { ...library, roots: [""] }, "claims all"],
    ["one that says no paths", { ...library, roots: undefined }, "claims all"],
  ])("is refused where it is %s", (_, manifest, found) => {
    const refused = (() => {
      try {
        return openLibrary(files(manifest), required, "here");
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(codeOf(refused)).toBe("bundle_library_mismatch");
    expect(messageOf(refused)).toContain(found);
  });

  test("is refused as a layer, whatever it is configured as", async () => {
    for (const kind of ["server", "compliance"] as const) {
      const refused = await openBundle(
        files(library),
        { ...about, name: "lib-text", kind },
        undefined,
      ).catch((thrown: unknown) => thrown);
      expect(codeOf(refused)).toBe("bundle_kind_mismatch");
      expect(messageOf(refused)).toContain("name it in the requires");
    }
  });
});

describe("a bundle that requires a library", () => {
  const requires = [{ name: "lib-text", reference: "oci://r.example/lib-text:1", digest }];
  const other = `sha256:${"2".repeat(64)}`;

  test.each([
    ["not there", undefined],
    ["there in another version", [{ name: "lib-text", digest: other }]],
    ["another one", [{ name: "lib-other", digest }]],
  ])("is refused where it is %s", async (_, libraries) => {
    const bundle = tinyFiles({ name: "crm", requires, libraries });
    expect(await openBundle(bundle, about, undefined).catch(codeOf)).toBe("bundle_library_missing");
  });

  test("opens where it was copied in", async () => {
    const bundle = tinyFiles({ name: "crm", requires, libraries: [required] });
    expect(await openBundle(bundle, about, undefined)).toMatchObject({ name: "crm" });
  });
});
