/**
 * Blocks in files of the state folder. `local.json` holds what was blocked on this machine, changed
 * under a lock and looked at by every gateway; `known-….json` holds what a gateway last read from the
 * shared store, so that it is enforced after a restart while the store is away.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import type { Clock } from "../../contract/ambient.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Block } from "./block.ts";
import { blockKinds, isSameSubject } from "./block.ts";
import { BlockError } from "./block-error.ts";
import type { BlockStore } from "./block-store.ts";

const block = z.object({
  kind: z.enum(blockKinds),
  id: z.string(),
  by: z.string(),
  at: z.string(),
  reason: z.nullable(z.string()),
});

/** Gateways of several tenants may share one state folder. */
const blockFile = z.object({
  version: z.literal(1),
  blocks: z.array(z.extend(block, { tenant: z.string() })),
});

type KeptBlock = z.output<typeof blockFile>["blocks"][number];

const maxFileBytes = 4 * 1024 * 1024;
const lockWaitMs = 5000;

export interface BlockFilePlace {
  readonly stateDir: string;
  readonly tenant: string;
  readonly clock: Clock;
}

/** The store of one machine. */
export function openBlockFile({ stateDir, tenant, clock }: BlockFilePlace): BlockStore {
  const path = join(stateDir, "blocks", "local.json");
  const change = async (step: (own: readonly Block[]) => readonly Block[]): Promise<boolean> =>
    await changeFile(path, { tenant, clock }, step);
  return {
    scope: "this_machine",
    read: async (since) => {
      const revision = await stampOf(path);
      if (revision === since) return { revision, blocks: undefined };
      return { revision, blocks: ofTenant((await readFileAt(path)) ?? [], tenant) };
    },
    add: async (added) =>
      await change((own) => (own.some((one) => isSameSubject(one, added)) ? own : [...own, added])),
    remove: async (subject) =>
      await change((own) => own.filter((one) => !isSameSubject(one, subject))),
    close: async () => {},
  };
}

/** What was last read from a shared store. */
export interface KnownBlocks {
  /** `undefined` where that store was never read from this state folder. */
  readonly read: () => Promise<readonly Block[] | undefined>;
  readonly write: (blocks: readonly Block[]) => Promise<void>;
}

/** `store`: which shared store; its address without a login. */
export function openKnownBlocks(
  { stateDir, tenant }: Omit<BlockFilePlace, "clock">,
  store: string,
): KnownBlocks {
  const [, hex = ""] = sha256Of(JSON.stringify([store, tenant])).split(":");
  const path = join(stateDir, "blocks", `known-${hex.slice(0, 16)}.json`);
  return {
    read: async () => {
      const kept = await readFileAt(path);
      return kept && ofTenant(kept, tenant);
    },
    write: async (blocks) =>
      await writeFileAt(
        path,
        blocks.map((one) => ({ ...one, tenant })),
      ),
  };
}

function ofTenant(kept: readonly KeptBlock[], wanted: string): readonly Block[] {
  return kept.flatMap(({ tenant, ...one }) => (tenant === wanted ? [one] : []));
}

async function changeFile(
  path: string,
  { tenant, clock }: Pick<BlockFilePlace, "tenant" | "clock">,
  step: (own: readonly Block[]) => readonly Block[],
): Promise<boolean> {
  const attempt = await acquireProcessLock(`${path}.lock`, { clock, waitMs: lockWaitMs });
  if (!attempt.ok) throw unusable(path, `process ${attempt.holder.pid} holds its lock`);
  try {
    const kept = (await readFileAt(path)) ?? [];
    const before = ofTenant(kept, tenant);
    const now = step(before);
    if (now.length === before.length) return false;
    const others = kept.filter((one) => one.tenant !== tenant);
    await writeFileAt(path, [...others, ...now.map((one) => ({ ...one, tenant }))]);
    return true;
  } finally {
    await attempt.lock.release();
  }
}

async function readFileAt(path: string): Promise<readonly KeptBlock[] | undefined> {
  const reading = await readStateFile(path, maxFileBytes);
  if (reading.kind === "absent") return undefined;
  if (reading.kind === "unreadable") throw unusable(path, reading.reason);
  const parsed = blockFile.safeParse(parseOrUndefined(reading.text));
  if (!parsed.success) throw unusable(path, "it is no list of blocks");
  return parsed.data.blocks;
}

async function writeFileAt(path: string, blocks: readonly KeptBlock[]): Promise<void> {
  const text = `${JSON.stringify({ version: 1, blocks }, undefined, 2)}\n`;
  // What could not be read again would block everybody.
  if (Buffer.byteLength(text) > maxFileBytes) throw unusable(path, "it would grow too large");
  await writeStateFile(path, text).catch((thrown: unknown) => {
    throw unusable(path, codeOf(thrown) ?? messageOf(thrown), thrown);
  });
}

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return "absent";
    throw unusable(path, codeOf(thrown) ?? messageOf(thrown), thrown);
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(path: string, reason: string, cause?: unknown): BlockError {
  return new BlockError(
    "blocks_unusable",
    `cannot use ${path}: ${reason}; repair it, or remove it to forget what was blocked on this machine`,
    { cause },
  );
}
