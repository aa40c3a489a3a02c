import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeKeyless } from "../../../src/bundle/verify/keyless.ts";
import { mediaTypes } from "../../../src/bundle/oci-document.ts";
import { readTrustRoot } from "../../../src/bundle/verify/trust-root.ts";
import type { KeylessSigner } from "../../../src/bundle/verify/trust.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import type { SignerConfig } from "../../../src/config/config.ts";
import type { Digest } from "../../../src/contract/bundle.ts";
import { thrownCode } from "../../support/bundle-setting.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import {
  artifactOf,
  keyless,
  keySigner,
  memoryPlace,
  openOne,
  publicGood,
  referrer,
} from "./support.ts";
import type { Loose } from "./support.ts";

const { subject, identity, issuer, bundles } = keyless;
const root = readTrustRoot(JSON.stringify(keyless.trusted_root), "test root");

function signer(change: Partial<Extract<SignerConfig, { type: "sigstore" }>> = {}): KeylessSigner {
  const config = { identity, identityRegex: undefined, issuer, trustedRoot: undefined, ...change };
  const opened = openOne({ type: "sigstore", name: "ci", ...config });
  if (opened.type !== "sigstore") throw new Error("expected an identity");
  return { ...opened, root };
}

async function judge(bundle: unknown, by = signer(), digest: Digest = subject) {
  return await judgeKeyless(bundle, digest, by);
}

/** The good bundle with one change. */
function changed(change: (bundle: Loose) => void): unknown {
  const bundle = structuredClone(bundles["good"]);
  change(bundle);
  return bundle;
}

describe("a signature without a key", () => {
  test("verifies offline, and says who signed", async () => {
    expect(await judge(bundles["good"])).toEqual({
      ok: true,
      signer: { type: "sigstore", name: "ci", identity, issuer },
    });
  });

  test("verifies with the time of an authority, and not without an entry in a log", async () => {
    expect(await judge(bundles["timestamped"])).toMatchObject({ ok: true });
    expect(await judge(bundles["not_in_log"])).toEqual({
      ok: false,
      code: "no_trusted_signature",
      reason: "expected 1 tlog entries, got 0",
    });
  });

  test("is found as a referrer", async () => {
    const place = memoryPlace();
    const layer = place.putBlob(JSON.stringify(bundles["good"]), mediaTypes.sigstoreBundle);
    place.refer(referrer(subject, layer));
    const artifact = artifactOf([subject]);
    expect(await verifyArtifact(artifact, [keySigner(), signer()], [place])).toMatchObject({
      kind: "verified",
      signers: [{ type: "sigstore", identity }],
    });
  });

  test.each<[string, string, string]>([
    ["whose certificate had expired when it was used", "expired", "expired"],
    ["by an authority that is not in the trust root", "other_authority", "untrusted_root"],
    ["whose certificate is in no certificate log", "not_in_certificate_log", "untrusted_root"],
    ["in a transparency log that is not in the trust root", "other_log", "no_trusted_signature"],
    ["for another manifest", "other_subject", "subject_mismatch"],
    ["for another purpose", "other_predicate", "subject_mismatch"],
    ["around something that is no statement", "other_payload_type", "subject_mismatch"],
  ])("%s does not count", async (_, name, code) => {
    expect(bundles[name]).toBeDefined();
    expect(await judge(bundles[name])).toMatchObject({ ok: false, code });
  });

  test.each<[string, (bundle: Loose) => void]>([
    [
      "in no transparency log",
      (bundle) => {
        bundle.verificationMaterial.tlogEntries = [];
      },
    ],
    [
      "with a changed payload",
      (bundle) => {
        const text = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();
        bundle.dsseEnvelope.payload = Buffer.from(text.replace("a1", "a2")).toString("base64");
      },
    ],
    [
      "with another time of logging",
      (bundle) => {
        const [entry] = bundle.verificationMaterial.tlogEntries;
        entry.integratedTime = String(Number(entry.integratedTime) + 60);
      },
    ],
    [
      "with an inclusion proof for another tree",
      (bundle) => {
        const proof = bundle.verificationMaterial.tlogEntries[0].inclusionProof;
        proof.hashes = [Buffer.alloc(32).toString("base64")];
      },
    ],
    [
      "with a key hint in place of its certificate",
      (bundle) => {
        bundle.verificationMaterial = {
          publicKey: { hint: "x" },
          tlogEntries: bundle.verificationMaterial.tlogEntries,
        };
      },
    ],
    [
      "that is no bundle",
      (bundle) => {
        delete bundle.dsseEnvelope;
      },
    ],
  ])("%s does not count", async (_, change) => {
    expect(await judge(changed(change))).toMatchObject({ ok: false, code: "no_trusted_signature" });
  });

  test.each([null, 1, "x", [], {}])("that is %j does not count", async (bundle) => {
    expect(await judge(bundle)).toMatchObject({ ok: false, code: "no_trusted_signature" });
  });
});

describe("an identity is compared whole:", () => {
  test.each([
    ["a beginning of it", identity.slice(0, -2)],
    ["an end of it", identity.slice(8)],
    ["a pattern that fits it", identity.replaceAll("a", ".")],
    ["another case", identity.toUpperCase()],
    ["a longer one", `${identity}x`],
    ["a pattern for anything", ".*"],
  ])("%s is another", async (_, wanted) => {
    expect(await judge(bundles["good"], signer({ identity: wanted }))).toMatchObject({
      ok: false,
      code: "identity_mismatch",
    });
  });

  test("the issuer too", async () => {
    for (const wanted of [issuer.slice(0, -1), `${issuer}/`, ".*", ""]) {
      expect(await judge(bundles["good"], signer({ issuer: wanted }))).toMatchObject({
        ok: false,
        code: "identity_mismatch",
      });
    }
  });

  test("a pattern that is none is an error of the configuration", async () => {
    const by = signer({ identity: undefined, identityRegex: "(" });
    await expect(judge(bundles["good"], by)).rejects.toMatchObject({
      code: "bundle_trust_invalid",
      message: expect.stringContaining('signer "ci": expected identity_regex'),
    });
  });

  test("a pattern has to match all of it", async () => {
    const by = (identityRegex: string) => signer({ identity: undefined, identityRegex });
    const good = String.raw`https://git\.example/acme/policies/.*@refs/heads/main`;
    expect(await judge(bundles["good"], by(good))).toMatchObject({ ok: true });
    for (const pattern of ["acme", "https://git[.]example/acme", "policies/.*", "a|b", ""]) {
      expect(await judge(bundles["good"], by(pattern))).toMatchObject({
        code: "identity_mismatch",
      });
    }
  });
});

describe("the public instance of sigstore", () => {
  const imageDigest: Digest =
    "sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4";
  const config = {
    type: "sigstore",
    name: "public",
    identityRegex: undefined,
    issuer: "https://github.com/login/oauth",
    trustedRoot: undefined,
  } as const;

  async function judgePublic(identity: string) {
    const by = openOne({ ...config, identity });
    if (by.type !== "sigstore") throw new Error("expected an identity");
    return await judgeKeyless(publicGood, imageDigest, by);
  }

  test("is believed without a network: only the purpose of this attestation is another", async () => {
    expect(await judgePublic("cody@soyland.com")).toEqual({
      ok: false,
      code: "subject_mismatch",
      reason: "its statement is of another version",
    });
    expect(await judgePublic("mallory@soyland.com")).toMatchObject({ code: "identity_mismatch" });
  });

  test("is not believed with the trust root of another", async () => {
    const by = signer({ identity: "cody@soyland.com", issuer: config.issuer });
    expect(await judgeKeyless(publicGood, imageDigest, by)).toMatchObject({
      code: "untrusted_root",
    });
  });
});

describe("a trust root", () => {
  test("from a file is used", async () => {
    const path = join(temporaryFolder(), "trusted_root.json");
    await writeFile(path, JSON.stringify(keyless.trusted_root), { mode: 0o600 });
    const by = openOne({
      type: "sigstore",
      name: "ci",
      identity,
      identityRegex: undefined,
      issuer,
      trustedRoot: path,
    });
    if (by.type !== "sigstore") throw new Error("expected an identity");
    expect(await judge(bundles["good"], by)).toMatchObject({ ok: true });
  });

  test.each([
    "",
    "{}",
    "[]",
    '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}',
  ])("that is %j is refused", (text) => {
    expect(thrownCode(() => readTrustRoot(text, "trust.ci"))).toBe("bundle_trust_invalid");
  });

  test("with a broken key is refused when it is used", async () => {
    const broken = JSON.parse(JSON.stringify(keyless.trusted_root));
    broken.tlogs[0].publicKey.rawBytes = "AAAA";
    await expect(readTrustRoot(JSON.stringify(broken), "trust.ci")()).rejects.toMatchObject({
      code: "bundle_trust_invalid",
    });
  });
});
