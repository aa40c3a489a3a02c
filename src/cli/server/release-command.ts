/**
 * `server release NAME`: makes a release of what is there now: the program that is named, started once
 * and asked for its tools, and the bundle that the server's source has.
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readHistory } from "../../bundle/life/bundle-history.ts";
import { revokedIn } from "../../bundle/life/history-changes.ts";
import { checkSource } from "../../bundle/lock/lock-source.ts";
import { portableReference } from "../../bundle/lock/portable-reference.ts";
import { applyRelease } from "../../bundle/release/apply-release.ts";
import { pushRelease } from "../../bundle/release/release-artifact.ts";
import type { Release } from "../../bundle/release/release-document.ts";
import { formatRelease, releaseSchema } from "../../bundle/release/release-document.ts";
import { artifactReference, createBundleContext } from "../bundle/bundle-context.ts";
import { historyKey } from "../bundle/policy-place.ts";
import { sourceCheckDeps } from "../bundle/source-check-deps.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { describeServer } from "./describe-server.ts";
import type { BoundSource, ReleasedServer } from "./released-server.ts";
import { boundSource, openReleasedServer } from "./released-server.ts";

export interface ReleaseOptions {
  readonly config?: string;
  /** `NAME@VERSION` */
  readonly package?: string;
  /** `NAME@sha256:…` */
  readonly image?: string;
  readonly push?: string;
  readonly file?: string;
  /** Binds the bundles of the organisation's layers too. */
  readonly layers?: boolean;
  /** `ID@VERSION` of agents that it is for; default every agent. */
  readonly agent?: readonly string[];
}

/** Makes a release; prints it, writes it, or pushes it and prints where. */
export async function releaseCommand(
  io: CliIo,
  name: string,
  options: ReleaseOptions,
): Promise<void> {
  const program = readProgram(options);
  const agents = readAgents(options.agent);
  const target = options.push === undefined ? undefined : artifactReference(io, options.push);
  const released = openReleasedServer(io, options.config, name);
  const made = await make(io, released, program, options.layers === true);
  const release: Release = agents === undefined ? made : { ...made, agents };
  const { registry } = createBundleContext(io, options.config);
  if (options.file !== undefined) {
    await writeFile(resolve(io.cwd, options.file), formatRelease(release));
  }
  if (target !== undefined) io.out(await pushRelease(release, target, registry));
  else if (options.file === undefined) io.out(formatRelease(release).trimEnd());
}

function readProgram({ package: text, image }: ReleaseOptions): Release["package"] {
  const given = text ?? image;
  const at = given?.lastIndexOf("@") ?? -1;
  if (given === undefined || at < 1 || (text !== undefined && image !== undefined)) {
    const message = "expected either --package NAME@VERSION or --image NAME@sha256:…";
    throw new CliError(exitCodes.usage, message);
  }
  const [name, version] = [given.slice(0, at), given.slice(at + 1)];
  const program = text === undefined ? { image: name, digest: version } : { name, version };
  const parsed = releaseSchema.shape.package.safeParse(program, { jitless: true });
  if (parsed.success) return parsed.data;
  const message = `expected --${text === undefined ? "image NAME@sha256:…" : "package NAME@VERSION"}, found ${JSON.stringify(given)}`;
  throw new CliError(exitCodes.usage, message);
}

function readAgents(texts: readonly string[] = []): Release["agents"] {
  if (texts.length === 0) return undefined;
  const agents = new Map<string, readonly string[]>();
  for (const text of texts) {
    const at = text.lastIndexOf("@");
    const [id, version] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
    agents.set(id, [...new Set([...(agents.get(id) ?? []), version])].toSorted());
  }
  const given = Object.fromEntries(agents);
  const parsed = releaseSchema.shape.agents.safeParse(given, { jitless: true });
  if (parsed.success) return parsed.data;
  const found = texts.map((text) => JSON.stringify(text)).join(", ");
  throw new CliError(exitCodes.usage, `expected --agent ID@VERSION, found ${found}`);
}

async function make(
  io: CliIo,
  released: ReleasedServer,
  program: Release["package"],
  withLayers: boolean,
): Promise<Release> {
  const { config, server, source, state } = released;
  const bundle = await bundleOf(io, released, source);
  const empty: Release = { version: 1, server: server.id, package: program, bundle, pins: {} };
  const started = applyRelease(server, empty);
  const { serverInfo, pins } = await describeServer(io, state.stateDir, config, started);
  const release: Release = { ...empty, pins };
  if (serverInfo !== undefined) release.server_info = serverInfo;
  if (!withLayers) return release;
  release.layers = {};
  for (const { name } of config.layers) {
    const { reference, digest } = await bundleOf(io, released, boundSource(config, name));
    release.layers[name] = { reference, digest };
  }
  return release;
}

/** What a source has now, checked as a gateway would. */
async function bundleOf(
  io: CliIo,
  { config, folder, state }: ReleasedServer,
  { name, kind, policy: { reference, trust, opaque } }: BoundSource,
) {
  const revoked = revokedIn(await readHistory(state, historyKey(name, reference)));
  const wanted = { name, kind, opaque };
  const about = { wanted, reference, trust, version: undefined, isPinned: true };
  const { bundle } = await checkSource({ ...about, revoked }, sourceCheckDeps(io, config));
  const { digest, revision } = bundle;
  return { reference: portableReference(folder, reference), digest, revision };
}
