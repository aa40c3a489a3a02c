/**
 * What `bundle push` is about to push: a folder of sources, tested and built, or an archive that was
 * built elsewhere, with its own tests run. Says also what it was made of.
 */
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { openArchive, packBundle } from "../../bundle/archive.ts";
import { readBaseDocument } from "../../bundle/base-document.ts";
import { decodeBundleText, readBundleManifest } from "../../bundle/bundle-manifest.ts";
import { isDigest } from "../../bundle/digest.ts";
import type { PushOrigin } from "../../bundle/publish/provenance.ts";
import type { TestReport } from "../../bundle/publish/test-report.ts";
import { findGitOrigin } from "../../bundle/publish/work-tree.ts";
import { isRecord } from "../../contract/json.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import { libraryDependencies } from "./library-dependencies.ts";
import { withToolchain } from "../with-toolchain.ts";
import type { BundleContext } from "./bundle-context.ts";
import { parseBaseDocument } from "./build-sources.ts";
import { testBeforePush } from "./test-before-push.ts";

/** A bundle that is ready to be pushed. */
export interface PreparedPush {
  readonly archive: Uint8Array;
  readonly report: TestReport;
  readonly origin: Omit<PushOrigin, "createdSeconds" | "source">;
}

/**
 * Reads, tests and builds.
 *
 * @param isTested - false leaves the tests out, which the report then says
 * @throws CliError exit code 3 for a bundle without a name, 4 for tests that fail
 * @throws RegoError, BundleError
 */
export async function preparePush(
  context: BundleContext,
  path: string,
  isTested: boolean,
): Promise<PreparedPush> {
  const status = await stat(path).catch(() => undefined);
  return await withToolchain(async (toolchain) =>
    status?.isFile() === true
      ? await prepareArchive(toolchain, path, isTested)
      : await prepareFolder(context, toolchain, path, isTested),
  );
}

async function prepareFolder(
  context: BundleContext,
  toolchain: RegoToolchain,
  folder: string,
  isTested: boolean,
): Promise<PreparedPush> {
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  const { listPolicyFiles, readPolicyFolder } = await import("../../rego/read-policy-folder.ts");
  const { resolveLibraries } = await import("./resolve-libraries.ts");
  const tools = { toolchain, dependencies: () => libraryDependencies(context) };
  const sources = await resolveLibraries(await readPolicyFolder(folder), folder, tools);
  const { files, required_builtins: requiredBuiltins } = await buildPolicyFolder(
    toolchain,
    folder,
    undefined,
    () => Promise.resolve(sources),
  );
  requireName(files, folder);
  const report = await testBeforePush(toolchain, sources, folder, isTested);
  const names = await listPolicyFiles(folder);
  const materials = await Promise.all(
    names.map(async (name) => ({ name, digest: sha256Of(await readFile(join(folder, name))) })),
  );
  const git = await findGitOrigin(folder, names, context.io.env);
  const builder = builderOf(report);
  const libraries = librariesIn(files, folder);
  const origin = {
    materials,
    libraries,
    madeFrom: "folder",
    git,
    builder,
    requiredBuiltins,
  } as const;
  return { archive: packBundle(files), report, origin };
}

async function prepareArchive(
  toolchain: RegoToolchain,
  path: string,
  isTested: boolean,
): Promise<PreparedPush> {
  const archive = await readFile(path);
  const files = openArchive(archive);
  const manifest = readBundleManifest(files, path);
  const rego = [...files].filter(([name]) => name.endsWith(".rego"));
  const sources = {
    modules: Object.fromEntries(
      rego.map(([name, bytes]) => [name, decodeBundleText(bytes, `${path}: ${name}`)]),
    ),
    data: parseBaseDocument(readBaseDocument(files, path)),
    manifest: { revision: manifest.revision, roots: manifest.roots, metadata: manifest.metadata },
    layer: manifest.metadata.layer ?? "server",
  } as const;
  const report = await testBeforePush(toolchain, sources, basename(path), isTested);
  const origin = {
    materials: [{ name: "bundle.tar.gz", digest: sha256Of(archive) }],
    libraries: librariesIn(files, path),
    madeFrom: "archive",
    git: undefined,
    builder: builderOf(report),
    requiredBuiltins: manifest.metadata.required_builtins ?? [],
  } as const;
  return { archive, report, origin };
}

/** What the build wrote into the manifest. */
function librariesIn(
  files: ReadonlyMap<string, Uint8Array>,
  where: string,
): PushOrigin["libraries"] {
  const buffers = new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes)]));
  const { libraries = [] } = readBundleManifest(buffers, where).metadata;
  return libraries.flatMap(({ name, revision = "", digest }) =>
    isDigest(digest) ? [{ name, revision, digest }] : [],
  );
}

function builderOf({ toolchain }: TestReport): PushOrigin["builder"] {
  return { mcpGateway: toolchain.mcp_gateway, opa: toolchain.opa };
}

/** A bundle without a name fits any server; one that leaves its author's hands has one. */
function requireName(files: ReadonlyMap<string, Uint8Array>, path: string): void {
  const manifest: unknown = JSON.parse(
    Buffer.from(files.get(".manifest") ?? "{}").toString("utf8"),
  );
  const metadata = isRecord(manifest) ? manifest["metadata"] : undefined;
  if (isRecord(metadata) && typeof metadata["name"] === "string") return;
  throw new CliError(
    exitCodes.invalid,
    `expected metadata.name in ${join(path, ".manifest")}, found none: name the server or layer that the bundle is for`,
  );
}
