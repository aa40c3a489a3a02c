/**
 * The shape of what is said about how a source of policy is kept up to date, and its defaults.
 */
import * as z from "zod/mini";
import type { SourceCadence } from "./config.ts";
import { durationSchema, parseDurationMs } from "./duration.ts";

/** When a source is asked, and what becomes of what it has. */
export const sourceCadenceShape = {
  poll: z
    .optional(z.union([z.literal("off"), durationSchema]))
    .check(z.describe("How often the source is asked, 1s or more; default 60s, of layouts 5s")),
  long_poll: z
    .optional(durationSchema)
    .check(z.describe("How long an OPA bundle service may hold its answer back, at most 10m")),
  activation: z
    .optional(z.enum(["auto", "manual", "no_new_allow"]))
    .check(
      z.describe(
        "Default auto; manual: what is new waits for bundle activate, but for the first; no_new_allow: where it newly allows something on recorded decisions",
      ),
    ),
  replay_since: z
    .optional(durationSchema)
    .check(z.describe("How far back no_new_allow looks, default 7d")),
  replay_limit: z
    .optional(z.int().check(z.minimum(1), z.maximum(1_000_000)))
    .check(z.describe("The newest so many decisions that no_new_allow looks at, default 10000")),
  max_staleness: z
    .optional(durationSchema)
    .check(z.describe("Without a word of the source for so long its bundle is withdrawn")),
};

interface CadenceEntry {
  readonly poll?: string | undefined;
  readonly long_poll?: string | undefined;
  readonly activation?: SourceCadence["activation"] | undefined;
  readonly max_staleness?: string | undefined;
  readonly replay_since?: string | undefined;
  readonly replay_limit?: number | undefined;
}

const remotePollMs = 60_000;
const localPollMs = 5000;
const leastPollMs = 1000;
const mostLongPollMs = 600_000;

/** The cadence of one source, filled in. */
export function resolveCadence(reference: string, entry: CadenceEntry): SourceCadence {
  const { poll, long_poll: longPoll, activation = "auto", max_staleness: maxStaleness } = entry;
  const { replay_since: replaySince = "7d", replay_limit: replayLimit = 10_000 } = entry;
  return {
    pollMs: pollMsOf(reference, poll),
    longPollMs:
      longPoll === undefined ? undefined : Math.min(parseDurationMs(longPoll), mostLongPollMs),
    activation,
    maxStalenessMs: maxStaleness === undefined ? undefined : parseDurationMs(maxStaleness),
    replaySinceMs: parseDurationMs(replaySince),
    replayLimit,
  };
}

function pollMsOf(reference: string, poll: string | undefined): number | undefined {
  if (poll === "off") return undefined;
  if (poll !== undefined) return Math.max(parseDurationMs(poll), leastPollMs);
  return /^(?:oci-layout|file):/.test(reference) ? localPollMs : remotePollMs;
}
