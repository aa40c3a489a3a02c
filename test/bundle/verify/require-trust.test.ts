import { describe, expect, test } from "vitest";
import { bindingProblem, requireTrust } from "../../../src/bundle/verify/require-trust.ts";
import type { TrustQuestion } from "../../../src/bundle/verify/require-trust.ts";
import { tinyFiles } from "../../support/tiny-bundle.ts";
import { artifactOf, cosign, cosignPlace, keySigner, memoryPlace, ownKey } from "./support.ts";

function question(change: Partial<TrustQuestion> = {}): TrustQuestion {
  return {
    name: "crm",
    where: 'bundle "crm" from oci://r.example/crm:1',
    require: "signature",
    signers: [keySigner()],
    isPinned: false,
    artifact: artifactOf([cosign.subject], tinyFiles({ name: "crm" })),
    places: [cosignPlace("bundle")],
    ...change,
  };
}

describe("a source that requires a signature", () => {
  test("gets who signed, and what proves it", async () => {
    expect(await requireTrust(question())).toMatchObject({
      by: "signature",
      signers: [{ type: "cosign-key", name: "release" }],
      proofs: [{ subject: cosign.subject }],
    });
  });

  test("takes no bundle without one, also not a pinned one, and says what was tried", async () => {
    const signers = [keySigner(ownKey().publicPem, "other")];
    await expect(requireTrust(question({ signers, isPinned: true }))).rejects.toMatchObject({
      code: "bundle_unverified",
      message: expect.stringMatching(
        /expected a signature by other, found referrer sha256:[0-9a-f]{64} as other: the signature is not by this key \(no_trusted_signature\)$/,
      ),
    });
    await expect(requireTrust(question({ places: [memoryPlace()] }))).rejects.toMatchObject({
      code: "bundle_unverified",
      message: expect.stringContaining("found none (unsigned)"),
    });
  });

  test("takes no bundle of another server, however well signed", async () => {
    const files = tinyFiles({ name: "mail" });
    const artifact = artifactOf([cosign.subject], files);
    await expect(requireTrust(question({ artifact }))).rejects.toMatchObject({
      code: "bundle_name_mismatch",
    });
  });

  test("takes no signed bundle that is anybody's", async () => {
    const artifact = artifactOf([cosign.subject], tinyFiles({}));
    await expect(requireTrust(question({ artifact }))).rejects.toMatchObject({
      code: "bundle_name_mismatch",
      message: expect.stringContaining("found none"),
    });
  });
});

describe("a source that requires a digest", () => {
  test("takes what is pinned, and asks nobody", async () => {
    const wanted = question({ require: "digest", isPinned: true, places: [] });
    expect(await requireTrust(wanted)).toEqual({ by: "digest", signers: [], proofs: [] });
  });

  test("does not take a tag", async () => {
    await expect(requireTrust(question({ require: "digest" }))).rejects.toMatchObject({
      code: "bundle_unverified",
      message: expect.stringContaining("expected a pinned digest"),
    });
  });
});

test("a source that requires nothing says so", async () => {
  expect(await requireTrust(question({ require: "none" }))).toMatchObject({ by: "nothing" });
});

describe("the name of a bundle", () => {
  const scoped = { type: "opa", name: "k", keyid: "k", scope: "crm" } as const;

  test("may be the scope of OPA's signature", () => {
    expect(bindingProblem("crm", undefined, [scoped])).toBeUndefined();
    expect(bindingProblem("mail", undefined, [scoped])).toContain("found none");
  });

  test("in the manifest wins over a scope", () => {
    expect(bindingProblem("crm", "mail", [scoped])).toContain('found "mail"');
  });
});
