import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensurePrivateDir, resolveStatePaths } from "../../src/config/state-paths.ts";
import { refusal } from "./support.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("where state is", () => {
  test("MCP_GATEWAY_STATE wins, relative to the current folder", () => {
    const env = { MCP_GATEWAY_STATE: "state", XDG_STATE_HOME: "/xdg", HOME: "/home/u" };
    expect(resolveStatePaths(env, "/here").stateDir).toBe("/here/state");
  });

  test("without it the XDG folders are used, and without those the ones below home", () => {
    const xdg = {
      XDG_STATE_HOME: "/s",
      XDG_CACHE_HOME: "/c",
      HOME: "/home/u",
      DOCKER_CONFIG: "/d",
    };
    expect(resolveStatePaths(xdg, "/")).toEqual({
      stateDir: "/s/mcp-gateway",
      cacheDir: "/c/mcp-gateway",
      dockerConfigPath: "/d/config.json",
      podmanAuthPaths: [],
    });
    const relative = { HOME: "/home/u", XDG_STATE_HOME: "s", MCP_GATEWAY_STATE: "" };
    expect(resolveStatePaths(relative, "/")).toEqual({
      stateDir: "/home/u/.local/state/mcp-gateway",
      cacheDir: "/home/u/.cache/mcp-gateway",
      dockerConfigPath: "/home/u/.docker/config.json",
      podmanAuthPaths: [],
    });
  });

  test("Podman's logins are in its runtime folder, or in the one file that is named", () => {
    const env = { HOME: "/home/u", XDG_RUNTIME_DIR: "/run/u" };
    expect(resolveStatePaths(env, "/here").podmanAuthPaths).toEqual([
      "/run/u/containers/auth.json",
    ]);
    const named = { ...env, REGISTRY_AUTH_FILE: "auth.json" };
    expect(resolveStatePaths(named, "/here").podmanAuthPaths).toEqual(["/here/auth.json"]);
    expect(resolveStatePaths({ XDG_RUNTIME_DIR: "run" }, "/here").podmanAuthPaths).toEqual([]);
  });

  test("nothing is created by asking", () => {
    const home = temporaryFolder();
    resolveStatePaths({ HOME: home }, "/");
    expect(existsSync(join(home, ".local"))).toBe(false);
  });
});

describe("a private folder", () => {
  test("is made with its parents and mode 0700", () => {
    const path = join(temporaryFolder(), "a", "b");
    expect(ensurePrivateDir(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(ensurePrivateDir(path)).toBe(path);
  });

  test.each([0o720, 0o702, 0o777])("with mode %o is refused with the command to run", (mode) => {
    const path = join(temporaryFolder(), "state");
    mkdirSync(path);
    chmodSync(path, mode);
    const error = refusal(() => ensurePrivateDir(path, "linux"));
    expect(error.code).toBe("state_dir_insecure");
    expect(error.message).toContain(`chmod go-w ${path}`);
    expect(ensurePrivateDir(path, "win32")).toBe(path);
  });

  test("of another user is refused", () => {
    const isRoot = process.getuid?.() === 0;
    const foreign = isRoot ? temporaryFolder() : "/usr";
    if (isRoot) chownSync(foreign, 4711, 4711);
    expect(refusal(() => ensurePrivateDir(foreign)).message).toMatch(/it belongs to user \d+, not/);
  });

  test("that is a file is refused", () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    const error = refusal(() => ensurePrivateDir(path));
    expect(error.code).toBe("state_dir_unusable");
    expect(error.message).toContain("EEXIST");
  });

  test("below a file is refused", () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    expect(refusal(() => ensurePrivateDir(join(path, "x"))).message).toContain("ENOTDIR");
  });
});
