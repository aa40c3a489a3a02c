import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatReference,
  parseReference,
  pinReference,
  resolveReference,
} from "../../src/bundle/reference.ts";
import type { Reference } from "../../src/bundle/reference.ts";
import { messageOf } from "../../src/errors.ts";
import { thrownCode } from "../support/bundle-setting.ts";

const hex64 = "a".repeat(64);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}` as const);
const version = fc.record({
  tag: fc.option(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/), { nil: undefined }),
  digest: fc.option(digest, { nil: undefined }),
});
const host = fc.oneof(
  fc.constantFrom("localhost", "127.0.0.1:5000", "[::1]:5000", "ghcr.io", "a-b.example:443"),
  fc.stringMatching(/^[a-z][a-z0-9]{0,10}\.example(:[1-9][0-9]{0,3})?$/),
);
const repository = fc.stringMatching(/^[a-z0-9]{1,8}(\/[a-z0-9]{1,8}(__?[a-z0-9]{1,4})?){0,3}$/);
const registryReference = fc
  .tuple(host, repository, version)
  .filter(([, , { tag, digest }]) => tag !== undefined || digest !== undefined)
  .map(([host, repository, version]) => ({ scheme: "oci", host, repository, ...version }) as const);
const layoutReference = fc
  .tuple(fc.stringMatching(/^\/[a-zA-Z0-9 ._-]{1,12}(\/[a-zA-Z0-9 ._-]{1,12}){0,3}$/), version)
  .map(([path, version]) => ({ scheme: "oci-layout", path, ...version }) as const);

describe("a reference", () => {
  test("that is printed is read back as it was", () => {
    const reference: fc.Arbitrary<Reference> = fc.oneof(registryReference, layoutReference);
    fc.assert(
      fc.property(reference, (given) => {
        expect(parseReference(formatReference(given))).toEqual(given);
      }),
    );
  });

  test("never makes the reader throw anything but its own error", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `oci://${rest}`),
      fc.string().map((rest) => `oci-layout:${rest}`),
      fc.string().map((rest) => `file:${rest}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        expect([undefined, "bundle_reference_invalid"]).toContain(
          thrownCode(() => parseReference(given)),
        );
      }),
    );
  });

  test("names host, port, repository, tag and digest", () => {
    expect(parseReference(`oci://registry.example:5000/acme/crm:1.4@sha256:${hex64}`)).toEqual({
      scheme: "oci",
      host: "registry.example:5000",
      repository: "acme/crm",
      tag: "1.4",
      digest: `sha256:${hex64}`,
    });
  });

  test("without tag and digest means latest, and says so when printed", () => {
    expect(formatReference(parseReference("oci://ghcr.io/acme/crm"))).toBe(
      "oci://ghcr.io/acme/crm:latest",
    );
  });

  test("takes a colon before a slash for a part of the path", () => {
    expect(parseReference("oci-layout:/a:b/c")).toMatchObject({ path: "/a:b/c", tag: undefined });
    expect(parseReference("oci-layout:C:\\bundles:crm")).toMatchObject({
      path: "C:\\bundles",
      tag: "crm",
    });
  });

  test("with a relative path is made absolute against a folder", () => {
    expect(formatReference(resolveReference(parseReference("oci-layout:dist:crm"), "/etc"))).toBe(
      "oci-layout:/etc/dist:crm",
    );
  });

  test("is pinned by appending the digest", () => {
    const reference = parseReference("oci-layout:/dist:crm");
    if (reference.scheme !== "oci-layout") throw new Error("expected a layout");
    expect(formatReference(pinReference(reference, `sha256:${hex64}`))).toBe(
      `oci-layout:/dist:crm@sha256:${hex64}`,
    );
  });

  test.each([
    ["https://bundles.example/crm.tar.gz", { scheme: "https" }],
    ["http://127.0.0.1:8181/bundles/crm", { scheme: "https" }],
    [
      "git+https://git.example/acme/policies.git#release/1.4:servers/crm",
      { scheme: "git", ref: "release/1.4", path: "servers/crm" },
    ],
    [
      "git+file:///srv/policies#HEAD",
      { scheme: "git", url: "file:///srv/policies", ref: "HEAD", path: "" },
    ],
  ])("that is a URL is read and printed again: %s", (text, parts) => {
    const reference = parseReference(text);
    expect(reference).toMatchObject(parts);
    expect(formatReference(reference)).toBe(text);
  });

  test("to a repository without a ref means its HEAD", () => {
    expect(parseReference("git+https://git.example/a")).toMatchObject({ ref: "HEAD", path: "" });
  });

  test.each([
    ["nothing", ""],
    ["another scheme", "ftp://ghcr.io/acme/crm"],
    ["a service in the clear", "http://bundles.example/crm.tar.gz"],
    ["a service with a fragment", "https://bundles.example/crm.tar.gz#x"],
    ["a service without host", "https:///crm.tar.gz"],
    ["git over ssh", "git+ssh://git.example/acme/policies#main"],
    ["git in the clear", "git+http://git.example/acme/policies#main"],
    ["git by a helper", "git+ext::sh -c id#main"],
    ["a repository on another host", "git+file://host/policies#main"],
    ["a ref that reads like an option", "git+https://git.example/a#--upload-pack=id"],
    ["a ref that climbs", "git+https://git.example/a#a/../b"],
    ["a ref that is an expression", "git+https://git.example/a#main~1"],
    ["a folder that climbs", "git+https://git.example/a#main:policies/../../etc"],
    ["a folder at the root", "git+https://git.example/a#main:/etc"],
    ["a folder of git's own", "git+https://git.example/a#main:.git/hooks"],
    ["a repository with a query", "git+https://git.example/a?x=1#main"],
    ["docker's short form", "ghcr.io/acme/crm:v1"],
    ["no repository", "oci://ghcr.io"],
    ["an upper-case repository", "oci://ghcr.io/Acme/crm:v1"],
    ["a path that climbs", "oci://ghcr.io/acme/../crm:v1"],
    ["an empty tag", "oci://ghcr.io/acme/crm:"],
    ["a tag that begins with a dash", "oci://ghcr.io/acme/crm:-v1"],
    ["a tag with a slash", "oci://ghcr.io/acme/crm:a/b"],
    ["a short digest", "oci://ghcr.io/acme/crm@sha256:abc"],
    ["an upper-case digest", `oci://ghcr.io/acme/crm@sha256:${"A".repeat(64)}`],
    ["another digest algorithm", `oci://ghcr.io/acme/crm@md5:${"a".repeat(32)}`],
    ["a number for an address", "oci://2130706433/acme/crm:v1"],
    ["a hexadecimal address", "oci://0x7f.1/acme/crm:v1"],
    ["an address of four numbers and zeros", "oci://127.0.0.01/acme/crm:v1"],
    ["a query", "oci://ghcr.io/acme/crm?x=1:v1"],
    ["a broken port", "oci://ghcr.io:port/acme/crm:v1"],
    ["a layout without path", "oci-layout:"],
    ["a layout with a broken digest", "oci-layout:/dist@sha256:12"],
    ["a folder without path", "file:"],
    ["a folder on another host", "file://host/share"],
  ])("with %s is refused", (_, text) => {
    expect(thrownCode(() => parseReference(text))).toBe("bundle_reference_invalid");
  });

  test.each([
    "oci://alice:hunter2@ghcr.io/acme/crm:v1",
    "oci://alice:hun/ter2@ghcr.io/acme/crm:v1",
    "https://alice:hunter2@ghcr.io/acme/crm:v1",
    "git+https://alice:hunter2@git.example/acme#main",
  ])("with credentials is refused without repeating them", (text) => {
    let message = "";
    try {
      parseReference(text);
    } catch (thrown) {
      message = messageOf(thrown);
    }
    expect(message).toContain("credentials in it");
    expect(message).not.toContain("ter2");
  });
});
