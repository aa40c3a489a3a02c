/**
 * Trust on first use for tool definitions: what a server says of a tool when it is first seen is
 * pinned, and a tool that is described otherwise later is neither listed nor called until somebody
 * pins it again. Pins are durable before anything relies on them, and several gateways share them.
 */
import { acquireProcessLock } from "../../database/process-lock.ts";
import type { Clock } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Pin, PinReading } from "./pin-file.ts";
import { formatPins, maxPinFileBytes, pinFilePath, readPins } from "./pin-file.ts";
import type { ToolDefinition } from "./read-tool.ts";
import { writeStateFile } from "../../database/state-file.ts";

export interface PinStore {
  readonly stateDir: string;
  readonly clock: Clock;
}

/** What pinning needs to know of a tool. */
export type SeenTool = Pick<ToolDefinition, "name" | "digest" | "definition">;

export type PinResult =
  | {
      readonly ok: true;
      /** Names whose pin is new or another one than before. */
      readonly pinned: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

const lockWaitMs = 5000;

/**
 * Pins the tools of a listing that were never seen and returns all pins. Of tools with one name none
 * is pinned. Where pins cannot be read or made durable, none hold.
 */
export async function meetTools(
  store: PinStore,
  server: string,
  tools: readonly SeenTool[],
): Promise<PinReading> {
  const known = await readPins(store.stateDir, server);
  if (!known.ok || unseen(tools, known.pins).length === 0) return known;
  return underLock(store, server, async () => {
    const now = await readPins(store.stateDir, server);
    if (!now.ok) return now;
    const added = unseen(tools, now.pins);
    return added.length === 0 ? now : save(store, server, now.pins, added);
  });
}

/**
 * Pins tools as they are listed now. With `"all"` pins that cannot be read are made anew; otherwise
 * they have to be readable, and each of `names` has to be among `tools`.
 */
export async function pinTools(
  store: PinStore,
  server: string,
  tools: readonly SeenTool[],
  names: readonly string[] | "all",
): Promise<PinResult> {
  const chosen = names === "all" ? tools : tools.filter(({ name }) => names.includes(name));
  const missing = names === "all" ? [] : names.filter((name) => !isAmong(name, tools));
  if (missing.length > 0) {
    const list = missing.map((name) => JSON.stringify(name)).join(", ");
    return { ok: false, reason: `expected tools that server "${server}" lists, found ${list}` };
  }
  return underLock(store, server, async () => {
    const now = await readPins(store.stateDir, server);
    if (!now.ok && names !== "all") return now;
    const pins = now.ok ? now.pins : new Map<string, Pin>();
    const changed = chosen.filter(({ name, digest }) => pins.get(name)?.digest !== digest);
    const saved = await save(store, server, pins, changed);
    return saved.ok ? { ok: true, pinned: changed.map(({ name }) => name) } : saved;
  });
}

/**
 * Forgets pins that are not those of a release, so that its program is met anew; its definitions are
 * held to the digests of the release from then on. Pins that cannot be read are forgotten too.
 */
export async function alignPins(
  store: PinStore,
  server: string,
  released: ReadonlyMap<string, string>,
): Promise<PinReading> {
  return underLock(store, server, async () => {
    const now = await readPins(store.stateDir, server);
    const pins = [...(now.ok ? now.pins : new Map<string, Pin>())];
    const kept = new Map(pins.filter(([name, { digest }]) => released.get(name) === digest));
    return now.ok && kept.size === pins.length ? now : save(store, server, kept, []);
  });
}

/** Tools without a pin, but for those of which the list has two. */
function unseen(tools: readonly SeenTool[], pins: ReadonlyMap<string, Pin>): readonly SeenTool[] {
  const counts = new Map<string, number>();
  for (const { name } of tools) counts.set(name, (counts.get(name) ?? 0) + 1);
  return tools.filter(({ name }) => !pins.has(name) && counts.get(name) === 1);
}

function isAmong(name: string, tools: readonly SeenTool[]): boolean {
  return tools.some((tool) => tool.name === name);
}

async function save(
  { stateDir, clock }: PinStore,
  server: string,
  pins: ReadonlyMap<string, Pin>,
  added: readonly SeenTool[],
): Promise<PinReading> {
  const pinnedAt = new Date(clock.nowMs()).toISOString();
  const all = new Map(pins);
  for (const { name, digest, definition } of added) {
    all.set(name, { tool: name, digest, definition, pinnedAt });
  }
  const text = formatPins(server, all.values());
  if (Buffer.byteLength(text) > maxPinFileBytes) {
    const reason = `the pins of server "${server}" would take over ${maxPinFileBytes} bytes: it lists ever new tools`;
    return { ok: false, reason };
  }
  await writeStateFile(pinFilePath(stateDir, server), text);
  return { ok: true, pins: all };
}

/** Does `work` while no other gateway writes the pins of this server; a failure of the disk is a value. */
async function underLock<Done>(
  { stateDir, clock }: PinStore,
  server: string,
  work: () => Promise<Done>,
): Promise<Done | { readonly ok: false; readonly reason: string }> {
  const path = pinFilePath(stateDir, server);
  try {
    const attempt = await acquireProcessLock(`${path}.lock`, { clock, waitMs: lockWaitMs });
    if (!attempt.ok) {
      return { ok: false, reason: `process ${attempt.holder.pid} holds ${path}.lock` };
    }
    try {
      return await work();
    } finally {
      await attempt.lock.release();
    }
  } catch (thrown) {
    const cause = codeOf(thrown) ?? messageOf(thrown);
    return { ok: false, reason: `cannot write ${path}: ${cause}` };
  }
}
