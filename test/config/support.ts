/**
 * Writes configuration files into a fresh folder and loads them, for the tests of this folder.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { LoadedConfig } from "../../src/config/load-config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export type Environment = Readonly<Record<string, string>>;

/** The least that a configuration has. */
export const minimal = {
  agent: { id: "support-bot" },
  user: { id: "alice" },
  servers: {},
};

/** A server entry that nothing is wrong with. */
export const server = { command: "node", args: ["main.js"], policy: "oci-layout:dist:crm" };

/** Writes a value as JSON, or a text as it is, into a fresh folder. */
export function writeConfig(content: unknown, folder: string = temporaryFolder()): string {
  const path = join(folder, "mcp-gateway.config.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  chmodSync(path, 0o600);
  return path;
}

export function load(content: unknown, env: Environment = {}): LoadedConfig {
  return loadConfig({ path: writeConfig(content), env });
}

/** The error of a configuration that must not load. */
export function refusal(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("expected a ConfigError, but nothing was thrown");
}

/** The messages of a configuration that must not load, in file order. */
export function problemsOf(content: unknown, env: Environment = {}): readonly string[] {
  return refusal(() => load(content, env)).problems.map((problem) => problem.message);
}
