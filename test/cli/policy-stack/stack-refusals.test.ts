/**
 * What would make a table of cases say more than was tested is refused, and named.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { get, openStackWorld } from "./stack-world.ts";

const limit = { timeout: 300_000 };
const allowed = { effect: "allow" };

describe("a case is refused", () => {
  test.each<[string, object, string]>([
    ["with a misspelt expectation", get("a", {}, { ...allowed, reason: [] }), "cases.0.expect: "],
    ["without an effect", get("a", {}, {}), "cases.0.expect.effect: "],
    ["with a misspelt circumstance", get("a", {}, allowed, { at: "x" }), "cases.0: "],
    ["with a time that is none", get("a", {}, allowed, { time: "Monday" }), "cases.0.time: "],
    [
      "about two things",
      { name: "a", call: { server: "crm", tool: "get", uri: "x" }, expect: allowed },
      "expected one of tool, prompt and uri",
    ],
    [
      "about an unknown server",
      { name: "a", call: { server: "cmr", tool: "get" }, expect: allowed },
      'case "a": expected call.server to be one of crm, found "cmr"',
    ],
    [
      "with a counter that nobody declares",
      get("a", {}, allowed, { usage: { crm: { calls: 1 } } }),
      'found "crm/calls"',
    ],
  ])("%s", limit, async (_, wrong, found) => {
    const { exitCode, err, out } = await (await openStackWorld()).test([wrong]);
    expect(exitCode).toBe(3);
    expect(err).toContain(found);
    expect(out).toBe("");
  });
});

test("a table without cases is no success", limit, async () => {
  const world = await openStackWorld();
  const filtered = await world.test([get("a", {}, allowed)], "-r", "none of them");
  expect(filtered).toMatchObject({ exitCode: 4, out: "" });
  rmSync(join(world.folder, "a.stack.json"));
  const none = await world.run("--stack", "-c", world.config);
  expect(none.exitCode).toBe(4);
  expect(none.err).toContain("expected at least one case");
});

test("a file that cannot be read is named", limit, async () => {
  const world = await openStackWorld();
  writeFileSync(join(world.folder, "b.yaml"), "cases: [");
  const broken = await world.run("--stack", "-c", world.config, "b.yaml");
  expect(broken.exitCode).toBe(3);
  expect(broken.err).toContain("b.yaml: expected YAML or JSON");
});

test("a bundle that would not be active ends the command, and no case runs", limit, async () => {
  const world = await openStackWorld();
  await world.test([get("a", {}, allowed)]);
  const config = { servers: { crm: { command: "none", policy: "oci-layout:nowhere:crm" } } };
  writeFileSync(world.config, JSON.stringify(config));
  const outcome = await world.run("--stack", "-c", world.config);
  expect(outcome.exitCode).not.toBe(0);
  expect(outcome.exitCode).not.toBe(4);
  expect(outcome.out).toBe("");
});

test.each([[[]], [["--junit", "x.xml", "folder"]], [["-c", "x.json", "folder"]]])(
  "without --stack it needs folders and nothing of a stack: %j",
  limit,
  async (args) => {
    const outcome = await (await openStackWorld()).run(...args);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.err).toContain("or --stack");
  },
);
