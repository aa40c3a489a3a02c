/**
 * What a replay tries: a folder of sources, a built bundle, a reference, or the digest of a bundle
 * that a gateway of this machine has had.
 */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { packBundle } from "../../bundle/archive.ts";
import { parseReference } from "../../bundle/reference.ts";
import { basePlaces } from "../../config/policy-places.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { createBundleContext } from "../bundle/bundle-context.ts";
import { checkKept } from "../bundle/check-kept.ts";
import { describeArtifact } from "../bundle/describe-artifact.ts";
import { fetchAnywhere } from "../bundle/fetch-anywhere.ts";
import { bundleDependencies } from "../bundle/gateway-bundles.ts";
import { knownDigests } from "../bundle/known-digest.ts";
import type { KeptPlace } from "../bundle/policy-place.ts";
import { openKeptPlace } from "../bundle/policy-place.ts";
import { resolveLibraries } from "../bundle/resolve-libraries.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { talkingLog } from "../talking-log.ts";
import { withToolchain } from "../with-toolchain.ts";

/**
 * Opens it. Nobody has to vouch for it: it is asked and decides nothing.
 *
 * @throws BundleError, RegoError, CliError
 */
export async function openCandidate(
  io: CliIo,
  configPath: string | undefined,
  text: string,
): Promise<Bundle> {
  if (/^(?:sha256:|sha512:)?[0-9a-f]{12,128}$/.test(text)) {
    return await openKept(io, configPath, text);
  }
  const path = localPath(io, text);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return await openFolder(io, configPath, path);
  if (found?.isFile() === true) return await openArchived(path, await readFile(path));
  if (!/^[a-z+-]+:/.test(text)) throw nothingThere(path);
  const fetched = await fetchAnywhere(createBundleContext(io, configPath), text);
  return needed(text, (await describeArtifact(fetched)).bundle);
}

function nothingThere(path: string): CliError {
  return new CliError(
    exitCodes.usage,
    `expected a folder with Rego sources or a built bundle at ${path}, found nothing; name one, or a reference such as oci://registry.example/policies/crm:next`,
  );
}

function localPath(io: CliIo, text: string): string {
  return resolve(io.cwd, text.startsWith("file:") ? text.slice("file:".length) : text);
}

async function openFolder(
  io: CliIo,
  configPath: string | undefined,
  folder: string,
): Promise<Bundle> {
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  const { registries } = loadConfigFor(io, configPath).config;
  const paths = resolveStatePaths(io.env, io.cwd);
  const setting = { registries, paths, env: io.env, dev: false, log: talkingLog(io) };
  const files = await withToolchain(async (toolchain) => {
    const tools = { toolchain, dependencies: () => bundleDependencies(setting) };
    const built = await buildPolicyFolder(toolchain, folder, undefined, (sources) =>
      resolveLibraries(sources, folder, tools),
    );
    return built.files;
  });
  return await openArchived(folder, Buffer.from(packBundle(files)));
}

async function openArchived(path: string, archive: Buffer): Promise<Bundle> {
  const reference = parseReference(`file:${path}`);
  const digest = sha256Of(archive);
  const about = { reference, digest, archive, held: undefined };
  return needed(path, (await describeArtifact(about)).bundle);
}

/** The history of every server and layer is looked through. */
async function openKept(io: CliIo, configPath: string | undefined, text: string): Promise<Bundle> {
  const { config } = loadConfigFor(io, configPath);
  const looked: string[] = [];
  for (const { name, policy } of basePlaces(config)) {
    if (policy === undefined) continue;
    looked.push(name);
    const place = await openKeptPlace(io, configPath, name);
    const digest = knownDigests(place.history).find(
      (one) => one.startsWith(text) || one.slice(one.indexOf(":") + 1).startsWith(text),
    );
    if (digest !== undefined) return await openFrom(io, place, digest);
  }
  throw new CliError(
    exitCodes.usage,
    `expected the digest of a bundle that a gateway of this machine has had, found none that begins with ${text}${looked.length === 0 ? "" : `; see ${historyCommands(looked)}`}`,
  );
}

/** What a person can run to see the digests that there are. */
function historyCommands(names: readonly string[]): string {
  const [only] = names;
  const of = names.length === 1 ? only : `NAME (${names.join(", ")})`;
  return `mcp-gateway bundle history ${of}`;
}

async function openFrom(io: CliIo, place: KeptPlace, digest: Bundle["digest"]): Promise<Bundle> {
  const { active, previous, candidate } = place.history;
  const entry = [active, ...previous].find((one) => one?.digest === digest);
  const waiting = candidate?.digest === digest ? candidate : undefined;
  const { version = { id: digest }, archive_bytes = null } = entry ?? waiting ?? {};
  return (await checkKept(io, place, { digest, version, archive_bytes })).bundle;
}

function needed(text: string, bundle: Bundle | undefined): Bundle {
  if (bundle !== undefined) return bundle;
  throw new CliError(
    exitCodes.usage,
    `expected the bundle of a server or layer, found in ${text} a library, which decides nothing`,
  );
}
