import { describe, expect, test } from "vitest";
import { mergeGreetings } from "../../../src/mcp/catalog/merge-greetings.ts";
import type { JsonObject } from "../../../src/contract/json.ts";

const greeted = (
  server: string,
  capabilities: JsonObject,
  more: { readonly era?: "legacy" | "modern"; readonly instructions?: string } = {},
) => ({
  server,
  greeting: {
    era: more.era ?? "legacy",
    protocolVersion: "2025-11-25",
    capabilities,
    serverInfo: { name: server, version: "1" },
    instructions: more.instructions,
  },
});

describe("the gateway's greeting", () => {
  test("has what one of its servers has, and tells of changes itself", () => {
    const { capabilities } = mergeGreetings(
      [
        greeted("a", { tools: {}, prompts: {}, experimental: { x: {} } }),
        greeted("b", { resources: { subscribe: true }, completions: {}, logging: {} }),
      ],
      "legacy",
    );
    expect(capabilities).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    });
  });

  test("has tools alone where no server has more", () => {
    const alone = { capabilities: { tools: { listChanged: true } }, instructions: "" };
    expect(mergeGreetings([], "modern")).toEqual(alone);
    expect(mergeGreetings([greeted("a", { tools: {} })], "legacy")).toEqual(alone);
    expect(
      mergeGreetings([greeted("a", { resources: {} })], "legacy").capabilities["resources"],
    ).toEqual({
      listChanged: true,
    });
  });

  test("may have anything where a server has never answered", () => {
    const { capabilities } = mergeGreetings([{ server: "a", greeting: undefined }], "legacy");
    expect(Object.keys(capabilities)).toEqual([
      "tools",
      "prompts",
      "resources",
      "completions",
      "logging",
    ]);
  });

  test("has extensions of all servers, the first one's settings, and tasks in the words of its era", () => {
    const tasks = { list: {}, requests: { tools: { call: {} } } };
    const extension = { "io.modelcontextprotocol/tasks": {} };
    const servers = [
      greeted("old", { tasks, extensions: { "io.modelcontextprotocol/ui": { first: true } } }),
      greeted(
        "new",
        { extensions: { ...extension, "io.modelcontextprotocol/ui": {}, "x/y": {} } },
        { era: "modern" },
      ),
    ];
    const ui = { "io.modelcontextprotocol/ui": { first: true }, "x/y": {} };
    expect(mergeGreetings(servers, "legacy").capabilities).toEqual({
      tools: { listChanged: true },
      tasks,
      extensions: ui,
    });
    expect(mergeGreetings(servers, "modern").capabilities).toEqual({
      tools: { listChanged: true },
      extensions: { ...ui, ...extension },
    });
  });

  test("does not take a key of its own prototype for a feature", () => {
    const { capabilities } = mergeGreetings(
      [greeted("a", JSON.parse('{"__proto__":{"prompts":{}}}'))],
      "legacy",
    );
    expect(Object.keys(capabilities)).toEqual(["tools"]);
  });
});

describe("the gateway's instructions", () => {
  const instructions = (texts: readonly string[]) =>
    mergeGreetings(
      texts.map((text, at) => greeted(`s${at}`, {}, { instructions: text })),
      "modern",
    ).instructions;

  test("are those of each server, under its name", () => {
    expect(instructions(["One.\n", " ", "Three."])).toBe("s0: One.\n\ns2: Three.");
  });

  test("take 8 KiB at most, and a server that says much takes nothing from the others", () => {
    const long = instructions(["short", "ü".repeat(20_000), "é".repeat(20_000), "end"]);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(8192);
    expect(Buffer.byteLength(long)).toBeGreaterThan(5000);
    expect(long).toMatch(/^s0: short\n\ns1: ü+ \[…\]\n\ns2: é+ \[…\]\n\ns3: end$/);
  });
});
