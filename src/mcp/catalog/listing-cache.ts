/**
 * What a server said of itself and listed, on disk: `catalog/<server>.json` in the state folder. A
 * gateway answers `initialize` and lists from it before the server has started. It is a memory and
 * no promise: one of another configuration or that cannot be read is as if there were none, and the
 * pins judge what comes out of it like what comes from the server.
 */
import { join } from "node:path";
import * as z from "zod/mini";
import { isJsonObject } from "../../contract/json.ts";
import type { JsonObject } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { ServerGreeting } from "./merge-greetings.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";

export interface CachedListing {
  readonly greeting: ServerGreeting;
  readonly tools: readonly unknown[];
  readonly prompts: readonly unknown[];
  readonly resources: readonly unknown[];
  readonly resourceTemplates: readonly unknown[];
  /** Milliseconds since the epoch. */
  readonly savedAtMs: number;
}

export type CachedReading =
  | { readonly kind: "listing"; readonly listing: CachedListing }
  /** Never saved, or saved under another configuration. */
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly reason: string };

export type CacheWriting = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const maxCacheBytes = 32 * 1024 * 1024;

const list = z.array(z.unknown());
const object = z.custom<JsonObject>(isJsonObject);
const fileShape = z.strictObject({
  version: z.literal(1),
  config_hash: z.string(),
  saved_at: z.int().check(z.nonnegative()),
  greeting: z.strictObject({
    era: z.enum(["legacy", "modern"]),
    protocol_version: z.string(),
    capabilities: object,
    server_info: object,
    instructions: z.optional(z.string()),
  }),
  tools: list,
  prompts: list,
  resources: list,
  resource_templates: list,
});

/**
 * Reads what was saved under the same `configHash`, a digest of all that decides which server is
 * talked to; never throws.
 */
export async function readCachedListing(
  stateDir: string,
  server: string,
  configHash: string,
): Promise<CachedReading> {
  const path = cachePath(stateDir, server);
  const read = await readStateFile(path, maxCacheBytes);
  if (read.kind === "absent") return read;
  if (read.kind === "unreadable") return { kind: "unusable", reason: read.reason };
  const parsed = fileShape.safeParse(parseJson(read.text), { jitless: true });
  if (!parsed.success) return { kind: "unusable", reason: `${path} is no file of a listing` };
  if (parsed.data.config_hash !== configHash) return { kind: "absent" };
  return { kind: "listing", listing: fromFile(parsed.data) };
}

/** Saves a listing in place of the one before; a failure is for the log. Never throws. */
export async function writeCachedListing(
  stateDir: string,
  server: string,
  configHash: string,
  listing: CachedListing,
): Promise<CacheWriting> {
  const path = cachePath(stateDir, server);
  const text = `${JSON.stringify(toFile(configHash, listing))}\n`;
  if (Buffer.byteLength(text) > maxCacheBytes) {
    return {
      ok: false,
      reason: `the listing of server "${server}" takes over ${maxCacheBytes} bytes`,
    };
  }
  try {
    await writeStateFile(path, text);
    return { ok: true };
  } catch (thrown) {
    return { ok: false, reason: `cannot write ${path}: ${messageOf(thrown)}` };
  }
}

function cachePath(stateDir: string, server: string): string {
  return join(stateDir, "catalog", `${server}.json`);
}

function toFile(configHash: string, listing: CachedListing): z.infer<typeof fileShape> {
  const { era, protocolVersion, capabilities, serverInfo, instructions } = listing.greeting;
  return {
    version: 1,
    config_hash: configHash,
    saved_at: listing.savedAtMs,
    greeting: {
      era,
      protocol_version: protocolVersion,
      capabilities,
      server_info: serverInfo,
      ...(instructions === undefined ? {} : { instructions }),
    },
    tools: [...listing.tools],
    prompts: [...listing.prompts],
    resources: [...listing.resources],
    resource_templates: [...listing.resourceTemplates],
  };
}

function fromFile(file: z.infer<typeof fileShape>): CachedListing {
  const { greeting, tools, prompts, resources } = file;
  return {
    greeting: {
      era: greeting.era,
      protocolVersion: greeting.protocol_version,
      capabilities: greeting.capabilities,
      serverInfo: greeting.server_info,
      instructions: greeting.instructions,
    },
    tools,
    prompts,
    resources,
    resourceTemplates: file.resource_templates,
    savedAtMs: file.saved_at,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    return messageOf(thrown);
  }
}
