/**
 * `server rollback NAME`: back to the release before, all of it or nothing, from the lock and the
 * cache alone. The program is not started: it may have to be fetched, and the gateway refuses one that
 * is not the released one.
 */
import { releaseBefore, releasesOf } from "../../bundle/lock/move-release.ts";
import { releaseVersion } from "../../bundle/release/release-document.ts";
import type { LockedRelease } from "../../bundle/lock/lock-document.ts";
import { requireWhy } from "../read-why.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { checkBundles, putRelease } from "./put-release.ts";
import type { ReleasedServer } from "./released-server.ts";
import { openReleasedServer } from "./released-server.ts";

export interface ServerRollbackOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
  /** Version, or digest, of a release that the lock knows. */
  readonly to?: string;
}

/** Moves a server back. */
export async function serverRollbackCommand(
  io: CliIo,
  name: string,
  { config, output, why, to }: ServerRollbackOptions,
): Promise<void> {
  const reason = requireWhy(why, "a rollback");
  const released = openReleasedServer(io, config, name);
  const next = choose(released, to);
  const bundles = await checkBundles(io, released, next.release, true);
  await putRelease(io, released, { next, bundles, why: reason }, output);
}

function choose({ lock, server }: ReleasedServer, to: string | undefined): LockedRelease {
  const known = releasesOf(lock, server.id);
  const found =
    to === undefined
      ? releaseBefore(lock, server.id)
      : known.find(({ release, digest }) => releaseVersion(release) === to || digest === to);
  if (found !== undefined) return found;
  const versions = known.map(({ release }) => releaseVersion(release)).join(", ");
  const [, ...others] = known;
  const hint = to === undefined && others.length > 0 ? "; name one of the others with --to" : "";
  const expected = to === undefined ? "a release before the current one" : `release "${to}"`;
  throw new CliError(
    exitCodes.usage,
    `expected ${expected} of "${server.id}" in the lock, found ${versions === "" ? "no release" : versions}${hint}`,
  );
}
