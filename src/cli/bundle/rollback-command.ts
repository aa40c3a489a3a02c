/**
 * `bundle rollback NAME`: back to the bundle that was active before, or to one that is named, and no
 * other until somebody resumes. Works without the source: the bundle is in the cache. A gateway that
 * runs follows within half a second.
 */
import { hold, previousGood } from "../../bundle/life/history-changes.ts";
import type { HistoryEntry } from "../../bundle/life/bundle-history.ts";
import type { Digest } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { requireWhy } from "../read-why.ts";
import { changePolicy } from "./change-policy.ts";
import { checkKept } from "./check-kept.ts";
import { findDigest } from "./known-digest.ts";
import { refuseRevoked } from "./refuse-revoked.ts";
import type { KeptPlace } from "./policy-place.ts";
import { openKeptPlace } from "./policy-place.ts";

export interface RollbackOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
  /** Digest, or the beginning of one. */
  readonly to?: string;
}

/** Holds the source at an earlier bundle. */
export async function rollbackCommand(
  io: CliIo,
  name: string,
  { config, output, why, to }: RollbackOptions,
): Promise<void> {
  const reason = requireWhy(why, "a rollback");
  const place = await openKeptPlace(io, config, name);
  const entry = to === undefined ? entryBefore(place) : entryNamed(place, to);
  refuseRevoked(name, place.history, entry.digest);
  const { revision, signers } = await checkKept(io, place, entry);
  const wish = { event: "held", digest: entry.digest, revision, signers, why: reason } as const;
  await changePolicy(
    io,
    place,
    {
      ...wish,
      change: (before, decision) => {
        refuseRevoked(name, before, entry.digest);
        return hold(before, { ...decision, way: "rollback" });
      },
    },
    output,
  );
  io.err(
    `"${name}" is held at revision "${revision}"; a running gateway follows in a second. Back to its source: bundle resume ${name}`,
  );
}

/**
 * Each time one further back, never to a bundle that somebody rolled back from. Where a gateway has
 * not followed the last choice yet, it is not known what is before it.
 */
function entryBefore({ name, history }: KeptPlace): HistoryEntry {
  const { active, hold: held } = history;
  if (held !== null && held.digest !== active?.digest) {
    throw new CliError(
      exitCodes.usage,
      `expected "${name}" to be at ${held.digest}, which was chosen at ${held.at}, found that no gateway has followed yet${held.code === undefined ? "" : ` (${held.code})`}; name the bundle with --to DIGEST`,
    );
  }
  const entry = previousGood(history);
  if (entry !== undefined) return entry;
  throw new CliError(
    exitCodes.usage,
    `expected a bundle of "${name}" that was active before and that nobody revoked or rolled back from, found none; see mcp-gateway bundle history ${name}, and name one with --to DIGEST`,
  );
}

function entryNamed({ name, history }: KeptPlace, to: string): HistoryEntry {
  const entries = [history.active, ...history.previous].filter((entry) => entry !== null);
  const digests = entries.map((entry): Digest => entry.digest);
  const digest = findDigest(name, to, digests);
  const entry = entries.find((one) => one.digest === digest);
  if (entry !== undefined) return entry;
  throw new CliError(
    exitCodes.usage,
    `expected a bundle that was active for "${name}", found ${digest}; see mcp-gateway bundle history ${name}, or activate it with mcp-gateway bundle activate ${name} ${digest} --why REASON`,
  );
}
