/**
 * Unions whose members are told apart by one key: what is wrong with that key is said with the
 * values that there are.
 */
import { describe, expect, test } from "vitest";
import { minimal, problemsOf, server } from "./support.ts";

const types = 'one of "cosign-key", "sigstore", "opa"';

describe("a signer of no known type", () => {
  test.each([
    ["cosign", `found "cosign"; did you mean "cosign-key"?`],
    ["sigstor", `found "sigstor"; did you mean "sigstore"?`],
    ["notation", `found "notation"`],
    [7, "found 7"],
    [null, "found null"],
  ])("%j is told which ones there are", (type, found) => {
    const trust = { release: { type, key: "release.pub" } };
    expect(problemsOf({ ...minimal, trust })).toEqual([
      `trust.release.type: expected ${types}, ${found}`,
    ]);
  });

  test("says so where it is written in place, too", () => {
    const policy = { bundle: "oci://r.example/crm:1", signers: [{ type: "cosign", key: "k" }] };
    expect(problemsOf({ ...minimal, servers: { crm: { ...server, policy } } })).toEqual([
      `servers.crm.policy.signers.0.type: expected ${types}, found "cosign"; did you mean "cosign-key"?`,
    ]);
  });

  test("is asked for its type where it has none", () => {
    expect(problemsOf({ ...minimal, trust: { release: { key: "release.pub" } } })).toEqual([
      `missing key "type" in trust.release; expected ${types}`,
    ]);
  });
});

test("a word that is nearly one of a list is told which", () => {
  const entry = { ...server, protocol: "modren" };
  expect(problemsOf({ ...minimal, servers: { crm: entry } })).toEqual([
    'servers.crm.protocol: expected one of "auto", "legacy", "modern", found "modren"; did you mean "modern"?',
  ]);
});

test("another algorithm is no slip of the pen", () => {
  const signer = { type: "opa", keyid: "k", key: "s", algorithm: "HS265" };
  const [problem = "", ...others] = problemsOf({ ...minimal, trust: { signer } });
  expect(problem).toMatch(/^trust\.signer\.algorithm: expected one of .*, found "HS265"$/);
  expect(others).toEqual([]);
});
