/**
 * A machine with a configuration of one server and one layer whose bundles are in a registry, for
 * tests of locks.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packBundle } from "../../../src/bundle/archive.ts";
import { bundleManifest } from "../../support/bundle-setting.ts";
import { runCli } from "../../support/cli-run.ts";
import { startFakeRegistry } from "../../support/fake-registry.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyFiles } from "../../support/tiny-bundle.ts";

/** The archive of a bundle without a policy. */
export function archiveOf(name: string, revision: string, layer = "server"): Buffer {
  const manifest = {
    revision,
    wasm: [{ entrypoint: "mcp/crm/decision", module: "/policy.wasm" }],
    metadata: { name, layer },
  };
  const files = tinyFiles({ name }, { ".manifest": JSON.stringify(manifest) });
  return Buffer.from(packBundle(files));
}

export async function createLockWorld(server: object = {}, policy: object = {}) {
  const folder = temporaryFolder();
  const env = {
    HOME: folder,
    PATH: "/nowhere",
    XDG_CACHE_HOME: join(folder, "cache"),
    MCP_GATEWAY_STATE: join(folder, "state"),
  };
  const registry = await startFakeRegistry();
  onTestFinished(registry.close);
  const push = (name: string, revision: string, layer?: string): string =>
    registry.putManifest(name, bundleManifest(registry, archiveOf(name, revision, layer)));
  const reference = `oci://${registry.host}/policies/all:crm`;
  const crm = { command: process.execPath, policy: { bundle: reference, ...policy }, ...server };
  const rules = `oci://${registry.host}/policies/all:rules`;
  const config = {
    agent: { id: "a" },
    user: { id: "u" },
    servers: { crm },
    layers: [{ name: "rules", kind: "workflow", policy: rules }],
  };
  const configPath = join(folder, "mcp-gateway.config.json");
  const write = (document: object): void =>
    writeFileSync(configPath, JSON.stringify(document, null, 1), { mode: 0o600 });
  write(config);
  const lockPath = join(folder, "mcp-gateway.lock.json");
  const cli = async (...args: readonly string[]) => await runCli(args, folder, env);
  const lock = () => JSON.parse(readFileSync(lockPath, "utf8"));
  const writeLock = (text: string | object): void =>
    writeFileSync(lockPath, typeof text === "string" ? text : JSON.stringify(text, null, 2));
  const known = { folder, env, registry, reference, rules, config, configPath, lockPath };
  return { ...known, push, write, cli, lock, writeLock };
}
