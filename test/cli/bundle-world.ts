/**
 * A machine for the commands on the life of a bundle, with what gateways would have kept: three
 * bundles in the cache, of which the first and then the second were active. The registry is gone.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { packBundle } from "../../src/bundle/archive.ts";
import { isDigest } from "../../src/bundle/digest.ts";
import type { BundleHistory } from "../../src/bundle/life/bundle-history.ts";
import { changeHistory, readHistory } from "../../src/bundle/life/bundle-history.ts";
import { noteActivation } from "../../src/bundle/life/history-changes.ts";
import { systemClock } from "../../src/config/ambient.ts";
import type { Digest } from "../../src/contract/bundle.ts";
import { readSpool } from "../decision/support.ts";
import { bundleManifest } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

export interface World {
  readonly folder: string;
  readonly stateDir: string;
  readonly cacheDir: string;
  readonly reference: string;
  readonly v1: Digest;
  readonly v2: Digest;
  readonly v3: Digest;
  readonly cli: (...args: readonly string[]) => ReturnType<typeof runCli>;
  readonly cliAs: (
    env: Readonly<Record<string, string>>,
    ...args: readonly string[]
  ) => ReturnType<typeof runCli>;
  readonly history: () => Promise<BundleHistory>;
  readonly change: (change: (before: BundleHistory) => BundleHistory) => Promise<BundleHistory>;
  /** Of the spool. */
  readonly records: () => Promise<readonly Record<string, unknown>[]>;
}

function asDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Error(`expected a digest, found ${text}`);
}

/** The archive of a bundle of this revision. */
export function archiveOf(revision: string): Buffer {
  const manifest = {
    revision,
    wasm: [{ entrypoint: "mcp/crm/decision", module: "/policy.wasm" }],
    metadata: { name: "crm" },
  };
  const files = tinyFiles({ name: "crm" }, { ".manifest": JSON.stringify(manifest) });
  return Buffer.from(packBundle(files));
}

/** How a history has it. */
export function entryOf(digest: Digest, revision: string) {
  return {
    digest,
    revision,
    version: { id: digest },
    archive_bytes: null,
    size_bytes: 1000,
    activated_at: "2026-11-20T10:00:00.000Z",
    by: "gateway",
    why: null,
    vouched_by: "nothing" as const,
    signers: [],
  };
}

export const mark = { revision: "", sequence: undefined, createdSeconds: undefined };

/** A machine on which v1 and then v2 were active for server `crm`; v3 is in the cache alone. */
export async function createWorld(cadence: object = {}): Promise<World> {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache"), MCP_GATEWAY_STATE: stateDir };
  const registry = await startFakeRegistry();
  const put = (tag: string): Digest =>
    asDigest(registry.putManifest(tag, bundleManifest(registry, archiveOf(tag))));
  const [v1, v2, v3] = [put("v1"), put("v2"), put("v3")];
  const reference = `oci://${registry.host}/policies/crm:live`;
  const base = {
    agent: { id: "bot", scope: "support" },
    user: { id: "alice" },
    environment: { region: "eu" },
    decisions: { store: "embedded" },
    servers: {
      crm: { command: "node", policy: { bundle: reference, require: "none", ...cadence } },
      bare: { command: "node" },
    },
  };
  const path = join(folder, "mcp-gateway.config.json");
  await writeFile(path, JSON.stringify(base), { mode: 0o600 });
  const cliAs: World["cliAs"] = async (more, ...args) =>
    await runCli(args, folder, { ...env, ...more });
  const cli: World["cli"] = async (...args) => await cliAs({}, ...args);
  for (const tag of ["v1", "v2", "v3"]) {
    const pulled = await cli("bundle", "pull", `oci://${registry.host}/policies/crm:${tag}`);
    expect(pulled).toMatchObject({ exitCode: 0 });
  }
  await registry.close();
  await mkdir(stateDir, { mode: 0o700 });
  const place = { stateDir, clock: systemClock };
  const key = { layer: "crm", reference };
  const change: World["change"] = async (step) => await changeHistory(place, key, step);
  await change((before) => noteActivation(before, entryOf(v1, "v1"), mark));
  await change((before) => noteActivation(before, entryOf(v2, "v2"), mark));
  const history = async (): Promise<BundleHistory> => await readHistory(place, key);
  const records: World["records"] = async () =>
    (await readSpool(stateDir)).map((text) => JSON.parse(text));
  const cacheDir = join(folder, "cache", "mcp-gateway");
  const known = { folder, stateDir, cacheDir, reference, v1, v2, v3 };
  return { ...known, cli, cliAs, history, change, records };
}

export const why = ["--why", "refunds are denied"];
export const me = userInfo().username;
