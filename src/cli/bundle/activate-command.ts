/**
 * `bundle activate NAME [DIGEST]`: makes the bundle that waits active, or one that is named, and no
 * other until somebody resumes. An older one than before is taken, since a person names it.
 */
import type { BundleHistory, KeptBundle } from "../../bundle/life/bundle-history.ts";
import { hold } from "../../bundle/life/history-changes.ts";
import type { Digest } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readWhy, requireWhy } from "../read-why.ts";
import { changePolicy } from "./change-policy.ts";
import { checkKept } from "./check-kept.ts";
import { findDigest, knownDigests } from "./known-digest.ts";
import { openKeptPlace } from "./policy-place.ts";
import { refuseRevoked } from "./refuse-revoked.ts";

export interface ActivateOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
}

/** Holds the source at the bundle that waits, or at the one named. */
export async function activateCommand(
  io: CliIo,
  name: string,
  text: string | undefined,
  { config, output, why }: ActivateOptions,
): Promise<void> {
  const place = await openKeptPlace(io, config, name);
  const { history } = place;
  const digest =
    text === undefined
      ? waitingDigest(name, history)
      : findDigest(name, text, knownDigests(history));
  const isWaiting = history.candidate?.digest === digest && history.candidate.state === "waiting";
  const reason = isWaiting
    ? readWhy(why, "this bundle")
    : requireWhy(why, "a bundle that does not wait to be activated");
  refuseRevoked(name, history, digest);
  const { revision, signers } = await checkKept(io, place, keptBundle(history, digest));
  const wish = { event: "held", digest, revision, signers, why: reason } as const;
  await changePolicy(
    io,
    place,
    {
      ...wish,
      change: (before, decision) => {
        refuseRevoked(name, before, digest);
        return hold(before, { ...decision, way: "activate" });
      },
    },
    output,
  );
  // A source whose new bundles wait is not followed anyway.
  const isManual = isWaiting && place.policy.cadence.activation === "manual";
  const until = isManual ? `the next bundle activate ${name}` : `bundle resume ${name}`;
  io.err(
    `"${name}" is to be at revision "${revision}" until ${until}; a running gateway follows in a second`,
  );
}

function waitingDigest(name: string, { candidate }: BundleHistory): Digest {
  if (candidate?.state === "waiting") return candidate.digest;
  const found =
    candidate === null
      ? "none"
      : `${candidate.digest}, which was rejected: ${candidate.message ?? candidate.code ?? ""}`;
  throw new CliError(
    exitCodes.usage,
    `expected a bundle of "${name}" that waits to be activated, found ${found}; see mcp-gateway bundle history ${name}`,
  );
}

function keptBundle({ active, previous, candidate }: BundleHistory, digest: Digest): KeptBundle {
  const entry = [active, ...previous].find((one) => one?.digest === digest);
  const waiting = candidate?.digest === digest ? candidate : undefined;
  const { version = { id: digest }, archive_bytes = null } = waiting ?? {};
  return entry ?? { digest, version, archive_bytes };
}
