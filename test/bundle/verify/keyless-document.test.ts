import { describe, expect, test } from "vitest";
import { simpleSigningType } from "../../../src/bundle/verify/simple-signing.ts";
import { readTrustRoot } from "../../../src/bundle/verify/trust-root.ts";
import type { KeylessSigner } from "../../../src/bundle/verify/trust.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import type { SignerConfig } from "../../../src/config/config.ts";
import { artifactOf, keyless, memoryPlace, openOne } from "./support.ts";
import type { Loose } from "./support.ts";

const { subject, identity, issuer } = keyless;
const root = readTrustRoot(JSON.stringify(keyless.trusted_root), "test root");

function signer(change: Partial<Extract<SignerConfig, { type: "sigstore" }>> = {}): KeylessSigner {
  const config = { identity, identityRegex: undefined, issuer, trustedRoot: undefined, ...change };
  const opened = openOne({ type: "sigstore", name: "ci", ...config });
  if (opened.type !== "sigstore") throw new Error("expected an identity");
  return { ...opened, root };
}

describe("a document that was signed without a key", () => {
  /** cosign's tag with one document. */
  async function verifyDocument(name: string, change: (annotations: Loose) => void, by = signer()) {
    const { payload = "", annotations = {} } = keyless.documents[name] ?? {};
    const place = memoryPlace();
    const noted = { ...annotations };
    change(noted);
    const layer = { ...place.putBlob(payload, simpleSigningType), annotations: noted };
    const digest = place.refer({ schemaVersion: 2, layers: [layer] });
    place.listed.length = 0;
    place.tags.set(`${subject.replace(":", "-")}.sig`, digest);
    return await verifyArtifact(artifactOf([subject]), [by], [place]);
  }

  const asItIs = (): void => {};

  test("verifies offline, and says who signed", async () => {
    expect(await verifyDocument("good", asItIs)).toMatchObject({
      kind: "verified",
      signers: [{ type: "sigstore", identity, issuer }],
    });
  });

  test("by somebody else does not count", async () => {
    const by = signer({ identity: "https://git.example/acme" });
    expect(await verifyDocument("good", asItIs, by)).toMatchObject({ code: "identity_mismatch" });
  });

  test.each([
    ["expired", "expired"],
    ["other_subject", "subject_mismatch"],
  ])("and is %s does not count", async (name, code) => {
    expect(await verifyDocument(name, asItIs)).toMatchObject({ kind: "failed", code });
  });

  test.each<[string, (annotations: Loose) => void]>([
    [
      "without its entry in a log",
      (annotations) => {
        delete annotations["dev.sigstore.cosign/bundle"];
      },
    ],
    [
      "without its certificate",
      (annotations) => {
        annotations["dev.sigstore.cosign/certificate"] = "none";
      },
    ],
    [
      "with the signature of another document",
      (annotations) => {
        const other = keyless.documents["other_subject"]?.annotations ?? {};
        annotations["dev.cosignproject.cosign/signature"] =
          other["dev.cosignproject.cosign/signature"];
      },
    ],
    [
      "with the entry of another document",
      (annotations) => {
        const other = keyless.documents["other_subject"]?.annotations ?? {};
        annotations["dev.sigstore.cosign/bundle"] = other["dev.sigstore.cosign/bundle"];
      },
    ],
    [
      "with another time in its entry",
      (annotations) => {
        const entry = JSON.parse(annotations["dev.sigstore.cosign/bundle"]);
        entry.Payload.integratedTime += 1;
        annotations["dev.sigstore.cosign/bundle"] = JSON.stringify(entry);
      },
    ],
  ])("%s does not count", async (_, change) => {
    expect(await verifyDocument("good", change)).toMatchObject({
      kind: "failed",
      code: "no_trusted_signature",
    });
  });
});
