/**
 * What was revoked is content: packed or wrapped anew it is the same.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openArchive, packBundle } from "../../../src/bundle/archive.ts";
import type { PrepareOptions } from "../../../src/bundle/life/prepare-candidate.ts";
import { prepareCandidate } from "../../../src/bundle/life/prepare-candidate.ts";
import { contentDigest } from "../../../src/bundle/unpack/opened-archive.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";

const files = new Map([["policy.rego", Buffer.from("package mcp.crm\n")]]);
const options: PrepareOptions = {
  wanted: { name: "crm", kind: "server" },
  reference: "https://policies.example/crm.tar.gz",
  require: "none",
  signers: [],
  isPinned: false,
  cached: undefined,
  keepProof: async () => {},
  compile: undefined,
  test: undefined,
};

test("content that was revoked is refused under another digest", async () => {
  const first = Buffer.from(packBundle(files));
  const again = gzipSync(gunzipSync(first), { level: 1 });
  expect(sha256Of(again)).not.toBe(sha256Of(first));
  const content = contentDigest(openArchive(first));
  const past = { highest: undefined, isTested: true, revoked: new Set([content]) };
  const fetched = {
    version: { id: "2" },
    digest: sha256Of(again),
    archive: again,
    origin: "service" as const,
    signed: undefined,
    keep: async () => {},
    close: async () => {},
  };
  const named = { ...options, source: "crm~shadow" };
  await expect(prepareCandidate(fetched, past, named)).rejects.toMatchObject({
    code: "bundle_revoked",
    message: expect.stringMatching(/: mcp-gateway bundle history crm~shadow$/),
  });
  const others = { ...past, revoked: new Set([sha256Of("other")]) };
  await expect(prepareCandidate(fetched, others, options)).rejects.toMatchObject({
    code: "bundle_without_policy",
  });
});
