/**
 * Messages are recorded and kept, so that what the other side wrote is in them in small pieces only.
 */
import { describe, expect, test } from "vitest";
import { BundleError } from "../../src/bundle/bundle-error.ts";
import { maxManifestBytes, parseOciDocument } from "../../src/bundle/oci-document.ts";
import { messageOf } from "../../src/errors.ts";

const long = "x".repeat(maxManifestBytes / 4);

function messageAbout(document: object, mediaType?: string): string {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
  try {
    parseOciDocument({ bytes, mediaType }, "r.example");
    return "";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

describe("of text that a registry wrote", () => {
  test.each([
    ["a media type in the document", { mediaType: long }, undefined],
    ["a media type in the header", { layers: [] }, long],
    ["two media types", { mediaType: `${long}y` }, long],
    ["the name of an annotation", { layers: [], annotations: { [long]: 1 } }, undefined],
  ])("%s is cut in a message", (_, document, mediaType) => {
    const message = messageAbout(document, mediaType);
    expect(message).toContain("x".repeat(100));
    expect(message).not.toContain("x".repeat(129));
    expect(message.length).toBeLessThan(512);
  });
});

test("no message of a bundle is longer than 4096 characters, whatever is in it", () => {
  const { message } = new BundleError("bundle_manifest_invalid", `found ${long}`);
  expect(message).toHaveLength(4096);
  const half = new BundleError("bundle_not_found", `${"x".repeat(4095)}\u{1f600}`);
  expect(half.message.isWellFormed()).toBe(true);
});
