/**
 * What `policy check` says of declared masks is what the gateway says of the bundle.
 */
import { afterAll, describe, expect, test } from "vitest";
import { readBundleManifest } from "../../src/bundle/bundle-manifest.ts";
import { maskProblems } from "../../src/rego/check-masks.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";

const modules = { "p.rego": 'package p\n\nallow contains "x" if input.action.tool == "x"\n' };
const good = ["/input/action/args/pin", { op: "upsert", path: "/input/result/name" }];
const argument = "/input/action/args/a";

const unreadable: readonly (readonly [string, unknown, string])[] = [
  ["no list", argument, "metadata.masks: "],
  ["a null", null, "metadata.masks: "],
  ["a mask that is no path and no object", [argument, 7], "metadata.masks.1: "],
  [
    "a path outside of what the server is sent and answers",
    ["/input/user/id"],
    "metadata.masks.0: ",
  ],
  ["the decision itself", ["/result/allow"], "metadata.masks.0: "],
  ["all arguments", ["/input/action/args"], "metadata.masks.0: "],
  ["a path that is no pointer", ["input.action.args.a"], "metadata.masks.0: "],
  ["an unknown op", [{ op: "replace", path: argument }], "metadata.masks.0.op: "],
  ["no path", [{ op: "remove" }], "metadata.masks.0.path: "],
  [
    "a value that is no scalar",
    [{ op: "upsert", path: argument, value: [] }],
    "metadata.masks.0.value: ",
  ],
  ["an unknown member", [{ op: "remove", path: argument, if: 1 }], "metadata.masks.0: "],
  ["more than 256", Array.from({ length: 257 }, () => argument), "metadata.masks: "],
];

describe("masks that cannot be read", () => {
  test.each(unreadable)("%s: a problem of the manifest", (_, masks, place) => {
    const problems = maskProblems({ modules, manifest: { metadata: { masks } } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: "contract_masks", file: ".manifest" });
    expect(problems[0]?.message).toContain(place);
  });

  test.each(unreadable)("%s: no bundle for the gateway", (_, masks, place) => {
    const manifest = Buffer.from(JSON.stringify({ metadata: { masks } }));
    const read = () => readBundleManifest(new Map([[".manifest", manifest]]), "b");
    expect(read).toThrow(expect.objectContaining({ code: "bundle_manifest_invalid" }));
    expect(read).toThrow(place.replace(": ", '" ('));
  });
});

describe("masks that can be read", () => {
  test("are no problem of a server's bundle, whether or not it says that it is one", () => {
    const kinds = [{ masks: good }, { masks: good, layer: "server" as const }];
    for (const metadata of kinds)
      expect(maskProblems({ modules, manifest: { metadata } })).toEqual([]);
    expect(
      maskProblems({ modules, layer: "server", manifest: { metadata: { masks: good } } }),
    ).toEqual([]);
    const manifest = Buffer.from(JSON.stringify({ metadata: { masks: good } }));
    const read = readBundleManifest(new Map([[".manifest", manifest]]), "b");
    expect(read.metadata["masks"]).toEqual(good);
  });

  test.each(["identity", "workflow", "compliance", "overrides", "library"] as const)(
    "are refused in a bundle of kind %s, where nobody would apply them",
    (layer) => {
      const said = maskProblems({ modules, manifest: { metadata: { masks: good, layer } } });
      const asked = maskProblems({ modules, layer, manifest: { metadata: { masks: good } } });
      for (const [problem] of [said, asked]) {
        expect(problem).toMatchObject({ code: "contract_masks", file: ".manifest" });
        expect(problem?.message).toContain("in a bundle of another kind, found 2");
      }
      expect(maskProblems({ modules, manifest: { metadata: { masks: [], layer } } })).toEqual([]);
      expect(maskProblems({ modules, manifest: { metadata: { layer } } })).toEqual([]);
    },
  );

  test("none are declared where there is no manifest", () => {
    expect(maskProblems({ modules })).toEqual([]);
  });
});

describe("the toolchain", () => {
  const toolchain = createRegoToolchain();
  afterAll(() => toolchain.close());

  test("checks and builds no bundle with such masks", { timeout: 60_000 }, async () => {
    const sources = { modules, manifest: { metadata: { masks: ["/input/user/id"] } } };
    for (const answer of [await toolchain.check(sources), await toolchain.build(sources)]) {
      const problems = answer.ok ? [] : answer.problems.map((problem) => problemText(problem));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain("[contract_masks]");
    }
    expect((await toolchain.check({ modules, manifest: { metadata: { masks: good } } })).ok).toBe(
      true,
    );
  });
});
