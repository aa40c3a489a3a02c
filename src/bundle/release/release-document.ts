/**
 * A release: which program of a server, which definitions of its tools and which bundle belong
 * together, and, where it says so, which of the organisation's bundles and which agents. The same document is the content of an artifact, and of a lock. Written against
 * `zod/mini`, since every start with a lock reads one.
 */
import * as z from "zod/mini";
import type { Digest } from "../../contract/bundle.ts";
import { isDigest } from "../digest.ts";

/** Type of the document, and of the artifact that holds it. */
export const releaseType = "application/vnd.mcp-gateway.release.v1+json";
/** The largest release that is read. */
export const maxReleaseBytes = 1024 * 1024;

/** Of one agent in one release. */
const maxVersions = 64;

const name = z.string().check(z.minLength(1), z.maxLength(256));
/** What a version may look like: it becomes part of a command line. */
const word = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._+:-]{0,199}$/));

/** A digest as the bundle stage knows it. */
export const digestSchema = z.string().check(
  z.regex(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, {
    error: "expected sha256: or sha512: and its lower-case hexadecimal digits",
  }),
);

const place = z.strictObject({ reference: name, digest: digestSchema });

/** Shape of a release. */
export const releaseSchema = z.strictObject({
  version: z.literal(1),
  server: name.check(z.describe("Config id of the server")),
  package: z
    .union([
      z.strictObject({ name, version: word }),
      z.strictObject({ image: name, digest: digestSchema }),
    ])
    .check(z.describe("The program: a package with its version, or an image with its digest")),
  server_info: z
    .optional(z.strictObject({ name, version: z.string() }))
    .check(z.describe("What the program says it is when it is connected")),
  bundle: z.strictObject({ ...place.shape, revision: z.string() }),
  pins: z.record(name, digestSchema).check(z.describe("Digest of each tool's definition")),
  layers: z
    .optional(z.record(name, place))
    .check(z.describe("Bundles of the organisation's layers that it was made with")),
  agents: z
    .optional(z.record(name, z.array(name).check(z.minLength(1), z.maxLength(maxVersions))))
    .check(z.describe("Who may use it: versions by id of the agent; not said: every agent")),
});

/** A release, checked. */
export type Release = z.output<typeof releaseSchema>;

/** What `${release.version}` stands for: version of the package, or digest of the image. */
export function releaseVersion({ package: program }: Pick<Release, "package">): string {
  return "version" in program ? program.version : program.digest;
}

/** Digest of every bundle that a release binds, by server id or layer name. */
export function boundBundles({
  server,
  bundle,
  layers,
}: Pick<Release, "server" | "bundle" | "layers">): ReadonlyMap<string, Digest> {
  const bound = [[server, bundle] as const, ...Object.entries(layers ?? {})];
  return new Map(bound.map(([at, { digest }]) => [at, asDigest(digest)]));
}

/** The text of a release; equal releases have equal texts. */
export function formatRelease(release: Release): string {
  const { version, server, package: program, server_info, bundle, pins, layers, agents } = release;
  const document = {
    version,
    server,
    package:
      "version" in program
        ? { name: program.name, version: program.version }
        : { image: program.image, digest: program.digest },
    ...(server_info && { server_info: { name: server_info.name, version: server_info.version } }),
    bundle: { reference: bundle.reference, digest: bundle.digest, revision: bundle.revision },
    pins: sorted(pins),
    ...(layers && { layers: sorted(layers) }),
    ...(agents && { agents: sorted(agents) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** JSON Schema (draft 7) of `release.json`. */
export function releaseJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(releaseSchema, { io: "input", target: "draft-7" });
  return { $schema, title: "mcp-gateway release", ...schema };
}

/** The digest that the shape has checked already. */
export function asDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new TypeError("expected a digest that was checked");
}

/** By name, so that two that say the same are the same. */
export function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  const entries = Object.entries(record);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
}
