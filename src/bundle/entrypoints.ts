/**
 * Which entrypoint of a compiled policy answers what. Bundles of our toolchain have generated ones
 * with fixed names; a bundle of somebody else has one of its own, a rule or a whole package.
 */
import type { BundleEntrypoints } from "../contract/bundle.ts";
import { BundleError } from "./bundle-error.ts";
import type { BundleManifest } from "./bundle-manifest.ts";

/**
 * Chooses among the manifest's entrypoints.
 *
 * @throws BundleError `bundle_manifest_invalid` where none, or more than one, could be meant
 */
export function chooseEntrypoints(manifest: BundleManifest, where: string): BundleEntrypoints {
  const paths = [...new Set(manifest.wasm.map(({ entrypoint }) => entrypoint))];
  const decision = chooseDecision(paths, where);
  if (!isBuiltHere(manifest)) return { decision, classify: undefined, visibility: decision };
  const folder = decision.slice(0, decision.lastIndexOf("/"));
  const sibling = (name: string): string | undefined =>
    paths.find((path) => path === `${folder}/${name}`);
  return { decision, classify: sibling("classify"), visibility: sibling("visibility") };
}

/** True for a bundle of our toolchain, which writes down the rules that it found. */
function isBuiltHere({ metadata }: BundleManifest): boolean {
  return metadata.rules !== undefined && metadata.opa_version !== undefined;
}

/**
 * The dotted package of the policy: what the manifest says, else the package that is the
 * entrypoint, else the package of the rule that is the entrypoint.
 */
export function choosePolicyPackage(
  manifest: BundleManifest,
  decision: string,
  sources: ReadonlyMap<string, string>,
): string {
  if (manifest.metadata.policy_package !== undefined) return manifest.metadata.policy_package;
  const path = decision.split("/");
  const whole = path.join(".");
  const isPackage = [...sources.values()].some((text) => packageOf(text) === whole);
  return isPackage || path.length === 1 ? whole : path.slice(0, -1).join(".");
}

function packageOf(source: string): string | undefined {
  return /^[ \t]*package[ \t]+([\w.]+)/m.exec(source)?.[1];
}

function chooseDecision(paths: readonly string[], where: string): string {
  const named = paths.filter((path) => path.split("/").at(-1) === "decision");
  const candidates = named.length > 0 ? named : paths;
  const [found, ...others] = candidates;
  if (found !== undefined && others.length === 0) return found;
  throw new BundleError(
    "bundle_manifest_invalid",
    `${where}: expected manifest.wasm to list one entrypoint, or one that is named decision, found ${
      candidates.length === 0 ? "none" : candidates.slice(0, 10).join(", ")
    }`,
  );
}
