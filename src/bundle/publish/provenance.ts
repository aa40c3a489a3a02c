/**
 * Where a bundle came from, as an in-toto statement with SLSA's provenance about the pushed
 * manifest. It holds no time, no path of a machine and no name of a person: the same sources at the
 * same commit give the same statement. Nobody has signed it; it is what the publisher says.
 */
import * as z from "zod";
import type { Digest } from "../../contract/bundle.ts";
import { splitDigest } from "../digest.ts";
import { mediaTypes } from "../oci-document.ts";
import type { AttachedDocument } from "../attach-document.ts";

/** Where the sources are in Git. */
export interface GitOrigin {
  readonly commit: string;
  /** The folder in the work tree; empty for all of it. */
  readonly path: string;
  /** True where a source differs from the commit. */
  readonly isDirty: boolean;
}

/** A library as the manifest of a bundle names it. */
export interface CopiedLibrary {
  readonly name: string;
  readonly revision: string;
  readonly digest: Digest;
}

/** What is known of a push. */
export interface PushOrigin {
  /** Every file that the bundle was made of, by its path in the folder. */
  readonly materials: readonly { readonly name: string; readonly digest: Digest }[];
  /** Libraries that were copied in. */
  readonly libraries: readonly CopiedLibrary[];
  readonly madeFrom: "folder" | "archive";
  readonly git: GitOrigin | undefined;
  /** Where the sources are, as the publisher says (`--source`). */
  readonly source: string | undefined;
  readonly createdSeconds: number;
  readonly builder: { readonly mcpGateway: string; readonly opa: string };
  readonly requiredBuiltins: readonly string[];
}

const provenancePredicate = "https://slsa.dev/provenance/v1";
/** The annotation by which other tools tell one in-toto statement from another. */
const predicateAnnotation = "in-toto.io/predicate-type";

const statementType = "https://in-toto.io/Statement/v1";
const buildType = "urn:x-mcp-gateway:bundle-push:v1";
const builderId = "urn:x-mcp-gateway:bundle-push";

const resourceSchema = z.looseObject({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.json()).optional(),
});
const statementSchema = z.looseObject({
  _type: z.literal(statementType),
  subject: z.array(z.looseObject({ digest: z.record(z.string(), z.string()) })).max(1000),
  predicateType: z.literal(provenancePredicate),
  predicate: z.looseObject({
    buildDefinition: z.looseObject({
      buildType: z.string(),
      externalParameters: z.json(),
      resolvedDependencies: z.array(resourceSchema).max(100_000).optional(),
    }),
    runDetails: z.looseObject({
      builder: z.looseObject({
        id: z.string(),
        version: z.record(z.string(), z.string()).optional(),
      }),
    }),
  }),
});

/** A statement that was read. */
export type Provenance = z.infer<typeof statementSchema>;

/** The statement about a pushed manifest, as it is attached. */
export function provenanceDocument(
  subject: { readonly name: string; readonly digest: Digest },
  origin: PushOrigin,
): AttachedDocument {
  const { source, createdSeconds, madeFrom, builder, requiredBuiltins } = origin;
  const statement = {
    _type: statementType,
    subject: [{ name: subject.name, digest: digestSet(subject.digest) }],
    predicateType: provenancePredicate,
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          command: "bundle push",
          made_from: madeFrom,
          source_date_epoch: createdSeconds,
          ...(source === undefined ? {} : { source }),
        },
        resolvedDependencies: [
          ...gitResource(origin),
          ...materialResources(origin),
          ...libraryResources(origin),
        ],
      },
      runDetails: {
        builder: {
          id: builderId,
          version: { "mcp-gateway": builder.mcpGateway, opa: builder.opa },
        },
      },
      mcpGateway_requiredBuiltins: requiredBuiltins.toSorted(),
    },
  };
  return {
    artifactType: mediaTypes.inTotoStatement,
    mediaType: mediaTypes.inTotoStatement,
    bytes: Buffer.from(JSON.stringify(statement)),
    annotations: { [predicateAnnotation]: provenancePredicate },
  };
}

/** Reads a statement about a manifest; `undefined` for another shape, purpose or subject. */
export function parseProvenance(json: unknown, subject: Digest): Provenance | undefined {
  const statement = statementSchema.safeParse(json).data;
  const { algorithm, hex } = splitDigest(subject);
  const isAbout = statement?.subject.some(({ digest }) => digest[algorithm] === hex);
  return isAbout === true ? statement : undefined;
}

function materialResources({ materials }: PushOrigin): readonly object[] {
  return materials.map(({ name, digest }) => ({ name, digest: digestSet(digest) }));
}

function libraryResources({ libraries }: PushOrigin): readonly object[] {
  return libraries.map(({ name, revision, digest }) => {
    const annotations = { kind: "library", revision };
    return { name, digest: digestSet(digest), annotations };
  });
}

/** A remote's address may hold a login, so only `--source` says where the repository is. */
function gitResource({ git, source }: PushOrigin): readonly object[] {
  if (git === undefined) return [];
  const { commit, path, isDirty } = git;
  const named = source === undefined ? {} : { uri: source };
  const annotations = { path, dirty: isDirty };
  return [{ name: "git", ...named, digest: { gitCommit: commit }, annotations }];
}

function digestSet(digest: Digest): Readonly<Record<string, string>> {
  const { algorithm, hex } = splitDigest(digest);
  return { [algorithm]: hex };
}
