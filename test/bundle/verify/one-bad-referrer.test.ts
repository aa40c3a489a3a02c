import { describe, expect, test } from "vitest";
import { BundleError } from "../../../src/bundle/bundle-error.ts";
import { mediaTypes } from "../../../src/bundle/oci-document.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import type { Digest } from "../../../src/contract/bundle.ts";
import {
  artifactOf,
  cosign,
  cosignPlace,
  keySigner,
  memoryPlace,
  openOne,
  ownKey,
  referrer,
} from "./support.ts";
import type { MemoryPlace } from "./support.ts";

const subject = cosign.subject;
const other: Digest = `sha256:${"c3".repeat(32)}`;
const artifact = artifactOf([subject]);

/** cosign's good signature with something before it. */
function behind(spoil: (place: MemoryPlace) => void): MemoryPlace {
  const good = cosignPlace("bundle");
  const [entry] = good.listed.splice(0);
  spoil(good);
  if (entry !== undefined) good.listed.push(entry);
  return good;
}

const spoiled: readonly (readonly [string, (place: MemoryPlace) => void])[] = [
  [
    "that is not there",
    (place) => {
      place.listed.push({ mediaType: mediaTypes.manifest, digest: other, size: 2 });
    },
  ],
  [
    "that is no JSON",
    (place) => {
      const bytes = Buffer.from("{");
      place.manifests.set(other, bytes);
      place.listed.push({ mediaType: mediaTypes.manifest, digest: other, size: 1 });
    },
  ],
  [
    "whose layer is not there",
    (place) => {
      const layer = { mediaType: mediaTypes.sigstoreBundle, digest: other, size: 9 };
      place.refer(referrer(subject, layer));
    },
  ],
  [
    "whose layer is too large",
    (place) => {
      const layer = { mediaType: mediaTypes.sigstoreBundle, digest: other, size: 2 ** 21 };
      place.refer(referrer(subject, layer));
    },
  ],
  [
    "whose bundle is garbage",
    (place) => {
      place.refer(referrer(subject, place.putBlob("\xff", mediaTypes.sigstoreBundle)));
    },
  ],
  [
    "whose bundle is an empty object",
    (place) => {
      place.refer(referrer(subject, place.putBlob("{}", mediaTypes.sigstoreBundle)));
    },
  ],
  [
    "that is an index",
    (place) => {
      place.refer({ schemaVersion: 2, manifests: [] });
    },
  ],
  [
    "of another type",
    (place) => {
      const sbom = place.putBlob("{}", "application/spdx+json");
      place.refer(referrer(subject, sbom), { artifactType: "application/spdx+json" });
    },
  ],
];

describe("one bad referrer", () => {
  test.each(spoiled)("%s hides no good one", async (_, spoil) => {
    const found = await verifyArtifact(artifact, [keySigner()], [behind(spoil)]);
    expect(found).toMatchObject({ kind: "verified" });
  });

  test("beside cosign's tag hides it neither", async () => {
    const place = cosignPlace("tag");
    place.listed.push({ mediaType: mediaTypes.manifest, digest: other, size: 2 });
    expect(await verifyArtifact(artifact, [keySigner()], [place])).toMatchObject({
      kind: "verified",
    });
  });
});

describe("content on which judging breaks", () => {
  const breaking = (): never => {
    throw new RangeError("Maximum call stack size exceeded");
  };

  test("is refused, and hides no signer behind it", async () => {
    const broken = Object.defineProperty({ ...keySigner() }, "key", { get: breaking });
    expect(await verifyArtifact(artifact, [broken], [cosignPlace("bundle")])).toMatchObject({
      kind: "failed",
      code: "no_trusted_signature",
      tried: [{ reason: "it cannot be judged (RangeError)" }],
    });
    const signers = [broken, keySigner()];
    expect(await verifyArtifact(artifact, signers, [cosignPlace("bundle")])).toMatchObject({
      kind: "verified",
    });
  });

  test("is refused likewise in the bundle itself", async () => {
    const signer = openOne({
      type: "opa",
      name: "builder",
      keyid: "k1",
      key: ownKey("ec").publicPem,
      algorithm: "ES256",
      scope: undefined,
    });
    const files = new Map([[".signatures.json", Buffer.from('{"signatures":["a.b.c"]}')]]);
    const broken = Object.defineProperty({ ...signer }, "algorithm", { get: breaking });
    if (broken.type !== "opa") throw new Error("expected a signer as OPA signs");
    expect(await verifyArtifact(artifactOf([], files, [broken]), [broken], [])).toMatchObject({
      kind: "failed",
      tried: [{ reason: "it cannot be judged (RangeError)" }],
    });
  });
});

describe("a list of referrers", () => {
  test("names nothing by itself: a manifest that refers to another one is passed over", async () => {
    const place = memoryPlace();
    for (const [digest, text] of Object.entries(cosign.blobs))
      place.blobs.set(digest, Buffer.from(text));
    place.refer({
      ...JSON.parse(cosign.referrer),
      subject: { mediaType: mediaTypes.manifest, digest: other, size: 2 },
    });
    const found = await verifyArtifact(artifact, [keySigner()], [place]);
    expect(found).toEqual({ kind: "failed", code: "unsigned", tried: [] });
  });

  test.each(["", mediaTypes.empty, undefined])(
    "may have the wrong artifact type %j, as older tools write it",
    async (artifactType) => {
      const place = cosignPlace("bundle");
      const [entry] = place.listed.splice(0);
      if (entry !== undefined) place.listed.push({ ...entry, artifactType });
      expect(await verifyArtifact(artifact, [keySigner()], [place])).toMatchObject({
        kind: "verified",
      });
    },
  );

  test("is read up to 32 entries, signatures before what says no type", async () => {
    const place = cosignPlace("bundle");
    const asked: string[] = [];
    const [entry] = place.listed.splice(0);
    for (let index = 0; index < 100; index += 1) {
      place.refer(referrer(subject, place.putBlob(`{"n":${index}}`, mediaTypes.sigstoreBundle)));
    }
    const counted = {
      ...place,
      readManifest: async (digest: Digest) => {
        asked.push(digest);
        return await place.readManifest(digest);
      },
    };
    expect(await verifyArtifact(artifact, [keySigner()], [counted])).toMatchObject({
      kind: "failed",
    });
    expect(asked).toHaveLength(32);
    const artifactType = mediaTypes.sigstoreBundle;
    if (entry !== undefined) place.listed.push({ ...entry, artifactType });
    expect(await verifyArtifact(artifact, [keySigner()], [counted])).toMatchObject({
      kind: "verified",
    });
  });
});

describe("a place that is away", () => {
  const away: MemoryPlace = {
    ...memoryPlace(),
    referrers: async () => {
      throw new BundleError("bundle_unreachable", "r.example: expected an answer, got none");
    },
  };

  test("is no proof that nothing is signed", async () => {
    const verifying = verifyArtifact(artifact, [keySigner()], [away]);
    await expect(verifying).rejects.toMatchObject({ code: "bundle_unreachable" });
  });

  test("is not missed where another has a good signature", async () => {
    const places = [away, cosignPlace("bundle")];
    expect(await verifyArtifact(artifact, [keySigner()], places)).toMatchObject({
      kind: "verified",
    });
  });

  test("is not asked where a place before it has a good signature", async () => {
    const places = [cosignPlace("bundle"), away];
    expect(await verifyArtifact(artifact, [keySigner()], places)).toMatchObject({
      kind: "verified",
    });
  });
});
