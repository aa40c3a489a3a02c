/**
 * A source of bundles whose versions, failures and silence a test decides, and a keeper on it whose
 * record, activations and history it sees. What is between (signatures, archives, engine) is tested
 * where it is done.
 */
import { afterEach } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type {
  Bundle,
  BundleActivation,
  BundleChange,
  Digest,
} from "../../../src/contract/bundle.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { BundleError } from "../../../src/bundle/bundle-error.ts";
import type { BundleErrorCode } from "../../../src/bundle/bundle-error.ts";
import type { BundleHistory } from "../../../src/bundle/life/bundle-history.ts";
import { changeHistory, readHistory } from "../../../src/bundle/life/bundle-history.ts";
import { BundleKeeper } from "../../../src/bundle/life/bundle-keeper.ts";
import type { KeeperDeps, KeeperOptions } from "../../../src/bundle/life/keeping.ts";
import type { Candidate } from "../../../src/bundle/life/prepare-candidate.ts";
import type { Vetting } from "../../../src/bundle/life/vet-candidate.ts";
import type { BundleSource, FetchedBundle } from "../../../src/bundle/sources/bundle-source.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** The digest of the bundle that a test calls so. */
export function digestOf(name: string): Digest {
  return sha256Of(name);
}

export interface FakeWorld {
  /** What the source has now. */
  has: string;
  /** Why it cannot be asked. */
  away: BundleErrorCode | undefined;
  /** Never answers, until it is told to. */
  isHung: boolean;
  /** Answers a poll, and never a fetch. */
  isDripping: boolean;
  /** What it says of why it cannot be asked. */
  words: string;
  /** What others do while a bundle is prepared. */
  whilePreparing: (() => Promise<void>) | undefined;
  /** What a replay of a bundle by name comes to; told until when it may take. */
  vet: (name: string, signal: AbortSignal) => Promise<Vetting>;
  /** By bundle, whose content it has. */
  readonly contentOf: Map<string, string>;
  /** By bundle, why it is refused before or by the engine. */
  readonly bad: Map<string, BundleErrorCode | "unexpected">;
  readonly broken: Map<string, string>;
  /** What happened, in order. */
  readonly activated: (string | undefined)[];
  readonly changes: BundleChange[];
  readonly tested: string[];
  polls: number;
  fetches: number;
  skewMs: number;
}

const key = { layer: "crm", reference: "oci://registry.example/policies/crm:1" };
const open = new Set<BundleKeeper>();

afterEach(async () => {
  const all = [...open];
  open.clear();
  await Promise.all(all.map((keeper) => keeper.close()));
});

/** A world with one source; keepers of it are gateways. */
export function createWorld(has: string, stateDir = temporaryFolder()) {
  const world: FakeWorld = {
    has,
    away: undefined,
    isHung: false,
    isDripping: false,
    words: "as the test says",
    whilePreparing: undefined,
    vet: async () => ({ ok: true, message: "newly allows none" }),
    contentOf: new Map(),
    bad: new Map(),
    broken: new Map(),
    activated: [],
    changes: [],
    tested: [],
    polls: 0,
    fetches: 0,
    skewMs: 0,
  };
  const clock = {
    nowMs: () => systemClock.nowMs() + world.skewMs,
    monotonicMs: () => systemClock.monotonicMs() + world.skewMs,
  };
  const place = { stateDir, clock };
  const names = new Map<string, string>();
  const fetched = (id: string): FetchedBundle => ({
    version: { id },
    digest: digestOf(names.get(id) ?? ""),
    archive: Buffer.from(names.get(id) ?? ""),
    origin: "registry",
    signed: undefined,
    keep: async () => {},
    close: async () => {},
  });
  const nameIt = (name: string): string => {
    names.set(digestOf(name), name);
    return digestOf(name);
  };
  const source: BundleSource = {
    describe: key.reference,
    isFixed: false,
    poll: async (known, signal) => {
      world.polls += 1;
      if (world.isHung) await abortOf(signal);
      if (world.away !== undefined) {
        const error = new BundleError(world.away, world.words);
        return { kind: "failed", error, retryAfterMs: undefined };
      }
      const id = nameIt(world.has);
      return known?.id === id
        ? { kind: "unchanged", waited: false }
        : { kind: "changed", version: { id }, waited: false };
    },
    fetch: async (version, signal) => {
      world.fetches += 1;
      if (world.isDripping) await abortOf(signal);
      if (world.away !== undefined) throw new BundleError(world.away, "as the test says");
      return fetched(version.id);
    },
    close: () => {},
  };
  const deps: KeeperDeps = {
    place,
    clock,
    random: () => 0.5,
    vet: async ({ archive }, signal) => await world.vet(archive.toString(), signal),
    log: createTestLog(),
    prepare: async (given, past) => {
      const name = given.archive.toString();
      await world.whilePreparing?.();
      const content = digestOf(`content of ${world.contentOf.get(name) ?? name}`);
      if (past.revoked.has(content)) throw new BundleError("bundle_revoked", "as the test says");
      const code = world.bad.get(name);
      if (code === "unexpected") throw new RangeError("as the test says");
      if (code !== undefined) throw new BundleError(code, "as the test says");
      if (!past.isTested) world.tested.push(name);
      return candidateOf(name, given);
    },
    readKept: async ({ version }) => {
      if (!names.has(version.id)) throw new BundleError("bundle_not_found", "not kept");
      return { ...fetched(version.id), origin: "cache" };
    },
    keep: async () => {},
    activate: async (bundle): Promise<BundleActivation> => {
      const message = world.broken.get(bundle?.revision ?? "");
      if (message !== undefined) return { ok: false, code: "policy_activation_failed", message };
      world.activated.push(bundle?.revision);
      return { ok: true };
    },
    record: async (change) => void world.changes.push(change),
  };
  const keep = (options: Partial<KeeperOptions> = {}, more: Partial<KeeperDeps> = {}) => {
    const keeper = new BundleKeeper(
      {
        key,
        source,
        pollMs: 3_600_000,
        activation: "auto",
        maxStalenessMs: undefined,
        locked: undefined,
        ...options,
      },
      { ...deps, ...more },
    );
    open.add(keeper);
    return keeper;
  };
  const history = async (): Promise<BundleHistory> => await readHistory(place, key);
  const change = async (how: (before: BundleHistory) => BundleHistory): Promise<void> => {
    await changeHistory(place, key, how);
  };
  return { world, keep, history, change, stateDir, nameIt, log: deps.log };
}

/** Rejects as a program does whose work is ended. */
function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error("aborted"));
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
}

function candidateOf(name: string, fetched: FetchedBundle): Candidate {
  const bundle: Bundle = {
    name: "crm",
    reference: key.reference,
    digest: fetched.digest,
    revision: name,
    kind: "server",
    policyPackage: "mcp.crm",
    entrypoints: { decision: "mcp/crm/decision", classify: undefined, visibility: undefined },
    wasm: new Uint8Array(),
    dataJson: "{}",
    sources: new Map(),
    metadata: {},
    origin: fetched.origin,
  };
  const mark = { revision: name, sequence: undefined, createdSeconds: undefined };
  return {
    bundle,
    content: digestOf(`content of ${name}`),
    fetched,
    trust: { by: "nothing", signers: [], proofs: [] },
    mark,
  };
}
