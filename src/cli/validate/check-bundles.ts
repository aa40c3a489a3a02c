/**
 * Whether the bundles of a configuration would be used: each one that is on this machine is loaded
 * as `serve` loads it, locked or not, which says whether it is there, whole, vouched for as its source
 * requires, meant for this server or layer, and passes its own tests. What is in a registry is read
 * as a reference only, unless the command is told to ask.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { SourceCheckDeps } from "../../bundle/lock/lock-source.ts";
import type { SourceLock } from "../../bundle/lock/match-lock.ts";
import { parseReference } from "../../bundle/reference.ts";
import type { ConfigPath } from "../../config/config-document.ts";
import type { PolicySource, ServerConfig, SourceTrust } from "../../config/config.ts";
import type { ConfigProblem } from "../../config/config-error.ts";
import { servedPolicies } from "../../config/policy-places.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import type { PlaceRole } from "../../contract/place-role.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { isFixed } from "../bundle/source-state.ts";
import type { LockedConfig } from "../locked-config.ts";
import { checkDefault } from "./check-default.ts";

/** One bundle; names as in the output of other commands. */
export interface CheckedBundle {
  readonly name: string;
  readonly layer: LayerKind;
  readonly reference: string;
  readonly state: "loaded" | "failed" | "not_checked";
  readonly revision?: string;
  readonly digest?: string;
  readonly signers?: readonly string[];
  /** True where the lock says which one it is. */
  readonly locked: boolean;
}

/** All bundles of a configuration, and what keeps some of them from being used. */
export interface BundleReport {
  readonly bundles: readonly CheckedBundle[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

interface Wanted {
  readonly name: string;
  readonly base: string;
  readonly role: PlaceRole;
  readonly layer: LayerKind;
  readonly reference: string;
  readonly trust: SourceTrust;
  readonly opaque?: PolicySource["opaque"];
  readonly lock: SourceLock | undefined;
  /** Whose policy it is; `undefined` for a layer. */
  readonly server: ServerConfig | undefined;
  readonly path: ConfigPath;
}

interface Finding {
  readonly bundle: CheckedBundle;
  readonly problem?: string;
  readonly warnings: readonly string[];
}

/** What the check needs; `dependencies` are those of `serve --dev`. */
export interface BundleCheck {
  readonly loaded: LockedConfig;
  readonly online: boolean;
  readonly dependencies: SourceCheckDeps;
}

/** Checks the bundles one after the other, in the order of the file. */
export async function checkBundles({
  loaded,
  online,
  dependencies,
}: BundleCheck): Promise<BundleReport> {
  const bundles: CheckedBundle[] = [];
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  for (const wanted of wantedBundles(loaded)) {
    const { bundle, problem, warnings: found } = await checkBundle(wanted, online, dependencies);
    const place = wanted.path.join(".");
    bundles.push(bundle);
    if (problem !== undefined) {
      problems.push(loaded.problemAt(wanted.path, `${place}: ${problem}; ${denied(wanted)}`));
    }
    for (const warning of found) {
      warnings.push(loaded.problemAt(wanted.path, `${place}: ${warning}`));
    }
  }
  return { bundles, problems, warnings };
}

function wantedBundles({ config, locks }: LockedConfig): readonly Wanted[] {
  return servedPolicies(config).map(({ name, base, role, kind, policy, path }) => ({
    name,
    base,
    role,
    layer: kind,
    ...policy,
    lock: locks.get(name),
    server: kind === "server" ? config.servers.get(base) : undefined,
    path,
  }));
}

async function checkBundle(
  wanted: Wanted,
  online: boolean,
  dependencies: SourceCheckDeps,
): Promise<Finding> {
  const { name, layer, reference, lock, server } = wanted;
  const about = { name, layer, reference, locked: lock !== undefined };
  const scheme = schemeOf(reference);
  const nothing = { warnings: [] };
  if ("problem" in scheme) return { bundle: { ...about, state: "failed" }, ...nothing, ...scheme };
  const isLocal = scheme.name === "file" || scheme.name === "oci-layout";
  if (!isLocal && !online) {
    const problem = unpinned(wanted, scheme.isPinned);
    if (problem !== undefined) {
      return { bundle: { ...about, state: "failed" }, problem, ...nothing };
    }
    return { bundle: { ...about, state: "not_checked" }, ...nothing };
  }
  try {
    const { bundle, trust } = await check(wanted, dependencies);
    const { revision, digest, metadata } = bundle;
    const signers = trust.signers.map((signer) => signer.name);
    const found = [
      warningOf(scheme.name, wanted, metadata),
      server && checkDefault(server, metadata),
    ];
    const warnings = found.filter((warning) => warning !== undefined);
    return { bundle: { ...about, state: "loaded", revision, digest, signers }, warnings };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    const problem = `${thrown.message} [${thrown.code}]`;
    return { bundle: { ...about, state: "failed" }, problem, ...nothing };
  }
}

async function check(
  { base, layer, reference, trust, opaque, lock }: Wanted,
  dependencies: SourceCheckDeps,
) {
  const { checkSource } = await import("../../bundle/lock/lock-source.ts");
  const { locked, ...limits } = lock ?? { locked: undefined };
  const about = { wanted: { name: base, kind: layer, opaque }, reference, trust, ...limits };
  const version = locked?.version;
  return await checkSource({ ...about, version, isPinned: version !== undefined }, dependencies);
}

/** What nobody has to be asked for: a source that may change its mind, where a digest is required. */
function unpinned({ trust, lock, name }: Wanted, isPinned: boolean): string | undefined {
  if (trust.require !== "digest" || isPinned || lock !== undefined) return undefined;
  return `expected a pinned digest, found a reference that may change its meaning; add @DIGEST to it, lock it with bundle lock ${name}, name a signer in trust, or say require: "none" [bundle_unverified]`;
}

function schemeOf(
  reference: string,
): { readonly name: string; readonly isPinned: boolean } | { readonly problem: string } {
  try {
    const parsed = parseReference(reference);
    return { name: parsed.scheme, isPinned: isFixed(parsed) };
  } catch (thrown) {
    return { problem: `${messageOf(thrown)} [${codeOf(thrown) ?? "bundle_reference_invalid"}]` };
  }
}

function warningOf(
  scheme: string,
  wanted: Pick<Wanted, "layer" | "role">,
  metadata: Readonly<Record<string, unknown>>,
): string | undefined {
  if (scheme === "file") {
    return `file: is for serve --dev; without --dev ${denied(wanted)}`;
  }
  if (metadata["name"] !== undefined) return undefined;
  return `the bundle has no metadata.name in its .manifest and would fit any ${wanted.layer === "server" ? "server" : "layer"}`;
}

/** What it means for calls that there is no bundle. */
function denied({ layer, role }: Pick<Wanted, "layer" | "role">): string {
  switch (role) {
    case "policy":
      return layer === "server"
        ? "every call to this server is denied with no_policy"
        : "every call is denied with no_policy";
    case "shadow":
      return "nothing is compared, and calls go on";
    case "canary":
      return "the policy beside it decides alone";
  }
}
