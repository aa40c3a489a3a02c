/**
 * `server upgrade NAME [REF]`: takes a release: its program, the pins of its tools and its bundle, all
 * of it or nothing. The program is started once, since what it lists has to be what was released.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import { applyRelease } from "../../bundle/release/apply-release.ts";
import { fetchRelease } from "../../bundle/release/release-artifact.ts";
import type { Release } from "../../bundle/release/release-document.ts";
import { releaseVersion } from "../../bundle/release/release-document.ts";
import { systemClock } from "../../config/ambient.ts";
import { artifactReference, createBundleContext } from "../bundle/bundle-context.ts";
import { requireWhy } from "../read-why.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { describeServer } from "./describe-server.ts";
import { checkBundles, putRelease } from "./put-release.ts";
import type { ReleasedServer } from "./released-server.ts";
import { openReleasedServer } from "./released-server.ts";

export interface UpgradeOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
}

const maxShown = 5;

/** Moves a server to a release. */
export async function upgradeCommand(
  io: CliIo,
  name: string,
  reference: string | undefined,
  { config, output, why }: UpgradeOptions,
): Promise<void> {
  const reason = requireWhy(why, "an upgrade");
  const released = openReleasedServer(io, config, name);
  const from = reference ?? released.server.releaseReference;
  if (from === undefined) {
    const message = `expected a reference of a release, found none; name one, or set servers.${name}.release`;
    throw new CliError(exitCodes.usage, message);
  }
  const { registry } = createBundleContext(io, config);
  const { trust } = released.source.policy;
  const found = await fetchRelease(artifactReference(io, from), name, trust, registry);
  const bundles = await checkBundles(io, released, found.release, false);
  await checkProgram(io, released, found.release);
  const since = new Date(systemClock.nowMs()).toISOString();
  const { release, digest, reference: pinned } = found;
  const next = { release, digest, reference: pinned, since };
  await putRelease(io, released, { next, bundles, why: reason }, output);
}

/** Tools that the release does not have would be denied; the others are what it was made for. */
async function checkProgram(
  io: CliIo,
  { config, server, state }: ReleasedServer,
  release: Release,
): Promise<void> {
  const program = applyRelease(server, release);
  const { serverInfo, pins } = await describeServer(io, state.stateDir, config, program);
  const expected = release.server_info;
  const where = `release ${releaseVersion(release)} of "${server.id}"`;
  const isOther = serverInfo?.name !== expected?.name || serverInfo?.version !== expected?.version;
  if (expected !== undefined && isOther) {
    const found = serverInfo === undefined ? "nothing" : `${serverInfo.name} ${serverInfo.version}`;
    throw mismatch(where, `a program that says it is ${expected.name} ${expected.version}`, found);
  }
  const names = new Set([...Object.keys(release.pins), ...Object.keys(pins)]);
  const others = [...names].filter((tool) => release.pins[tool] !== pins[tool]);
  if (others.length === 0) return;
  const shown = others.slice(0, maxShown).map((tool) => JSON.stringify(tool));
  throw mismatch(where, "the tools that it was made of", `others or none at ${shown.join(", ")}`);
}

function mismatch(where: string, expected: string, found: string): BundleError {
  return new BundleError(
    "bundle_release_mismatch",
    `${where}: expected ${expected}, found ${found}; nothing was changed`,
  );
}
