/**
 * What `policy check` says of declared counters is what the gateway says of the bundle.
 */
import { afterAll, expect, test } from "vitest";
import { readBundleManifest } from "../../src/bundle/bundle-manifest.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

const modules = { "p.rego": 'package p\n\nallow contains "x" if input.action.tool == "x"\n' };
const good = { calls: { key: ["user"], limit: 1 } };
const bad = { calls: { key: ["user"], limit: -1 } };

test("a counter that can be read is built into the manifest", async () => {
  const built = await toolchain.build({ modules, manifest: { metadata: { counters: good } } });
  if (!built.ok) throw new Error("expected a bundle");
  const manifest = Buffer.from(built.value.files.get(".manifest") ?? []);
  expect(JSON.parse(manifest.toString()).metadata.counters).toEqual(good);
  const files = new Map([[".manifest", manifest]]);
  expect(readBundleManifest(files, "b").metadata["counters"]).toEqual(good);
}, 60_000);

test("a counter in a library is refused, which nobody would count", async () => {
  const metadata = { name: "lib-p", layer: "library", counters: good };
  const sources = { modules: { "p.rego": "package lib.p\n\nx := 1\n" } };
  const manifest = { roots: ["lib/p"], metadata };
  const answer = await toolchain.check({ ...sources, manifest });
  const problems = answer.ok ? [] : answer.problems.map((problem) => problemText(problem));
  expect(problems.join()).toContain("[contract_counters]");
  expect(problems.join()).toContain("expected none in a library");
  const without = { ...manifest, metadata: { ...metadata, counters: {} } };
  expect((await toolchain.check({ ...sources, manifest: without })).ok).toBe(true);
}, 60_000);

test("a counter that cannot be read is refused by check, build and the gateway", async () => {
  const sources = { modules, manifest: { metadata: { counters: bad } } };
  for (const answer of [await toolchain.check(sources), await toolchain.build(sources)]) {
    const problems = answer.ok ? [] : answer.problems.map((problem) => problemText(problem));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("metadata.counters.calls.limit: ");
    expect(problems[0]).toContain("[contract_counters]");
  }
  const manifest = Buffer.from(JSON.stringify(sources.manifest));
  const read = () => readBundleManifest(new Map([[".manifest", manifest]]), "b");
  expect(read).toThrow(expect.objectContaining({ code: "bundle_manifest_invalid" }));
  expect(read).toThrow(/metadata\.counters\.calls\.limit/);
}, 60_000);
