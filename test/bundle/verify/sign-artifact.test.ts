import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseReference } from "../../../src/bundle/reference.ts";
import type { ArtifactReference } from "../../../src/bundle/reference.ts";
import { openSink, openSource } from "../../../src/bundle/sources/open-source.ts";
import { signArtifact } from "../../../src/bundle/verify/sign-artifact.ts";
import type { SignatureFormat } from "../../../src/bundle/verify/sign-artifact.ts";
import { openSigningKey } from "../../../src/bundle/verify/signing-key.ts";
import { openPublicKey } from "../../../src/bundle/verify/public-key.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import { registryOptions, registryWithBundle, thrownCode } from "../../support/bundle-setting.ts";
import { reply, sha256 } from "../../support/fake-registry.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { pushBundle } from "../../../src/bundle/push-bundle.ts";
import { tinyArchive } from "../../support/tiny-bundle.ts";
import { artifactOf, cosign, keySigner, ownKey } from "./support.ts";
import type { OwnKey } from "./support.ts";

function artifactAt(text: string): ArtifactReference {
  const reference = parseReference(text);
  if (reference.scheme === "oci" || reference.scheme === "oci-layout") return reference;
  throw new Error("expected an artifact");
}

async function sign(text: string, key: OwnKey, format: SignatureFormat) {
  const reference = artifactAt(text);
  const source = await openSource(reference, registryOptions());
  const sink = await openSink(reference, registryOptions());
  try {
    const digest = await source.resolve(reference);
    const subject = await source.readManifest(digest);
    const place = { source, sink, repository: "r.example/crm" };
    return { subject: digest, digest: await signArtifact(place, subject, key, format) };
  } finally {
    await source.close();
    await sink.close();
  }
}

async function verify(text: string, key: OwnKey) {
  const reference = artifactAt(text);
  const source = await openSource(reference, registryOptions());
  try {
    const subject = await source.resolve(reference);
    const artifact = artifactOf([subject]);
    return await verifyArtifact(artifact, [keySigner(key.publicPem)], [source]);
  } finally {
    await source.close();
  }
}

async function layoutWithBundle(): Promise<string> {
  const reference = `oci-layout:${join(temporaryFolder(), "layout")}:crm`;
  await pushBundle(tinyArchive(), parseReference(reference), { registry: registryOptions() });
  return reference;
}

describe.each<SignatureFormat>(["bundle", "cosign-tag"])("a signature as %s", (format) => {
  test.each(["ed25519", "ec"] as const)("with an %s key verifies in a registry", async (type) => {
    const { reference } = await registryWithBundle();
    const key = ownKey(type);
    expect(await verify(reference, key)).toMatchObject({ code: "unsigned" });
    await sign(reference, key, format);
    expect(await verify(reference, key)).toMatchObject({ kind: "verified" });
    expect(await verify(reference, ownKey())).toMatchObject({ code: "no_trusted_signature" });
  });

  test("verifies in a layout, beside what it is for", async () => {
    const reference = await layoutWithBundle();
    const key = ownKey();
    await sign(reference, key, format);
    expect(await verify(reference, key)).toMatchObject({ kind: "verified" });
  });

  test("leaves those of others where they are", async () => {
    const { reference } = await registryWithBundle();
    const keys = [ownKey(), ownKey(), ownKey("ec")];
    for (const key of keys) await sign(reference, key, format);
    for (const key of keys)
      expect(await verify(reference, key)).toMatchObject({ kind: "verified" });
  });

  test("is the same each time with a key whose signatures are", async () => {
    const { reference } = await registryWithBundle();
    const key = ownKey("ed25519");
    const first = await sign(reference, key, format);
    expect(await sign(reference, key, format)).toEqual(first);
  });
});

describe("a sigstore bundle", () => {
  test("is listed under the tag where the registry has no API, and not where it has one", async () => {
    const { reference, manifests, misbehave, digest } = await registryWithBundle();
    const tag = digest.replace(":", "-");
    const key = ownKey();
    await sign(reference, key, "bundle");
    const index = JSON.parse(String(manifests.get(tag)?.bytes));
    expect(index.manifests).toMatchObject([
      { artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json" },
    ]);
    manifests.delete(tag);
    misbehave(({ method, path }, response) => {
      const isAttached = method === "PUT" && path.includes("/manifests/sha256:");
      return isAttached && reply(response, 201, { "oci-subject": digest });
    });
    await sign(reference, key, "bundle");
    expect(manifests.has(tag)).toBe(false);
  });

  test("does not make a layout without tags ambiguous", async () => {
    const reference = await layoutWithBundle();
    await sign(reference, ownKey(), "bundle");
    const source = await openSource(artifactAt(reference.replace(/:crm$/, "")), registryOptions());
    expect(await source.resolve({ tag: undefined, digest: undefined })).toMatch(/^sha256:/);
  });

  test("is an artifact as cosign 3 writes it", async () => {
    const reference = await layoutWithBundle();
    const { digest, subject } = await sign(reference, ownKey(), "bundle");
    const path = reference.slice("oci-layout:".length, -":crm".length);
    const bytes = await readFile(join(path, "blobs", "sha256", digest.slice(7)));
    expect(sha256(bytes)).toBe(digest);
    expect(JSON.parse(String(bytes))).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      config: {
        mediaType: "application/vnd.oci.empty.v1+json",
        digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        size: 2,
      },
      layers: [
        {
          mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
          digest: expect.stringMatching(/^sha256:/),
          size: expect.any(Number),
        },
      ],
      subject: {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: subject,
        size: expect.any(Number),
      },
      annotations: {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
      },
    });
  });
});

function pems(pair: ReturnType<typeof generateKeyPairSync>) {
  return {
    privatePem: String(pair.privateKey.export({ type: "pkcs8", format: "pem" })),
    publicPem: String(pair.publicKey.export({ type: "spki", format: "pem" })),
  };
}

describe("a key", () => {
  const shortRsa = pems(generateKeyPairSync("rsa", { modulusLength: 1024 }));
  const koblitz = pems(generateKeyPairSync("ec", { namedCurve: "secp256k1" }));
  const ed448 = pems(generateKeyPairSync("ed448"));

  test.each([
    ["a short RSA key", shortRsa],
    ["one on a curve of coins", koblitz],
    ["an Ed448 key", ed448],
  ])("that is %s is not taken, to sign or to verify", (_, { privatePem, publicPem }) => {
    expect(thrownCode(() => openSigningKey(privatePem, undefined, "--key"))).toBe(
      "bundle_trust_invalid",
    );
    expect(thrownCode(() => openPublicKey(publicPem, "trust.x"))).toBe("bundle_trust_invalid");
  });

  test("that is private is not taken where a public one belongs, and is in no message", () => {
    const { pem } = ownKey();
    const open = (): unknown => openPublicKey(pem, "trust.x");
    expect(open).toThrow("a private key; the signer keeps it");
    expect(open).not.toThrow(pem.split("\n")[1]);
  });

  test("may be encrypted, and needs its password", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const encryption = { cipher: "aes-256-cbc", passphrase: "secret" };
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem", ...encryption }));
    expect(openSigningKey(pem, "secret", "--key").sign(Buffer.from("x"))).toHaveLength(64);
    for (const password of [undefined, "wrong"]) {
      expect(thrownCode(() => openSigningKey(pem, password, "--key"))).toBe("bundle_trust_invalid");
    }
  });

  test("may be one that cosign made, and needs its password", () => {
    const key = openSigningKey(cosign.private_key, "secret", "--key");
    const pem = String(key.publicKey.export({ type: "spki", format: "pem" }));
    expect(pem.trim()).toBe(cosign.public_key.trim());
    for (const [file, password] of [
      [cosign.private_key, undefined],
      [cosign.private_key, "Secret"],
      [cosign.private_key.replace("\n", "\nAAAA"), "secret"],
    ] as const) {
      expect(thrownCode(() => openSigningKey(file, password, "--key"))).toBe(
        "bundle_trust_invalid",
      );
    }
  });

  test.each(["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])(
    "that is %j is none",
    (pem) => {
      expect(thrownCode(() => openSigningKey(pem, undefined, "--key"))).toBe(
        "bundle_trust_invalid",
      );
      expect(thrownCode(() => openPublicKey(pem, "trust.x"))).toBe("bundle_trust_invalid");
    },
  );
});
