import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pinFilePath } from "../../src/mcp/catalog/pin-file.ts";
import { startOauthWorld } from "../mcp/upstream/oauth/oauth-world.ts";
import { runCli } from "../support/cli-run.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function define(name: string, more: object = {}): object {
  return { name, inputSchema: { type: "object" }, ...more };
}

const hidden = "read\u001b[2J\u202e first";

/** A server `crm` whose tools stand in a file, and commands about it. */
function setting(tools: readonly object[] = [define("a"), define("b")]) {
  const folder = temporaryFolder();
  const toolsFile = join(folder, "tools.json");
  const stateDir = join(folder, "state");
  const describeTools = (now: readonly object[]): void =>
    writeFileSync(toolsFile, JSON.stringify(now));
  describeTools(tools);
  const config = writeFixtureConfig({
    crm: { mode: "tools-file", env: { FIXTURE_TOOLS: toolsFile } },
    gone: { command: join(folder, "no-such-program") },
    silent: { mode: "silent", settings: { start_timeout_ms: 500 } },
  });
  const env = {
    MCP_GATEWAY_STATE: stateDir,
    MCP_GATEWAY_LOG: "silent",
    PATH: process.env["PATH"] ?? "",
  };
  const server = (...args: readonly string[]) =>
    runCli(["server", ...args, "-c", config], folder, env);
  return {
    describeTools,
    server,
    pinFile: pinFilePath(stateDir, "crm"),
    items: async (...args: readonly string[]): Promise<readonly Record<string, unknown>[]> =>
      JSON.parse((await server(...args, "-o", "json")).out).items,
  };
}

describe("server pin", () => {
  test("pins what is new, and then has nothing to do", async () => {
    const { server, items } = setting();
    const first = await server("pin", "crm");
    expect(first).toMatchObject({ exitCode: 0, err: 'pinned 2 of the 2 tools of server "crm"' });
    expect(first.out).toMatch(/^TOOL {2}STATE {2}PINNED AT {2}DIGEST\na {5}new/);
    const again = await server("pin", "crm");
    expect(again).toMatchObject({ exitCode: 0, err: "every tool is as it was pinned" });
    expect((await items("pin", "crm")).map(({ tool, state }) => [tool, state])).toEqual([
      ["a", "unchanged"],
      ["b", "unchanged"],
    ]);
  });

  test("shows with --show what changed, leaf by leaf, and pins nothing", async () => {
    const { server, items, describeTools, pinFile } = setting();
    await server("pin", "crm");
    const before = readFileSync(pinFile, "utf8");
    describeTools([define("a", { description: hidden }), define("c")]);
    const shown = await server("pin", "crm", "--show");
    expect(shown).toMatchObject({ exitCode: 0, err: "2 tools are not pinned so" });
    expect(shown.out).toContain('\na\n  /description\n    + "read\\u001b[2J\\u{202e} first"');
    expect(await items("pin", "crm", "--show")).toMatchObject([
      {
        tool: "a",
        state: "changed",
        pinned_at: expect.stringMatching(/^20/),
        changes: [{ pointer: "/description", before: null, after: JSON.stringify(hidden) }],
      },
      { tool: "c", state: "new", pinned_at: null, changes: [] },
    ]);
    expect(readFileSync(pinFile, "utf8")).toBe(before);
  });

  test("pins the tools that are named, and no others", async () => {
    const { server, items, describeTools } = setting();
    await server("pin", "crm");
    describeTools([define("a", { title: "A" }), define("b", { title: "B" })]);
    const pinned = await items("pin", "crm", "--tool", "b");
    expect(pinned).toMatchObject([
      { tool: "b", changes: [{ pointer: "/title", before: null, after: '"B"' }] },
    ]);
    const states = (await items("pin", "crm", "--show")).map(({ state }) => state);
    expect(states).toEqual(["changed", "unchanged"]);
  });

  test("says which listed tools are not exposed", async () => {
    const { server } = setting([define("a"), define("not a name")]);
    const { err, exitCode } = await server("pin", "crm");
    expect(exitCode).toBe(0);
    expect(err).toContain('not exposed: "not a name", its name is not 1 to 128 of');
  });

  test("refuses pins that somebody changed, but for all tools of the server", async () => {
    const { server, items, pinFile } = setting();
    await server("pin", "crm");
    writeFileSync(pinFile, readFileSync(pinFile, "utf8").replace('"object"', '"array"'));
    for (const args of [["--show"], ["--tool", "a"]]) {
      const refused = await server("pin", "crm", ...args);
      expect(refused).toMatchObject({ exitCode: 8 });
      expect(refused.err).toContain('"mcp-gateway server pin crm"');
    }
    expect((await items("list"))[0]).toMatchObject({ id: "crm", pinned: null });
    expect(await server("pin", "crm")).toMatchObject({ exitCode: 0 });
    expect((await items("list"))[0]).toMatchObject({ id: "crm", pinned: 2 });
  });

  test.each([
    [2, ["pin", "nobody"], 'found "nobody"; it has crm, gone, silent'],
    [
      2,
      ["pin", "crm", "--tool", "a", "--tool", "z"],
      'server "crm" lists, by its own names, found "z"',
    ],
    [2, ["pin", "crm", "-o", "xml"], "expected -o to be one of"],
    [7, ["pin", "gone"], "[upstream_start_failed]"],
    [7, ["pin", "silent"], "[upstream_start_failed]"],
  ])("ends with exit code %i for %j", async (exitCode, args, message) => {
    const { server, items } = setting();
    const ended = await server(...args);
    expect(ended).toMatchObject({ exitCode, out: "" });
    expect(ended.err).toContain(message);
    expect((await items("list"))[0]).toMatchObject({ id: "crm", pinned: 0 });
  });

  test("ends with exit code 9 where the server wants a login, and says how to log in", async () => {
    const world = await startOauthWorld();
    const folder = temporaryFolder();
    const servers = { crm: { url: world.url } };
    const config = { agent: { id: "agent" }, user: { id: "user" }, servers };
    const path = join(folder, "mcp-gateway.config.json");
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const env = { MCP_GATEWAY_STATE: join(folder, "state"), MCP_GATEWAY_LOG: "silent" };
    const ended = await runCli(["server", "pin", "crm"], folder, env);
    expect(ended).toMatchObject({ exitCode: 9, out: "" });
    expect(ended.err).toMatch(/"mcp-gateway server login crm" \[upstream_unauthorized\]$/);
  });
});
