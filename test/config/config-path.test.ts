import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveConfigPath } from "../../src/config/config-path.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { refusal } from "./support.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const name = "mcp-gateway.config.json";

function place(...segments: readonly string[]): string {
  const folder = join(...segments);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), "{}");
  return join(folder, name);
}

describe("which configuration is meant", () => {
  test("the option wins over the variable, that over the current folder, that over XDG", () => {
    const root = temporaryFolder();
    const xdg = place(root, "xdg", "mcp-gateway");
    const env = { XDG_CONFIG_HOME: join(root, "xdg"), HOME: root };
    const cwd = join(root, "cwd");
    expect(resolveConfigPath({}, env, cwd)).toBe(xdg);
    const here = place(cwd);
    expect(resolveConfigPath({}, env, cwd)).toBe(here);
    const named = place(root, "named");
    const withVariable = { ...env, MCP_GATEWAY_CONFIG: named };
    expect(resolveConfigPath({}, withVariable, cwd)).toBe(named);
    const option = place(root, "option");
    expect(resolveConfigPath({ config: `../option/${name}` }, withVariable, cwd)).toBe(option);
  });

  test("without XDG_CONFIG_HOME, or with a relative one, it is ~/.config", () => {
    const home = temporaryFolder();
    const path = place(home, ".config", "mcp-gateway");
    expect(resolveConfigPath({}, { HOME: home }, temporaryFolder())).toBe(path);
    expect(resolveConfigPath({}, { HOME: home, XDG_CONFIG_HOME: "x" }, temporaryFolder())).toBe(
      path,
    );
  });

  test("an empty variable counts as none", () => {
    const cwd = temporaryFolder();
    const path = place(cwd);
    expect(resolveConfigPath({}, { MCP_GATEWAY_CONFIG: "", HOME: cwd }, cwd)).toBe(path);
  });

  test("where there is none, every place that was tried is named", () => {
    const home = temporaryFolder();
    const error = refusal(() => resolveConfigPath({}, { HOME: home }, "/nowhere"));
    expect(error.code).toBe("config_not_found");
    expect(error.message).toContain(join("/nowhere", name));
    expect(error.message).toContain(join(home, ".config", "mcp-gateway", name));
    expect(error.message).toContain("--config and MCP_GATEWAY_CONFIG are not set");
  });

  test.each([
    ["--config", { config: "missing.json" }, {}],
    ["MCP_GATEWAY_CONFIG", {}, { MCP_GATEWAY_CONFIG: "missing.json" }],
  ])("what %s names is not looked for elsewhere", (source, options, env) => {
    const cwd = temporaryFolder();
    place(cwd);
    const error = refusal(() => resolveConfigPath(options, env, cwd));
    expect(error.message).toBe(
      `expected a configuration at ${join(cwd, "missing.json")}, which ${source} names; there is none`,
    );
  });

  test("a place that cannot be looked at is not skipped in silence", () => {
    const cwd = temporaryFolder();
    const path = join(cwd, name);
    symlinkSync(path, path);
    expect(resolveConfigPath({}, { HOME: cwd }, cwd)).toBe(path);
    const error = refusal(() => loadConfig({ path, env: {} }));
    expect([error.code, error.message]).toEqual([
      "config_unreadable",
      `cannot read ${path}: ELOOP`,
    ]);
  });
});
