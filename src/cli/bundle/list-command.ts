/**
 * `bundle list`: the bundles that the configuration names, with what is here of each: in its
 * layout, or in the cache. Asks no registry.
 */
import { openArchive } from "../../bundle/archive.ts";
import { BundleError } from "../../bundle/bundle-error.ts";
import { fetchArtifact, type Artifact } from "../../bundle/fetch-artifact.ts";
import { fetchReference } from "../../bundle/fetch-reference.ts";
import { openBundle } from "../../bundle/open-bundle.ts";
import { formatReference, parseReference, type Reference } from "../../bundle/reference.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import { printList, type OutputFormat } from "../print.ts";
import { buildSources } from "./build-sources.ts";
import type { BundleContext } from "./bundle-context.ts";

interface BundleRow {
  readonly name: string;
  readonly kind: LayerKind;
  readonly reference: string | null;
  /** `ready`, `cached`, `not_pulled`, `source_folder`, `no_policy`, or the code of a failure. */
  readonly state: string;
  readonly digest: string | null;
  readonly revision: string | null;
  readonly size_bytes: number | null;
}

const columns = [
  { title: "NAME", cell: (row: BundleRow) => row.name },
  { title: "KIND", cell: (row: BundleRow) => row.kind },
  { title: "STATE", cell: (row: BundleRow) => row.state },
  { title: "REVISION", cell: (row: BundleRow) => row.revision ?? "-" },
  { title: "SIZE", cell: (row: BundleRow) => row.size_bytes?.toString() ?? "-" },
  { title: "DIGEST", cell: (row: BundleRow) => row.digest?.slice(0, 19) ?? "-" },
  { title: "REFERENCE", cell: (row: BundleRow) => row.reference ?? "-" },
];

/** Prints one row for each server and layer. */
export async function listCommand(
  context: BundleContext,
  { output }: { readonly output: OutputFormat },
): Promise<void> {
  const { io, config } = context;
  if (config === undefined) {
    throw new CliError(
      exitCodes.invalid,
      "expected a configuration, found none; pass --config FILE",
    );
  }
  const rows: BundleRow[] = [];
  for (const wanted of wantedBundles(config)) rows.push(await describeRow(wanted, context));
  printList(io, output, rows, columns);
}

interface WantedBundle {
  readonly name: string;
  readonly kind: LayerKind;
  readonly reference: string | undefined;
}

function wantedBundles({ servers, layers }: GatewayConfig): readonly WantedBundle[] {
  return [
    ...[...servers.values()].map(
      ({ id, policy }) => ({ name: id, kind: "server", reference: policy?.reference }) as const,
    ),
    ...layers.map(({ name, kind, policy }) => ({ name, kind, reference: policy.reference })),
  ];
}

async function describeRow(
  { name, kind, reference }: WantedBundle,
  context: BundleContext,
): Promise<BundleRow> {
  const nothing = { digest: null, revision: null, size_bytes: null };
  if (reference === undefined)
    return { name, kind, reference: null, state: "no_policy", ...nothing };
  try {
    const parsed = parseReference(reference);
    const found = await findHere(parsed, context);
    if (typeof found === "string") return { name, kind, reference, state: found, ...nothing };
    const about = { name, kind, reference, digest: found.digest, origin: "cache" } as const;
    const { revision } = await openBundle(openArchive(found.archive), about, buildSources);
    const state = parsed.scheme === "oci" ? "cached" : "ready";
    const { digest, layer } = found;
    return { name, kind, reference, state, digest, revision, size_bytes: layer.size };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    return { name, kind, reference, state: thrown.code, ...nothing };
  }
}

/** The artifact where it is on this machine, else the state that says where it is. */
async function findHere(
  reference: Reference,
  { cache, registry }: BundleContext,
): Promise<Artifact | "source_folder" | "not_pulled"> {
  switch (reference.scheme) {
    case "file":
      return "source_folder";
    case "oci-layout":
      return (await fetchReference(reference, undefined, registry)).artifact;
    case "oci": {
      const digest = await cache.lastGood(reference);
      if (digest === undefined) return "not_pulled";
      return await fetchArtifact(cache.content, digest, formatReference(reference));
    }
  }
}
