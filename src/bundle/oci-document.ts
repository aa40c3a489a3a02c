/**
 * The JSON documents of the OCI image specification that a bundle travels in: descriptors,
 * manifests and indexes. Reads what any registry may hold, writes the one form that ours has.
 * Members `urls` and `data` of a descriptor are never read: bytes come from the source alone.
 */
import * as z from "zod";
import type { Digest } from "../contract/bundle.ts";
import { sha256Of } from "../contract/sha256.ts";
import type { BundleError } from "./bundle-error.ts";
import { unexpected } from "./bundle-error.ts";
import { isDigest } from "./digest.ts";

/** Media types that we read or write. */
export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  empty: "application/vnd.oci.empty.v1+json",
  bundleLayer: "application/vnd.oci.image.layer.v1.tar+gzip",
  bundleArtifact: "application/vnd.mcp-gateway.policy-bundle.v1",
  sigstoreBundle: "application/vnd.dev.sigstore.bundle.v0.3+json",
  testReport: "application/vnd.mcp-gateway.test-report.v1+json",
  inTotoStatement: "application/vnd.in-toto+json",
} as const;

/** Types of what lies beside a bundle and is none. */
export const attachmentTypes: ReadonlySet<string | undefined> = new Set([
  mediaTypes.sigstoreBundle,
  mediaTypes.testReport,
  mediaTypes.inTotoStatement,
]);

/** All manifest types, for `Accept`: registries hide what a client does not list. */
export const manifestTypes: readonly string[] = [
  mediaTypes.manifest,
  mediaTypes.index,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
];

/** The largest manifest or index that is read; the specification asks for at least this. */
export const maxManifestBytes = 4 * 1024 * 1024;

const maxQuoted = 128;

const digestSchema = z.string().refine(isDigest);
const annotationsSchema = z.record(z.string(), z.string());
const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: digestSchema,
  size: z.int().nonnegative(),
  artifactType: z.string().optional(),
  annotations: annotationsSchema.optional(),
  platform: z.object({ os: z.string().optional(), architecture: z.string().optional() }).optional(),
});
const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).max(1000),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});
const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptorSchema).max(10_000),
  annotations: annotationsSchema.optional(),
});
/** Loose: what other tools wrote into a layout's index is written back as it was. */
const layoutIndexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      z.looseObject({
        mediaType: z.string(),
        digest: z.string(),
        size: z.int().nonnegative(),
        artifactType: z.string().optional(),
        annotations: annotationsSchema.optional(),
      }),
    )
    .max(10_000),
});
const shapeSchema = z.looseObject({
  mediaType: z.string().optional(),
  layers: z.unknown().optional(),
  manifests: z.unknown().optional(),
});

export type Descriptor = z.infer<typeof descriptorSchema>;
export type ImageManifest = z.infer<typeof manifestSchema>;
export type ImageIndex = z.infer<typeof indexSchema>;

export type LayoutIndex = z.infer<typeof layoutIndexSchema>;
export type LayoutEntry = LayoutIndex["manifests"][number];

export type OciDocument =
  | { readonly kind: "manifest"; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly index: ImageIndex };

/** Bytes of a manifest or index, checked against their digest. */
export interface ManifestBytes {
  readonly digest: Digest;
  readonly bytes: Buffer;
  /** As the source says, without parameters; `undefined` where it says nothing. */
  readonly mediaType: string | undefined;
}

/**
 * Reads a manifest or index.
 *
 * @param where - reference for messages
 * @throws BundleError `bundle_protocol_invalid` where the document is broken, says two things about
 *   its type, or is both manifest and index; `bundle_artifact_unsupported` for another type
 */
export function parseOciDocument(
  content: Pick<ManifestBytes, "bytes" | "mediaType">,
  where: string,
): OciDocument {
  const json = parseJson(content.bytes, where);
  const shape = shapeSchema.safeParse(json);
  if (!shape.success) throw invalid(where, "a JSON object", "something else");
  const { mediaType, layers, manifests } = shape.data;
  const type = agreedType(content.mediaType, mediaType, where);
  if (layers !== undefined && manifests !== undefined) {
    throw invalid(where, "either layers or manifests", "both");
  }
  if (type === undefined ? manifests !== undefined : isIndexType(type)) {
    return { kind: "index", index: parsed(indexSchema, json, where) };
  }
  return { kind: "manifest", manifest: parsed(manifestSchema, json, where) };
}

/** Writes JSON as registries store it, with the descriptor that names it. */
export function encodeOciJson(
  document: unknown,
  mediaType: string,
): { readonly bytes: Buffer; readonly descriptor: Descriptor } {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, descriptor: describeBytes(bytes, mediaType) };
}

/** The descriptor of some bytes. */
export function describeBytes(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: sha256Of(bytes), size: bytes.length };
}

/** Reads the index document of a layout. */
export function parseLayoutIndex(bytes: Buffer, where: string): LayoutIndex {
  return parsed(layoutIndexSchema, parseJson(bytes, where), where);
}

/** What the other side wrote, as much of it as a message repeats. */
export function quoteForeign(text: string): string {
  return JSON.stringify(text.slice(0, maxQuoted).toWellFormed());
}

function agreedType(
  header: string | undefined,
  body: string | undefined,
  where: string,
): string | undefined {
  if (header !== undefined && body !== undefined && header !== body) {
    const expected = `the media type ${quoteForeign(header)} that came with it`;
    throw invalid(where, expected, quoteForeign(body));
  }
  const type = body ?? header;
  if (type === undefined || manifestTypes.includes(type)) return type;
  const found = `media type ${quoteForeign(type)}`;
  throw unexpected("bundle_artifact_unsupported", where, "an OCI manifest or index", found);
}

function isIndexType(type: string): boolean {
  return type === mediaTypes.index || type === mediaTypes.dockerIndex;
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  where: string,
): z.infer<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.join(".") ?? "";
  const found = `a wrong ${quoteForeign(path)}`;
  throw invalid(where, "the shape of the OCI image specification", found);
}

function parseJson(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw invalid(where, "a JSON manifest", "something else", thrown);
  }
}

function invalid(where: string, expected: string, found: string, cause?: unknown): BundleError {
  return unexpected("bundle_protocol_invalid", where, expected, found, cause);
}
