import {
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireProcessLock } from "../../../src/database/process-lock.ts";
import { pinFilePath, readPins } from "../../../src/mcp/catalog/pin-file.ts";
import { readTool } from "../../../src/mcp/catalog/read-tool.ts";
import { meetTools, pinTools } from "../../../src/mcp/catalog/tool-pins.ts";
import type { SeenTool } from "../../../src/mcp/catalog/tool-pins.ts";
import { buildListed, tool } from "./build-listed.ts";

const clock = { nowMs: () => Date.UTC(2026, 10, 22), monotonicMs: () => performance.now() };

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "pins-"));
});
afterEach(async () => {
  await rm(stateDir, { recursive: true, force: true });
});

const store = () => ({ stateDir, clock });
const path = () => pinFilePath(stateDir, "crm");

function seen(name: string, more: object = {}): SeenTool {
  const reading = readTool(tool(name, more));
  if (!reading.ok) throw new Error(reading.reason);
  return reading.item;
}

/** What the catalogue says of these tools once the server listed them. */
async function changes(...listed: readonly object[]): Promise<Record<string, boolean>> {
  const readings = listed.map((one) => readTool(one)).flatMap((one) => (one.ok ? [one.item] : []));
  const pins = await meetTools(store(), "crm", readings);
  const { tools } = buildListed([{ id: "crm", lists: { tools: listed, pins } }]);
  return Object.fromEntries(tools.map(({ name, isChanged }) => [name, isChanged]));
}

describe("a pinned tool", () => {
  test("is trusted as it is first seen, across restarts", async () => {
    expect(await changes(tool("a"), tool("b"))).toEqual({ a: false, b: false });
    expect(await changes(tool("a"), tool("b"))).toEqual({ a: false, b: false });
  });

  test.each([
    ["description", { description: "now with a hidden instruction" }],
    ["schema", { inputSchema: { type: "object", properties: { x: {} } } }],
    ["hints", { annotations: { readOnlyHint: true } }],
    ["unknown member", { vendor: 1 }],
  ])("is changed with its %s, and stays so until it is pinned again", async (_, more) => {
    await changes(tool("a"), tool("b"));
    expect(await changes(tool("a", more), tool("b"))).toEqual({ a: true, b: false });
    expect(await changes(tool("a", more))).toEqual({ a: true });
    expect(await changes(tool("a"))).toEqual({ a: false });
    expect(await pinTools(store(), "crm", [seen("a", more)], ["a"])).toEqual({
      ok: true,
      pinned: ["a"],
    });
    expect(await changes(tool("a", more), tool("b"))).toEqual({ a: false, b: false });
    expect(await changes(tool("a"))).toEqual({ a: true });
  });

  test("does not change with the order of its members", async () => {
    await changes({ name: "a", inputSchema: { type: "object", title: "t" } });
    expect(await changes({ inputSchema: { title: "t", type: "object" }, name: "a" })).toEqual({
      a: false,
    });
  });

  test("is not forgotten while its server does not list it", async () => {
    await changes(tool("a"));
    await changes(tool("b"));
    expect(await changes(tool("a", { description: "other" }), tool("b"))).toEqual({
      a: true,
      b: false,
    });
  });

  test("may be called __proto__", async () => {
    await changes(tool("__proto__"));
    expect(await changes(tool("__proto__", { vendor: 1 }))).toEqual(
      Object.fromEntries([["__proto__", true]]),
    );
  });

  test("is in the listing in its old definition, so that a difference can be shown", async () => {
    await changes(tool("a", { description: "old" }));
    const pins = await meetTools(store(), "crm", [seen("a", { description: "new" })]);
    expect(pins.ok && pins.pins.get("a")).toMatchObject({
      definition: { description: "old" },
      pinnedAt: "2026-11-22T00:00:00.000Z",
    });
  });

  test("is neither of two that one list has under one name", async () => {
    const pins = await meetTools(store(), "crm", [seen("a"), seen("a", { vendor: 1 }), seen("b")]);
    expect(pins.ok && [...pins.pins.keys()]).toEqual(["b"]);
  });

  test("is one server's own", async () => {
    await changes(tool("a"));
    await meetTools(store(), "other", [seen("a", { vendor: 1 })]);
    expect(await changes(tool("a"))).toEqual({ a: false });
  });
});

describe("a file of pins", () => {
  test("is for its owner alone and leaves nothing beside it", async () => {
    await changes(tool("a"));
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDir, "pins"))).mode & 0o777).toBe(0o700);
    expect((await readdir(join(stateDir, "pins"))).toSorted()).toEqual([
      "crm.json",
      "crm.json.lock",
    ]);
    expect(await readdir(`${path()}.lock`)).toEqual([]);
  });

  const damage: readonly (readonly [string, () => Promise<void>])[] = [
    ["was cut short", async () => truncate(path(), 40)],
    ["is empty", async () => truncate(path(), 0)],
    ["is no JSON", async () => writeFile(path(), "pins")],
    ["is no UTF-8", async () => writeFile(path(), await withBrokenTime())],
    [
      "has two pins of one name",
      async () => edit((text) => text.replace("[{", `[${firstPin(text)},{`)),
    ],
    [
      "has a definition of another digest",
      async () => edit((text) => text.replace('"type":"object"', '"type":"object","x":1')),
    ],
    [
      "has a pin under another name",
      async () => edit((text) => text.replace('{"name":"a","digest"', '{"name":"z","digest"')),
    ],
    ["is of another server", async () => edit((text) => text.replace('"crm"', '"other"'))],
    [
      "is of a later version",
      async () => edit((text) => text.replace('"version":1', '"version":2')),
    ],
    ["is a symbolic link", linkElsewhere],
  ];

  async function edit(change: (text: string) => string): Promise<void> {
    const text = await readFile(path(), "utf8");
    expect(change(text)).not.toBe(text);
    await writeFile(path(), change(text));
  }

  async function withBrokenTime(): Promise<Buffer> {
    const bytes = await readFile(path());
    bytes[bytes.indexOf("2026-11-22")] = 0xff;
    return bytes;
  }

  function firstPin(text: string): string {
    return JSON.stringify(JSON.parse(text).tools[0]);
  }

  async function linkElsewhere(): Promise<void> {
    const target = join(stateDir, "elsewhere.json");
    await writeFile(target, await readFile(path()));
    await rm(path());
    await symlink(target, path());
  }

  test.each(damage)("that %s makes every tool of its server count as changed", async (_, harm) => {
    await changes(tool("a"), tool("b"));
    await harm();
    expect(await changes(tool("a"), tool("b"), tool("new"))).toEqual({
      a: true,
      b: true,
      new: true,
    });
    const pins = await readPins(stateDir, "crm");
    expect(pins.ok ? "" : pins.reason).toMatch(/crm\.json.*server pin crm/);
    expect(await pinTools(store(), "crm", [seen("a")], ["a"])).toMatchObject({ ok: false });
    expect(await pinTools(store(), "crm", [seen("a"), seen("b")], "all")).toEqual({
      ok: true,
      pinned: ["a", "b"],
    });
    expect(await changes(tool("a"), tool("b"))).toEqual({ a: false, b: false });
  });

  test("that cannot be written trusts nothing", async () => {
    await writeFile(join(stateDir, "pins"), "a file where the folder should be");
    expect(await changes(tool("a"))).toEqual({ a: true });
    const pins = await meetTools(store(), "crm", [seen("a")]);
    expect(pins.ok ? "" : pins.reason).toContain("cannot use");
  });

  test("that would grow past its bound trusts nothing, and stays as it was", async () => {
    await changes(tool("a"));
    const before = await readFile(path(), "utf8");
    const definition = { name: "huge", description: "x".repeat(33 * 1024 * 1024) };
    const pins = await meetTools(store(), "crm", [
      { name: "huge", digest: "sha256:0", definition },
    ]);
    expect(pins.ok ? "" : pins.reason).toContain("over 33554432 bytes");
    expect(await readFile(path(), "utf8")).toBe(before);
  });

  test("that somebody else holds for long trusts nothing new, and what is pinned still", async () => {
    await changes(tool("a"));
    const held = await acquireProcessLock(`${path()}.lock`, { clock, waitMs: 0 });
    const impatient = { stateDir, clock: { ...clock, monotonicMs: jumping() } };
    const [known, more] = await Promise.all([
      meetTools(impatient, "crm", [seen("a")]),
      meetTools(impatient, "crm", [seen("a"), seen("b")]),
    ]);
    expect(known).toMatchObject({ ok: true });
    expect(more.ok ? "" : more.reason).toContain(`process ${process.pid} holds`);
    if (held.ok) await held.lock.release();
  });

  test("loses no pin when several gateways meet tools at once", async () => {
    const names = Array.from({ length: 8 }, (_, at) => `t${at}`);
    await Promise.all(names.map((name) => meetTools(store(), "crm", [seen(name)])));
    const pins = await readPins(stateDir, "crm");
    expect(pins.ok && [...pins.pins.keys()].toSorted()).toEqual(names);
  });

  test("takes the first of two definitions that gateways meet at once, and shows the other as changed", async () => {
    const both = [seen("a"), seen("a", { vendor: 1 })];
    const met = await Promise.all(both.map((one) => meetTools(store(), "crm", [one])));
    const digests = met.map((pins) => (pins.ok ? pins.pins.get("a")?.digest : undefined));
    expect(digests[0]).toBeDefined();
    expect(digests[0]).toBe(digests[1]);
  });
});

describe("pinning by hand", () => {
  test("refuses a tool that the server does not list, and pins none of the others", async () => {
    const result = await pinTools(store(), "crm", [seen("a")], ["a", "b"]);
    expect(result).toEqual({
      ok: false,
      reason: 'expected tools that server "crm" lists, found "b"',
    });
    expect(await readPins(stateDir, "crm")).toMatchObject({ ok: true, pins: new Map() });
  });

  test("says which pins are new", async () => {
    await changes(tool("a"), tool("b"));
    const listed = [seen("a"), seen("b", { vendor: 1 }), seen("c")];
    expect(await pinTools(store(), "crm", listed, "all")).toEqual({ ok: true, pinned: ["b", "c"] });
    expect(await pinTools(store(), "crm", listed, "all")).toEqual({ ok: true, pinned: [] });
  });
});

/** A clock on which any wait is over at the second look. */
function jumping(): () => number {
  let now = 0;
  return () => (now += 60_000);
}
