import { describe, expect, test } from "vitest";
import { describeBytes, mediaTypes } from "../../../src/bundle/oci-document.ts";
import {
  simpleSigningPayload,
  simpleSigningType,
} from "../../../src/bundle/verify/simple-signing.ts";
import { simpleSignatureAnnotation } from "../../../src/bundle/verify/signature-annotations.ts";
import { keyBundle } from "../../../src/bundle/verify/sigstore-bundle.ts";
import { preAuthEncoding, signatureStatement } from "../../../src/bundle/verify/statement.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import type { Digest } from "../../../src/contract/bundle.ts";
import {
  artifactOf,
  cosign,
  cosignPlace,
  keySigner,
  memoryPlace,
  ownKey,
  referrer,
} from "./support.ts";
import type { MemoryPlace, Loose } from "./support.ts";

const subject = cosign.subject;
const other: Digest = `sha256:${"c3".repeat(32)}`;
const key = ownKey();
const trusted = keySigner(key.publicPem);

async function verify(place: MemoryPlace, signer = trusted, digest: Digest = subject) {
  return await verifyArtifact(artifactOf([digest]), [signer], [place]);
}

/** A place with one sigstore bundle, whose parts a test may change. */
function bundlePlace(parts: {
  readonly statement?: object;
  readonly payloadType?: string;
  readonly change?: (bundle: Record<string, unknown>) => void;
}): MemoryPlace {
  const place = memoryPlace();
  const statement = { ...JSON.parse(signatureStatement(subject).toString()), ...parts.statement };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = parts.payloadType ?? "application/vnd.in-toto+json";
  const signature = key.sign(preAuthEncoding(payloadType, payload));
  const bundle = JSON.parse(keyBundle(payload, signature, key.publicKey).toString());
  bundle.dsseEnvelope.payloadType = payloadType;
  parts.change?.(bundle);
  const layer = place.putBlob(JSON.stringify(bundle), mediaTypes.sigstoreBundle);
  place.refer(referrer(subject, layer));
  return place;
}

/** A place with cosign's tag on which one document is signed. */
function tagPlace(payload: Buffer, signature = key.sign(payload).toString("base64")): MemoryPlace {
  const place = memoryPlace();
  const annotations = { [simpleSignatureAnnotation]: signature };
  const layer = { ...place.putBlob(payload, simpleSigningType), annotations };
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, layers: [layer] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { digest } = describeBytes(bytes, mediaTypes.manifest);
  place.manifests.set(digest, bytes);
  place.tags.set(`${subject.replace(":", "-")}.sig`, digest);
  return place;
}

function signed(change: (document: ReturnType<typeof readPayload>) => void): Buffer {
  const document = readPayload();
  change(document);
  return Buffer.from(JSON.stringify(document));
}

function readPayload() {
  return JSON.parse(simpleSigningPayload(subject, "r.example/acme/crm").toString());
}

describe("what cosign signed with a key", () => {
  test.each(["bundle", "tag"] as const)("as a %s verifies with its public key", async (form) => {
    const found = await verify(cosignPlace(form), keySigner());
    expect(found).toMatchObject({
      kind: "verified",
      signers: [
        { type: "cosign-key", name: "release", fingerprint: expect.stringMatching(/^sha256:/) },
      ],
      proofs: [{ subject, manifest: { digest: expect.stringMatching(/^sha256:/) } }],
    });
  });

  test.each(["bundle", "tag"] as const)("as a %s does not with another key", async (form) => {
    const found = await verify(cosignPlace(form));
    expect(found).toMatchObject({ kind: "failed", code: "no_trusted_signature" });
  });

  test("on the tag of another manifest is for another manifest", async () => {
    const place = cosignPlace("tag");
    const [digest] = place.tags.values();
    if (digest !== undefined) place.tags.set(`${other.replace(":", "-")}.sig`, digest);
    const found = await verify(place, keySigner(), other);
    expect(found).toMatchObject({ kind: "failed", code: "subject_mismatch" });
  });

  test("and is not there is unsigned", async () => {
    expect(await verify(memoryPlace())).toEqual({ kind: "failed", code: "unsigned", tried: [] });
  });
});

describe("a sigstore bundle by a key", () => {
  test("as we write it verifies", async () => {
    expect(await verify(bundlePlace({}))).toMatchObject({ kind: "verified" });
  });

  test.each<[string, object, string]>([
    ["for another manifest", { subject: [{ digest: { sha256: "c3".repeat(32) } }] }, "another"],
    ["without any subject", { subject: [] }, "another manifest"],
    [
      "that names the digest under another algorithm",
      { subject: [{ digest: { sha512: subject.slice(7) } }] },
      "another manifest",
    ],
    ["for another purpose", { predicateType: "https://slsa.dev/provenance/v1" }, "no signature of"],
    ["of an older statement", { _type: "https://in-toto.io/Statement/v0.1" }, "another version"],
    ["that is no statement", { subject: "x" }, "another shape"],
  ])("%s does not count", async (_, statement, reason) => {
    const found = await verify(bundlePlace({ statement }));
    expect(found).toMatchObject({ code: "subject_mismatch" });
    expect(JSON.stringify(found)).toContain(reason);
  });

  test("around something that is no in-toto statement does not count", async () => {
    const found = await verify(bundlePlace({ payloadType: "application/json" }));
    expect(found).toMatchObject({ code: "subject_mismatch" });
  });

  test.each<[string, (bundle: Loose) => void]>([
    [
      "with a changed payload",
      (bundle) => {
        bundle.dsseEnvelope.payload = signatureStatement(other).toString("base64");
      },
    ],
    [
      "with a changed payload type",
      (bundle) => {
        bundle.dsseEnvelope.payloadType = "application/vnd.in-toto+jsom";
      },
    ],
    [
      "with two signatures",
      (bundle) => {
        bundle.dsseEnvelope.signatures.push(bundle.dsseEnvelope.signatures[0]);
      },
    ],
    [
      "without a signature",
      (bundle) => {
        bundle.dsseEnvelope.signatures = [];
      },
    ],
    [
      "of an unknown version",
      (bundle) => {
        bundle.mediaType = "application/vnd.dev.sigstore.bundle.v9+json";
      },
    ],
    [
      "with loose base64",
      (bundle) => {
        bundle.dsseEnvelope.signatures[0].sig += "\n";
      },
    ],
  ])("%s does not count", async (_, change) => {
    const found = await verify(bundlePlace({ change }));
    expect(found).toMatchObject({ kind: "failed", code: "no_trusted_signature" });
  });
});

describe("a document on cosign's tag", () => {
  test("as we write it verifies", async () => {
    const found = await verify(tagPlace(simpleSigningPayload(subject, "r.example/acme/crm")));
    expect(found).toMatchObject({ kind: "verified" });
  });

  test.each<[string, Buffer]>([
    [
      "of another type",
      signed((document) => {
        document.critical.type = "atomic container signature";
      }),
    ],
    [
      "for another manifest",
      signed((document) => {
        document.critical.image["docker-manifest-digest"] = other;
      }),
    ],
    [
      "without a digest",
      signed((document) => {
        delete document.critical.image;
      }),
    ],
    ["that is no JSON", Buffer.from("critical")],
  ])("%s does not count, however well signed", async (_, payload) => {
    expect(await verify(tagPlace(payload))).toMatchObject({ code: "subject_mismatch" });
  });

  test.each([
    ["missing", ""],
    ["no base64", "!!"],
    ["of something else", key.sign(Buffer.from("x")).toString("base64")],
  ])("whose signature is %s does not count", async (_, signature) => {
    const place = tagPlace(simpleSigningPayload(subject, ""), signature);
    expect(await verify(place)).toMatchObject({ code: "no_trusted_signature" });
  });
});

describe("a referrer", () => {
  test("may hold a document as on cosign's tag", async () => {
    const payload = simpleSigningPayload(subject, "");
    const place = memoryPlace();
    const annotations = { [simpleSignatureAnnotation]: key.sign(payload).toString("base64") };
    const layer = { ...place.putBlob(payload, simpleSigningType), annotations };
    const artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
    place.refer({ ...referrer(subject, layer), artifactType }, { artifactType });
    expect(await verify(place)).toMatchObject({ kind: "verified" });
  });

  test("that Notation made is told, and does not count", async () => {
    const place = memoryPlace();
    const artifactType = "application/vnd.cncf.notary.signature";
    const layer = place.putBlob("{}", "application/jose+json");
    place.refer({ ...referrer(subject, layer), artifactType }, { artifactType });
    const found = await verify(place);
    expect(found).toMatchObject({ kind: "failed", code: "no_trusted_signature" });
    expect(JSON.stringify(found)).toContain("by Notation, which is not verified here");
  });
});

describe("a signature on one of an artifact's manifests", () => {
  test("covers what that manifest leads to", async () => {
    const artifact = artifactOf([other, subject]);
    const found = await verifyArtifact(artifact, [keySigner()], [cosignPlace("bundle")]);
    expect(found).toMatchObject({ kind: "verified", proofs: [{ subject }] });
  });
});
