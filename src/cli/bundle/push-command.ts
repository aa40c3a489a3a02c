/**
 * `bundle push DIR REF`: tests and builds a folder of sources, or takes an archive that was built,
 * puts it into a registry or layout, and lays a test report and its provenance beside it.
 */
import { resolve } from "node:path";
import type { AttachedDocument } from "../../bundle/attach-document.ts";
import { attachDocument } from "../../bundle/attach-document.ts";
import { provenanceDocument } from "../../bundle/publish/provenance.ts";
import { testReportDocument } from "../../bundle/publish/test-report.ts";
import { pushBundle } from "../../bundle/push-bundle.ts";
import type { ArtifactReference } from "../../bundle/reference.ts";
import { pinReference } from "../../bundle/reference.ts";
import { openSink, openSource } from "../../bundle/sources/open-source.ts";
import type { Digest } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import { artifactReference } from "./bundle-context.ts";
import type { PreparedPush } from "./prepare-push.ts";
import { preparePush } from "./prepare-push.ts";

export interface PushCommandOptions {
  readonly output: OutputFormat;
  readonly source?: string;
  /** False pushes without running the bundle's own tests. */
  readonly test?: boolean;
  /** False lays nothing beside the bundle. */
  readonly attest?: boolean;
}

/** Pushes and prints `REF@sha256:…`. */
export async function pushCommand(
  context: BundleContext,
  folder: string,
  referenceText: string,
  options: PushCommandOptions,
): Promise<void> {
  const { io, registry } = context;
  const reference = artifactReference(io, referenceText);
  const createdSeconds = sourceDateEpoch(io);
  const prepared = await preparePush(context, resolve(io.cwd, folder), options.test ?? true);
  const sourceOption = options.source === undefined ? {} : { source: options.source };
  const about = { createdSeconds, ...sourceOption };
  const pushed = await pushBundle(prepared.archive, reference, { registry, ...about });
  const documents = describePush(prepared, pushed, { createdSeconds, source: options.source });
  const attached =
    options.attest === false ? [] : await attach(context, reference, pushed.digest, documents);
  if (options.output === "table") {
    io.out(pushed.reference);
    return;
  }
  const { outcome, tests, coverage_percent } = prepared.report;
  const summary = { outcome, count: tests.length, coverage_percent };
  printDocument(io, options.output, { ...pushed, tests: summary, attached });
}

function describePush(
  { report, origin }: PreparedPush,
  { digest, annotations }: { readonly digest: Digest; readonly annotations: object },
  about: { readonly createdSeconds: number; readonly source: string | undefined },
): readonly AttachedDocument[] {
  const title = new Map<string, unknown>(Object.entries(annotations)).get(
    "org.opencontainers.image.title",
  );
  const name = typeof title === "string" ? title : "bundle";
  return [
    testReportDocument(report),
    provenanceDocument({ name, digest }, { ...origin, ...about }),
  ];
}

/** Lays documents beside what was pushed; the same ones again change nothing. */
async function attach(
  { registry }: BundleContext,
  reference: ArtifactReference,
  digest: Digest,
  documents: readonly AttachedDocument[],
): Promise<readonly { readonly artifact_type: string; readonly digest: Digest }[]> {
  const pinned = pinReference(reference, digest);
  const source = await openSource(pinned, registry);
  const sink = await openSink(pinned, registry);
  const attached: { artifact_type: string; digest: Digest }[] = [];
  try {
    const subject = await source.readManifest(digest);
    for (const document of documents) {
      const manifest = await attachDocument(sink, subject, document);
      attached.push({ artifact_type: document.artifactType, digest: manifest });
    }
    return attached;
  } finally {
    await source.close();
    await sink.close();
  }
}

/** Seconds since the epoch of the reproducible-builds convention. */
function sourceDateEpoch(io: CliIo): number {
  const text = io.env["SOURCE_DATE_EPOCH"] ?? "";
  if (text === "") return 0;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new CliError(
    exitCodes.usage,
    `expected SOURCE_DATE_EPOCH to be seconds since 1970, found ${JSON.stringify(text)}`,
  );
}
