/**
 * Nothing is opened that nobody vouches for: what is no archive at all is refused for its missing
 * signature, and only where somebody vouches for it is it told that it is none. And a good signature
 * is not enough for what is older than what was there.
 */
import { describe, expect, test } from "vitest";
import { codeOf } from "../../../src/errors.ts";
import { openCache } from "../../../src/bundle/cache.ts";
import type { KnownPast, PrepareOptions } from "../../../src/bundle/life/prepare-candidate.ts";
import { prepareCandidate } from "../../../src/bundle/life/prepare-candidate.ts";
import { describeBytes, mediaTypes } from "../../../src/bundle/oci-document.ts";
import type { FetchedBundle } from "../../../src/bundle/sources/bundle-source.ts";
import type { Signer } from "../../../src/bundle/verify/trust.ts";
import { createTestLog } from "../../support/log.ts";
import { tinyFiles } from "../../support/tiny-bundle.ts";
import { packBundle } from "../../../src/bundle/archive.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { cosign, cosignPlace, keySigner, memoryPlace, openOne, ownKey } from "../verify/support.ts";
import type { MemoryPlace } from "../verify/support.ts";

const noArchive = Buffer.from("no archive of any kind");
const unknownPast: KnownPast = { highest: undefined, isTested: true, revoked: new Set() };

/** An artifact with any layer, under the manifest that cosign signed. */
function fetchedFrom(content: MemoryPlace, archive: Buffer): FetchedBundle {
  const layer = describeBytes(archive, mediaTypes.bundleLayer);
  const documents = [{ digest: cosign.subject, bytes: Buffer.from("{}"), mediaType: undefined }];
  const manifest = { schemaVersion: 2 as const, layers: [layer] };
  const digest = cosign.subject;
  return {
    version: { id: digest },
    digest,
    archive,
    origin: "registry",
    signed: { artifact: { digest, documents, manifest, layer, archive }, content },
    keep: async () => {},
    close: async () => {},
  };
}

async function refusal(
  place: MemoryPlace,
  require: PrepareOptions["require"],
  signers: readonly Signer[],
  past: Partial<KnownPast> = {},
  archive: Buffer = noArchive,
): Promise<string | undefined> {
  const options: PrepareOptions = {
    wanted: { name: "crm", kind: "server" },
    reference: "oci://registry.example/crm:1",
    require,
    signers,
    isPinned: false,
    cached: openCache(temporaryFolder(), createTestLog()).content,
    keepProof: async () => {},
    compile: undefined,
    test: undefined,
  };
  const preparing = prepareCandidate(
    fetchedFrom(place, archive),
    { ...unknownPast, ...past },
    options,
  );
  return await preparing.then(
    () => undefined,
    (thrown: unknown) => codeOf(thrown),
  );
}

const opaSigner = openOne({
  type: "opa",
  name: "builder",
  keyid: "k1",
  key: ownKey("ec").publicPem,
  algorithm: "ES256",
  scope: undefined,
});

describe("an archive", () => {
  test("that nobody signed is not opened", async () => {
    expect(await refusal(memoryPlace(), "signature", [keySigner()])).toBe("bundle_unverified");
  });

  test("that somebody else signed is not opened", async () => {
    const stranger = keySigner(ownKey().publicPem);
    const place = cosignPlace("bundle");
    expect(await refusal(place, "signature", [stranger])).toBe("bundle_unverified");
  });

  test("whose digest nobody wrote down is not opened where that is required", async () => {
    expect(await refusal(memoryPlace(), "digest", [])).toBe("bundle_unverified");
  });

  test("that was revoked is not opened, though its signature is good", async () => {
    const revoked = new Set([cosign.subject]);
    const refused = await refusal(cosignPlace("bundle"), "signature", [keySigner()], { revoked });
    expect(refused).toBe("bundle_revoked");
  });

  test("whose manifest somebody signed is opened", async () => {
    const opened = await refusal(cosignPlace("bundle"), "signature", [keySigner()]);
    expect(opened).toBe("bundle_archive_invalid");
  });

  test("is opened where its own files may hold the signature", async () => {
    const signers = [keySigner(), opaSigner];
    expect(await refusal(memoryPlace(), "signature", signers)).toBe("bundle_archive_invalid");
  });

  test("is opened where nobody has to vouch for it", async () => {
    expect(await refusal(memoryPlace(), "none", [])).toBe("bundle_archive_invalid");
  });
});

describe("a bundle with a good signature", () => {
  const archive = (revision: string): Buffer => {
    const manifest = {
      revision,
      wasm: [{ entrypoint: "mcp/crm/decision", module: "/policy.wasm" }],
      metadata: { name: "crm" },
    };
    return Buffer.from(packBundle(tinyFiles({}, { ".manifest": JSON.stringify(manifest) })));
  };
  const highest = { revision: "1.4.0", sequence: undefined, createdSeconds: undefined };
  const prepare = async (revision: string) =>
    await refusal(
      cosignPlace("bundle"),
      "signature",
      [keySigner()],
      { highest },
      archive(revision),
    );

  test("is refused where it is older than what was active", async () => {
    expect(await prepare("1.3.9")).toBe("bundle_downgrade");
  });

  test("is taken where it is as old, or newer", async () => {
    expect(await prepare("1.4.0")).toBeUndefined();
    expect(await prepare("1.10.0")).toBeUndefined();
  });
});
