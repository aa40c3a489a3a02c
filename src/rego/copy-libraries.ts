/**
 * Puts the libraries that a policy requires beside its own sources, so that the bundle that is built
 * needs nothing from elsewhere. What comes from a library keeps to the library's own paths: nothing of
 * it may be, or change, what the policy or another library says.
 */
import * as z from "zod";
import type { Digest } from "../contract/bundle.ts";
import type { JsonObject } from "../contract/json.ts";
import type { RegoToolchain } from "./create-rego-toolchain.ts";
import { libraryName } from "./check-library-name.ts";
import { leavesOf, overlap } from "./data-paths.ts";
import { mergeDocuments } from "./merge-documents.ts";
import type { PolicyFolder } from "./read-policy-folder.ts";
import { RegoError } from "./rego-error.ts";
import { requireOwnPaths } from "./require-own-paths.ts";

/** A library that a policy names, by what it has to be. */
export interface Requirement {
  readonly name: string;
  readonly reference: string;
  readonly digest: Digest;
}

/** A library that was opened. */
export interface Library {
  readonly name: string;
  readonly revision: string;
  readonly digest: Digest;
  /** Paths in `data` that are its own, without leading `/`. */
  readonly roots: readonly string[];
  /** Rego text by path, without tests. */
  readonly modules: ReadonlyMap<string, string>;
  readonly data: JsonObject;
}

/** Where a build puts the modules of libraries. */
const librariesFolder = "libraries";

const requirementsSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(libraryName),
      reference: z.string().min(1),
      digest: z.templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)]),
    }),
  )
  .max(50);

/**
 * The libraries that a folder of sources requires; most require none.
 *
 * @throws RegoError `rego_invalid`
 */
export function requirementsOf(
  { manifest }: Pick<PolicyFolder, "manifest">,
  folder: string,
): readonly Requirement[] {
  const { requires, libraries } = manifest.metadata ?? {};
  if (libraries !== undefined) {
    throw invalid(
      folder,
      "expected metadata.libraries to be written by the build, found it in sources; name libraries in metadata.requires",
    );
  }
  if (requires === undefined) return [];
  const parsed = requirementsSchema.safeParse(requires);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join(".") ?? "";
    throw invalid(
      folder,
      `expected metadata.requires to be [{"name": "lib-…", "reference": "…", "digest": "sha256:…"}], found a problem at "${at}"`,
    );
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return parsed.data;
  throw invalid(folder, `expected each library once in metadata.requires, found "${twice}" twice`);
}

/**
 * The sources with their libraries, and in the manifest which ones they are.
 *
 * @throws RegoError `rego_invalid` where two of them would have one path, or a library has a module
 *   or data outside its own
 */
export async function copyLibraries(
  policy: PolicyFolder,
  libraries: readonly Library[],
  folder: string,
  toolchain: Pick<RegoToolchain, "check">,
): Promise<PolicyFolder> {
  refuseCollisions(policy, libraries, folder);
  for (const library of libraries) {
    const copied = { modules: modulesOf(library), manifest: policy.manifest };
    await requireOwnPaths(library, copied, folder, toolchain);
  }
  const copied = libraries.map(modulesOf);
  const documents = libraries.map(({ data }) => data);
  const { roots, metadata } = policy.manifest;
  return {
    ...policy,
    modules: Object.assign({}, policy.modules, ...copied),
    data: documents.reduce((left, right) => mergeDocuments(left, right, folder), policy.data),
    manifest: {
      ...policy.manifest,
      roots: roots && [...roots, ...libraries.flatMap((library) => library.roots)],
      metadata: {
        ...metadata,
        libraries: libraries.map(({ name, revision, digest }) => ({ name, revision, digest })),
      },
    },
  };
}

/** Its modules under the names that the build gives them. */
function modulesOf({ name, modules }: Library): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...modules].map(([path, text]) => [`${librariesFolder}/${name}/${path}`, text]),
  );
}

interface Owner {
  readonly name: string;
  readonly paths: readonly string[];
}

function refuseCollisions(
  policy: PolicyFolder,
  libraries: readonly Library[],
  folder: string,
): void {
  const own = Object.keys(policy.modules).find((path) => path.startsWith(`${librariesFolder}/`));
  if (own !== undefined) {
    throw invalid(folder, `expected ${librariesFolder}/ to be left to the build, found ${own}`);
  }
  const owners: Owner[] = [{ name: "the policy", paths: pathsOf(policy) }];
  for (const { name, roots } of libraries) {
    for (const other of owners) {
      const found = roots.find((root) => other.paths.some((path) => overlap(root, path)));
      if (found === undefined) continue;
      throw invalid(
        folder,
        `expected library "${name}" and ${other.name} to keep to paths of their own, found both at "${found}"; rename the package or the data of one of them`,
      );
    }
    owners.push({ name: `library "${name}"`, paths: roots });
  }
}

/** What the policy says is its own, and what it has. */
function pathsOf({ modules, data, manifest }: PolicyFolder): readonly string[] {
  const packages = Object.values(modules).flatMap(
    (text) => /^[ \t]*package[ \t]+([\w.]+)/m.exec(text)?.[1]?.replaceAll(".", "/") ?? [],
  );
  const roots = (manifest.roots ?? []).map(trimmed).filter((root) => root !== "");
  return [...roots, ...packages, ...leavesOf(data)];
}

function trimmed(root: string): string {
  return root.replace(/^\/+|\/+$/g, "");
}

function invalid(folder: string, message: string): RegoError {
  return new RegoError("rego_invalid", `${folder}: ${message}`);
}
