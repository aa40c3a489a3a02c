/**
 * The file that holds the pins of one server, `pins/<server>.json` in the state folder: for each
 * tool that was ever seen its definition and the digest of it. Each digest is checked against its
 * definition when it is read. Whether a tool may be called is for the catalogue to say.
 */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { isRecord } from "../../contract/json.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Definition } from "./read-item.ts";
import { readStateFile } from "../../database/state-file.ts";

/** One pinned tool. */
export interface Pin {
  /** The upstream's own, exact name. */
  readonly tool: string;
  /** `sha256:` of the definition in RFC 8785 form. */
  readonly digest: string;
  readonly definition: Definition;
  /** RFC 3339. */
  readonly pinnedAt: string;
}

export type PinReading =
  /** By exact tool name. */
  | { readonly ok: true; readonly pins: ReadonlyMap<string, Pin> }
  /** Then every tool of the server counts as changed. */
  | { readonly ok: false; readonly reason: string };

export const maxPinFileBytes = 32 * 1024 * 1024;

const fileShape = z.strictObject({
  version: z.literal(1),
  server: z.string(),
  tools: z.array(
    z.strictObject({
      name: z.string(),
      digest: z.string(),
      pinned_at: z.string(),
      definition: z.custom<Definition>(isRecord),
    }),
  ),
});

/** Path of a server's pins; a config id is safe as a file name. */
export function pinFilePath(stateDir: string, server: string): string {
  return join(stateDir, "pins", `${server}.json`);
}

/** Another text whenever the file was written anew; never throws. */
export async function pinFileStamp(stateDir: string, server: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await lstat(pinFilePath(stateDir, server));
    return `${ino} ${size} ${mtimeMs}`;
  } catch (thrown) {
    return codeOf(thrown) ?? messageOf(thrown);
  }
}

/** The pins of a server; none where there is no file yet. Never throws. */
export async function readPins(stateDir: string, server: string): Promise<PinReading> {
  const path = pinFilePath(stateDir, server);
  const read = await readStateFile(path, maxPinFileBytes);
  switch (read.kind) {
    case "absent":
      return { ok: true, pins: new Map() };
    case "unreadable":
      return refuse(server, read.reason);
    case "text":
      return parsePins(path, server, read.text);
  }
}

/** The text of the file that holds these pins. */
export function formatPins(server: string, pins: Iterable<Pin>): string {
  const tools = [...pins].map(({ tool, digest, pinnedAt, definition }) => ({
    name: tool,
    digest,
    pinned_at: pinnedAt,
    definition,
  }));
  return `${JSON.stringify({ version: 1, server, tools })}\n`;
}

function parsePins(path: string, server: string, text: string): PinReading {
  const parsed = fileShape.safeParse(parseJson(text), { jitless: true });
  if (!parsed.success) return refuse(server, `${path} is no file of pins`);
  if (parsed.data.server !== server) return refuse(server, `${path} is that of another server`);
  const pins = new Map<string, Pin>();
  for (const { name, digest, definition, pinned_at } of parsed.data.tools) {
    const isIntact = sha256Of(canonicalJson(definition)) === digest && definition["name"] === name;
    if (!isIntact || pins.has(name)) return refuse(server, `${path} was changed by somebody else`);
    pins.set(name, { tool: name, digest, definition, pinnedAt: pinned_at });
  }
  return { ok: true, pins };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function refuse(server: string, reason: string): PinReading {
  const remedy = `restore the file, or look at the tools of "${server}" and pin all of them again with "mcp-gateway server pin ${server}"`;
  return { ok: false, reason: `${reason}; ${remedy}` };
}
