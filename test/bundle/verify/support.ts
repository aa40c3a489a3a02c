/**
 * What tests of signatures share: the fixtures that other tools made, signers for them, a key of
 * our own, and a place in memory that holds whatever a test puts there.
 */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { BundleError } from "../../../src/bundle/bundle-error.ts";
import type { ContentSink, ContentSource } from "../../../src/bundle/content.ts";
import { describeBytes, mediaTypes } from "../../../src/bundle/oci-document.ts";
import type { Descriptor } from "../../../src/bundle/oci-document.ts";
import { openSigners } from "../../../src/bundle/verify/open-signers.ts";
import { openSigningKey } from "../../../src/bundle/verify/signing-key.ts";
import type { SigningKey } from "../../../src/bundle/verify/signing-key.ts";
import type { KeySigner, OpaSigner, Signer } from "../../../src/bundle/verify/trust.ts";
import type { SignedArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import { describeFiles } from "../../../src/bundle/unpack/opened-archive.ts";
import type { SignerConfig } from "../../../src/config/config.ts";
import type { Digest } from "../../../src/contract/bundle.ts";
import { isDigest } from "../../../src/bundle/digest.ts";

/** Parsed JSON whose members a test changes as it likes. */
export type Loose = ReturnType<typeof JSON.parse>;

const digestSchema = z.string().refine(isDigest);

/** What cosign left in a registry. */
export const cosign = read(
  "cosign.json",
  z.object({
    subject: digestSchema,
    public_key: z.string(),
    /** Closed with the password `secret`. */
    private_key: z.string(),
    index: z.string(),
    referrer: z.string(),
    signatures: z.string(),
    blobs: z.record(z.string(), z.string()),
  }),
);

/** What an instance of sigstore of our own signed. */
export const keyless = read(
  "keyless.json",
  z.object({
    subject: digestSchema,
    identity: z.string(),
    issuer: z.string(),
    trusted_root: z.unknown(),
    bundles: z.record(z.string(), z.unknown()),
    /** As cosign before version 3 leaves them on its tag. */
    documents: z.record(
      z.string(),
      z.object({ payload: z.string(), annotations: z.record(z.string(), z.string()) }),
    ),
  }),
);

/** Bundles that `opa build` signed. */
export const opa = read(
  "opa.json",
  z.object({
    bundles: z.array(
      z.object({
        algorithm: z.enum(["RS256", "PS384", "ES256", "HS512"]),
        key: z.string(),
        archive: z.string(),
      }),
    ),
  }),
).bundles.map((bundle) => ({ ...bundle, archive: Buffer.from(bundle.archive, "base64") }));

/** A signature that the public instance of sigstore made. */
export const publicGood = read("public-good.json", z.unknown());

function read<Schema extends z.ZodType>(name: string, schema: Schema): z.infer<Schema> {
  const path = fileURLToPath(new URL(`../../fixtures/trust/${name}`, import.meta.url));
  return schema.parse(JSON.parse(readFileSync(path, "utf8")));
}

export function openOne(config: SignerConfig): Signer {
  const [signer] = openSigners([config]);
  if (signer === undefined) throw new Error("expected a signer");
  return signer;
}

export function keySigner(pem: string = cosign.public_key, name = "release"): KeySigner {
  const signer = openOne({ type: "cosign-key", name, key: pem });
  if (signer.type !== "cosign-key") throw new Error("expected a key");
  return signer;
}

export interface OwnKey extends SigningKey {
  readonly pem: string;
  readonly publicPem: string;
}

/** A new key pair. */
export function ownKey(type: "ed25519" | "ec" = "ed25519"): OwnKey {
  const pair =
    type === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = String(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  const publicPem = String(pair.publicKey.export({ type: "spki", format: "pem" }));
  return { ...openSigningKey(pem, undefined, "test key"), pem, publicPem };
}

/** An artifact that is opened already. */
export function artifactOf(
  subjects: readonly Digest[],
  files: ReadonlyMap<string, Buffer> = new Map(),
  signers: readonly OpaSigner[] = [],
): SignedArtifact {
  return { subjects, open: async () => describeFiles(files, signers) };
}

export interface MemoryPlace extends ContentSource, ContentSink {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Buffer>;
  readonly tags: Map<string, Digest>;
  readonly listed: Descriptor[];
  /** Puts a manifest with its layers and says that it refers to something. */
  readonly refer: (document: object, entry?: Partial<Descriptor>) => Digest;
  readonly putBlob: (text: string | Buffer, mediaType: string) => Descriptor;
}

/** A place without a network. */
export function memoryPlace(): MemoryPlace {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const tags = new Map<string, Digest>();
  const listed: Descriptor[] = [];
  const missing = (what: string): BundleError =>
    new BundleError("bundle_not_found", `memory: expected ${what}, found none`);
  const place: MemoryPlace = {
    blobs,
    manifests,
    tags,
    listed,
    resolve: async ({ tag, digest }) => {
      const found = digest ?? tags.get(tag ?? "");
      if (found === undefined) throw missing(`tag ${tag ?? ""}`);
      return found;
    },
    readManifest: async (digest) => {
      const bytes = manifests.get(digest);
      if (bytes === undefined) throw missing(digest);
      return { digest, bytes, mediaType: mediaTypes.manifest };
    },
    readBlob: async ({ digest, size }, maxBytes) => {
      if (size > maxBytes) throw new BundleError("bundle_too_large", "memory: too large");
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw missing(digest);
      return bytes;
    },
    referrers: async () => listed,
    writeBlob: async (bytes, { digest }) => void blobs.set(digest, Buffer.from(bytes)),
    writeManifest: async (bytes, { digest }, tag) => {
      manifests.set(digest, Buffer.from(bytes));
      if (tag !== undefined) tags.set(tag, digest);
    },
    attach: async (bytes, descriptor) => {
      manifests.set(descriptor.digest, Buffer.from(bytes));
      listed.push(descriptor);
    },
    refer: (document, entry = {}) => {
      const bytes = Buffer.from(JSON.stringify(document));
      const descriptor = describeBytes(bytes, mediaTypes.manifest);
      manifests.set(descriptor.digest, bytes);
      listed.push({ ...descriptor, ...entry });
      return descriptor.digest;
    },
    putBlob: (text, mediaType) => {
      const bytes = Buffer.from(text);
      const descriptor = describeBytes(bytes, mediaType);
      blobs.set(descriptor.digest, bytes);
      return descriptor;
    },
  };
  return place;
}

/** A manifest that refers to a subject, with one layer. */
export function referrer(subject: Digest, layer: Descriptor): object {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: layer.mediaType,
    layers: [layer],
    subject: { mediaType: mediaTypes.manifest, digest: subject, size: 2 },
  };
}

/** What cosign left, in memory: as cosign 3 does, or on the tag of before. */
export function cosignPlace(form: "bundle" | "tag"): MemoryPlace {
  const place = memoryPlace();
  for (const [digest, text] of Object.entries(cosign.blobs)) {
    place.blobs.set(digest, Buffer.from(text));
  }
  if (form === "bundle") {
    place.refer(JSON.parse(cosign.referrer));
    return place;
  }
  const bytes = Buffer.from(cosign.signatures);
  const { digest } = describeBytes(bytes, mediaTypes.manifest);
  place.manifests.set(digest, bytes);
  place.tags.set(`${cosign.subject.replace(":", "-")}.sig`, digest);
  return place;
}
