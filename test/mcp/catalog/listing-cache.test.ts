import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCachedListing, writeCachedListing } from "../../../src/mcp/catalog/listing-cache.ts";
import type { CachedListing } from "../../../src/mcp/catalog/listing-cache.ts";
import { resource, tool } from "./build-listed.ts";

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "listing-"));
});
afterEach(async () => {
  await rm(stateDir, { recursive: true, force: true });
});

const path = () => join(stateDir, "catalog", "crm.json");
const read = (hash = "h1") => readCachedListing(stateDir, "crm", hash);
const write = (listing: CachedListing, hash = "h1") =>
  writeCachedListing(stateDir, "crm", hash, listing);

const listing: CachedListing = {
  greeting: {
    era: "modern",
    protocolVersion: "2026-07-28",
    capabilities: { tools: {}, extensions: { "x/y": { z: [1] } } },
    serverInfo: { name: "crm", version: "1" },
    instructions: "Be kind.",
  },
  tools: [
    tool("a", { inputSchema: JSON.parse('{"type":"object","properties":{"__proto__":{}}}') }),
    7,
  ],
  prompts: [{ name: "p" }],
  resources: [resource("x:1")],
  resourceTemplates: [],
  savedAtMs: 1_795_000_000_000,
};

describe("a kept listing", () => {
  test("is read as it was saved, for its owner alone", async () => {
    expect(await write(listing)).toEqual({ ok: true });
    expect(await read()).toEqual({ kind: "listing", listing });
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDir, "catalog"))).mode & 0o777).toBe(0o700);
  });

  test("is read without instructions where there were none", async () => {
    const silent = { ...listing, greeting: { ...listing.greeting, instructions: undefined } };
    await write(silent);
    expect(await read()).toEqual({ kind: "listing", listing: silent });
  });

  test("is replaced by the next", async () => {
    await write(listing);
    await write({ ...listing, tools: [] });
    expect(await read()).toMatchObject({ listing: { tools: [] } });
  });

  test("is absent before it was saved and under another configuration", async () => {
    expect(await read()).toEqual({ kind: "absent" });
    await write(listing);
    expect(await read("h2")).toEqual({ kind: "absent" });
  });

  test.each([
    ["cut short", "no file of a listing", (): Promise<void> => truncate(path(), 100)],
    ["no JSON", "no file of a listing", (): Promise<void> => writeFile(path(), "{")],
    ["of another shape", "no file of a listing", (): Promise<void> => writeFile(path(), "{}")],
    ["too long", "longer than", pad],
    ["a folder", "no regular file", makeFolder],
  ])("that is %s is ignored with a reason", async (_, reason, harm) => {
    await write(listing);
    await harm();
    expect(await read()).toEqual({ kind: "unusable", reason: expect.stringContaining(reason) });
  });

  async function pad(): Promise<void> {
    await appendFile(path(), " ".repeat(33 * 1024 * 1024));
  }

  async function makeFolder(): Promise<void> {
    await rm(path());
    await mkdir(path());
  }

  test("is not written where it is too long, and the one before stays", async () => {
    await write(listing);
    const before = await readFile(path());
    const huge = { ...listing, resources: ["x".repeat(33 * 1024 * 1024)] };
    expect(await write(huge)).toMatchObject({ ok: false });
    expect(await readFile(path())).toEqual(before);
  });

  test("that cannot be written is a reason and no exception", async () => {
    await writeFile(join(stateDir, "catalog"), "");
    expect(await write(listing)).toMatchObject({ ok: false });
  });
});
