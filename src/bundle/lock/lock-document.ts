/**
 * `mcp-gateway.lock.json` as text and as a value: which bundle each source of policy stands at, and
 * which release each server. Made to be committed: sorted keys, and nothing in it but what decides.
 * Written against `zod/mini`, since every start with a lock reads one.
 */
import * as z from "zod/mini";
import { offsetOf, parseConfigDocument, positionAt } from "../../config/config-document.ts";
import type { ConfigDocument, ConfigPath, Finding } from "../../config/config-document.ts";
import { BundleError } from "../bundle-error.ts";
import { digestSchema, formatRelease, releaseSchema, sorted } from "../release/release-document.ts";

/** How many releases a server can go back. */
export const maxReleases = 10;

const text = z.string().check(z.minLength(1), z.maxLength(2048));

const source = z.strictObject({
  /** As configured, paths relative to the lock. */
  reference: text,
  digest: digestSchema,
  /** What its source calls it. */
  version: z.strictObject({ id: text, etag: z.optional(z.string()) }),
  revision: z.string(),
  size: z.int().check(z.nonnegative()),
  signers: z.array(z.string()),
  /** RFC 3339. */
  resolved_at: z.string(),
  /** Nothing older is ever active, whoever wants it. */
  lowest_revision: z.optional(z.string()),
});

const released = z.strictObject({
  release: releaseSchema,
  /** Of the artifact that it came from. */
  digest: digestSchema,
  /** Where it came from. */
  reference: text,
  /** RFC 3339. */
  since: z.string(),
});

const server = z.strictObject({
  ...released.shape,
  /** Newest first, without the current one. */
  history: z.array(released).check(z.maxLength(maxReleases)),
});

const lockSchema = z.strictObject({
  version: z.literal(1),
  bundles: z._default(z.record(text, source), {}),
  servers: z._default(z.record(text, server), {}),
});

/** A lock; names are those of the configuration. */
export type GatewayLock = z.output<typeof lockSchema>;
export type LockedSource = GatewayLock["bundles"][string];
export type LockedServer = GatewayLock["servers"][string];
export type LockedRelease = z.output<typeof released>;

export const emptyLock: GatewayLock = { version: 1, bundles: {}, servers: {} };

/**
 * Reads the text of a lock.
 *
 * @throws BundleError `bundle_lock_invalid`, with line and column
 */
export function parseLock(path: string, content: string): GatewayLock {
  const { document, findings } = parseConfigDocument(path, content);
  const [finding] = findings;
  if (finding !== undefined) throw invalidAt(document, finding);
  const result = lockSchema.safeParse(document.value, { jitless: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const issuePath: ConfigPath = (issue?.path ?? []).filter((key) => typeof key !== "symbol");
  const place = issuePath.length === 0 ? "" : `${issuePath.join(".")}: `;
  const found = issue?.message ?? "another shape";
  throw invalidAt(document, { path: issuePath, message: `${place}${lowered(found)}` });
}

/** The text of a lock; equal locks have equal texts. */
export function formatLock({ version, bundles, servers }: GatewayLock): string {
  const document = {
    version,
    bundles: mapped(bundles, formatSource),
    servers: mapped(servers, ({ history, ...current }) => ({
      ...formatReleased(current),
      history: history.map(formatReleased),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function formatSource(entry: LockedSource): object {
  const { reference, digest, version, revision, size, signers, resolved_at } = entry;
  const { etag, id } = version;
  const { lowest_revision } = entry;
  return {
    reference,
    digest,
    version: etag === undefined ? { id } : { id, etag },
    revision,
    size,
    signers,
    resolved_at,
    ...(lowest_revision === undefined ? {} : { lowest_revision }),
  };
}

function formatReleased({ release, digest, reference, since }: LockedRelease): object {
  return { release: JSON.parse(formatRelease(release)), digest, reference, since };
}

function mapped<Value>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value) => object,
): Record<string, object> {
  const entries = Object.entries(sorted(record));
  return Object.fromEntries(entries.map(([key, value]) => [key, map(value)]));
}

function invalidAt(document: ConfigDocument, finding: Finding): BundleError {
  const { line, column } = positionAt(document.text, offsetOf(document, finding));
  return new BundleError(
    "bundle_lock_invalid",
    `${document.path}:${line}:${column}: ${finding.message}; restore the lock from version control, or remove it: bundle lock and server upgrade then make another, without the releases that only this one knows`,
  );
}

function lowered(message: string): string {
  return `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
}
