/**
 * A machine with one server that is released: its program says the version that it was started with,
 * its policy and its releases are in layouts beside the configuration.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Says the version that it was started with, or what the file `version` has; `steady` never changes. */
export const program = `
import { createInterface } from "node:readline";
import { existsSync, readFileSync } from "node:fs";
const file = new URL("version", import.meta.url);
const version = existsSync(file) ? readFileSync(file, "utf8") : process.argv[2];
const tool = (name, description) => ({ name, description, inputSchema: { type: "object" } });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const results = {
    initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "crm", version } },
    "tools/list": { tools: [tool("steady", "the same"), tool("moving", "of " + version)] },
    "tools/call": { content: [{ type: "text", text: "ran " + version }] },
  };
  const result = results[method];
  const answer = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, ...answer }) + "\\n");
}
`;

/** What a client was answered: what ran, or the first reason of a denial. */
export async function outcomeOf(client: RawClient, tool: string): Promise<string> {
  const { result, error } = await client.call(`crm__${tool}`);
  if (error !== undefined) return String(Object(error).message);
  const decision = Object(Object(result)._meta)["io.mcp-gateway/decision"];
  return decision?.reasons[0] ?? Object(result).content[0].text;
}

const why = ["--why", "as planned"];

/** `more` goes into the configuration. */
export function createReleaseWorld(more: object = {}) {
  const env = freshEnvironment();
  const folder = temporaryFolder();
  writeFileSync(join(folder, "server.mjs"), program);
  const configPath = join(folder, "mcp-gateway.config.json");
  const lockPath = join(folder, "mcp-gateway.lock.json");
  const policyOf = (name: string): string => `oci-layout:${join(folder, "policies")}:${name}`;
  const releaseAt = (version: string): string =>
    `oci-layout:${join(folder, "releases")}:${version}`;
  const crm = {
    command: process.execPath,
    args: ["server.mjs", "${release.version}"],
    policy: { bundle: policyOf("crm"), poll: "1s" },
  };
  // Nothing here is about a machine that is slow.
  const policy = { deadline_ms: 10_000 };
  const config = { agent: { id: "bot" }, user: { id: "alice" }, policy, servers: { crm }, ...more };
  const write = (document: object): void =>
    writeFileSync(configPath, JSON.stringify(document, null, 2), { mode: 0o600 });
  write(config);
  const bin = async (...args: readonly string[]) =>
    await runBin([...args, "--config", configPath], env);
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await bin(...args);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const push = async (name: string, revision: string, rego: string, layer = "server") => {
    const sources = join(temporaryFolder(), revision);
    mkdirSync(sources);
    const metadata = { name, layer, policy_package: `mcp.${name}` };
    const manifest = { revision, roots: [`mcp/${name}`], metadata };
    writeFileSync(join(sources, ".manifest"), JSON.stringify(manifest));
    writeFileSync(join(sources, "policy.rego"), `package mcp.${name}\n\n${rego}\n`);
    const { code, stdout, stderr } = await runBin(["bundle", "push", sources, policyOf(name)], env);
    expect(code, stderr).toBe(0);
    return stdout.trim().split("@")[1] ?? "";
  };
  /** Pushes a policy of this revision; returns its digest. */
  const pushPolicy = async (revision: string): Promise<string> =>
    await push("crm", revision, 'allow contains "all" if input.action.type == "tool_call"');
  /** Releases this version with what the sources have now; returns the reference. */
  const makeRelease = async (version: string, ...options: readonly string[]): Promise<string> => {
    const target = ["--package", `@acme/crm@${version}`, "--push", releaseAt(version)];
    await done("server", "release", "crm", ...target, ...options);
    return releaseAt(version);
  };
  const upgrade = async (version: string) =>
    await done("server", "upgrade", "crm", releaseAt(version), ...why);
  const serve = async (): Promise<RawClient> => {
    const client = await startRawClient(serveCommand(configPath, env));
    onTestFinished(async () => void (await client.end()));
    await eventually(async () => (await outcomeOf(client, "steady")) !== "no_policy", 30_000);
    return client;
  };
  const lock = () => JSON.parse(readFileSync(lockPath, "utf8"));
  const known = {
    bin,
    config,
    configPath,
    done,
    env,
    folder,
    lock,
    lockPath,
    releaseAt,
    why,
    write,
  };
  return { ...known, makeRelease, push, pushPolicy, serve, upgrade };
}
