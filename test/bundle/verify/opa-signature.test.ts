import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../src/bundle/archive.ts";
import { hashBundleFile, judgeOpaSignature } from "../../../src/bundle/verify/opa-signature.ts";
import { writeToken } from "../../../src/bundle/verify/opa-token.ts";
import { signFiles } from "../../../src/bundle/verify/sign-opa.ts";
import type { OpaSigner } from "../../../src/bundle/verify/trust.ts";
import { verifyArtifact } from "../../../src/bundle/verify/verify-artifact.ts";
import type { OpaAlgorithm } from "../../../src/config/config.ts";
import { thrownCode } from "../../support/bundle-setting.ts";
import { tinyFiles } from "../../support/tiny-bundle.ts";
import { artifactOf, opa, openOne } from "./support.ts";
import type { Loose } from "./support.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = String(pair.publicKey.export({ type: "spki", format: "pem" }));
const signing = {
  keyid: "k1",
  algorithm: "RS256",
  key: pair.privateKey,
  scope: undefined,
} as const;

function signer(key = publicPem, algorithm: OpaAlgorithm = "RS256", scope?: string): OpaSigner {
  const opened = openOne({ type: "opa", name: "builder", keyid: "k1", key, algorithm, scope });
  if (opened.type !== "opa") throw new Error("expected an OPA key");
  return opened;
}

/** A signed bundle with data, files replaced or taken away after signing. */
function signed(changes: Readonly<Record<string, string | undefined>> = {}): Map<string, Buffer> {
  const files = tinyFiles({ name: "crm" }, { "notes/data.json": '{"a": 1.0, "b": "x"}' });
  const all = new Map(signFiles(files, signing));
  for (const [path, text] of Object.entries(changes)) {
    if (text === undefined) all.delete(path);
    else all.set(path, Buffer.from(text));
  }
  return all;
}

/** The same files under a token that lists something else. */
function listing(change: (files: Loose[]) => unknown, more: object = {}): Map<string, Buffer> {
  const all = signed();
  const text = JSON.parse(String(all.get(".signatures.json"))).signatures[0].split(".")[1];
  const payload = JSON.parse(Buffer.from(text, "base64url").toString());
  const files = change(payload.files) ?? payload.files;
  const token = writeToken({ ...payload, ...more, files }, "k1", "RS256", pair.privateKey);
  return all.set(".signatures.json", Buffer.from(JSON.stringify({ signatures: [token] })));
}

describe("a bundle that OPA signed", () => {
  test.each(opa)("with $algorithm verifies", ({ algorithm, key, archive }) => {
    expect(judgeOpaSignature(openArchive(archive), signer(key, algorithm))).toEqual({
      ok: true,
      signer: { type: "opa", name: "builder", keyid: "k1", scope: undefined },
    });
  });

  test.each(opa)("with $algorithm does not after a change", ({ algorithm, key, archive }) => {
    const files = openArchive(archive);
    const path = [...files.keys()].find((name) => name.endsWith(".rego")) ?? "";
    files.set(path, Buffer.from("package mcp.crm\n\nallow := true\n"));
    expect(judgeOpaSignature(files, signer(key, algorithm))).toMatchObject({
      code: "subject_mismatch",
    });
  });

  test("needs no OCI artifact and no place", async () => {
    const [first] = opa;
    if (first === undefined) throw new Error("expected a fixture");
    const by = signer(first.key);
    const artifact = artifactOf([], openArchive(first.archive), [by]);
    expect(await verifyArtifact(artifact, [by], [])).toMatchObject({
      kind: "verified",
      proofs: [],
    });
  });
});

describe("a bundle that we signed", () => {
  test("verifies, also when its JSON is written another way", () => {
    expect(judgeOpaSignature(signed(), signer())).toMatchObject({ ok: true });
    const other = signed({ "notes/data.json": '{"b":"\\u0078","a":1.0}' });
    expect(judgeOpaSignature(other, signer())).toMatchObject({ ok: true });
  });

  test("has the same bytes each time", () => {
    expect(signed().get(".signatures.json")).toEqual(signed().get(".signatures.json"));
  });

  test("is signed anew over a signature that was there", () => {
    expect(judgeOpaSignature(signFiles(signed(), signing), signer())).toMatchObject({ ok: true });
  });

  test.each<[string, Map<string, Buffer>]>([
    ["a changed file", signed({ "policy.wasm": "x" })],
    ["a number that is written another way", signed({ "notes/data.json": '{"a":1,"b":"x"}' })],
    ["a file that is not listed", signed({ "more.rego": "package more" })],
    ["a second .signatures.json", signed({ "notes/.signatures.json": "{}" })],
    ["a listed file that is not there", signed({ "notes/data.json": undefined })],
    ["a member twice", signed({ "notes/data.json": '{"a":2.0,"a":1.0,"b":"x"}' })],
    ["another manifest", signed({ ".manifest": '{"metadata":{"name":"mail"}}' })],
    ["a file that is listed twice", listing((files) => [...files, files[0]])],
    [
      "itself in the list",
      listing((files) => [...files, { name: ".signatures.json", hash: "", algorithm: "SHA-256" }]),
    ],
    ["no list", listing(() => "none")],
  ])("does not count with %s", (_, files) => {
    expect(judgeOpaSignature(files, signer())).toMatchObject({ code: "subject_mismatch" });
  });

  test.each([
    ["MD5", "md5"],
    ["SHA-1", "sha1"],
    ["sha256", "sha256"],
    ["", "sha256"],
    ["constructor", "sha256"],
  ])("does not count with the hash %j, however right", (algorithm, hash) => {
    const content = signed();
    const files = listing((all) =>
      all.map(({ name }) => {
        const bytes = content.get(name) ?? Buffer.alloc(0);
        return { name, algorithm, hash: hashBundleFile(name, bytes, hash) };
      }),
    );
    expect(judgeOpaSignature(files, signer())).toMatchObject({
      code: "subject_mismatch",
      reason: expect.stringContaining("too weak or unknown"),
    });
  });

  test("does not count with YAML data, and is not made with some", () => {
    const files = signed({ "data.yaml": "a: 1" });
    const listed = listing((all) => [
      ...all,
      { name: "data.yaml", hash: "0", algorithm: "SHA-256" },
    ]);
    listed.set("data.yaml", Buffer.from("a: 1"));
    expect(judgeOpaSignature(listed, signer())).toMatchObject({ code: "subject_mismatch" });
    expect(thrownCode(() => signFiles(files, signing))).toBe("bundle_manifest_invalid");
  });
});

describe("the token of a bundle", () => {
  const put = (content: unknown): Map<string, Buffer> =>
    signed({ ".signatures.json": JSON.stringify(content) });
  const token: string = JSON.parse(String(signed().get(".signatures.json"))).signatures[0];
  const [, payload = ""] = token.split(".");
  const encode = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");

  test("is by the configured key alone", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const stranger = signer(String(publicKey.export({ type: "spki", format: "pem" })));
    expect(judgeOpaSignature(signed(), stranger)).toMatchObject({ code: "no_trusted_signature" });
  });

  test("has the configured algorithm, whatever its header says", () => {
    expect(judgeOpaSignature(signed(), signer(publicPem, "PS256"))).toMatchObject({
      code: "no_trusted_signature",
      reason: expect.stringContaining("PS256"),
    });
    const none = `${encode({ alg: "none" })}.${payload}.`;
    expect(judgeOpaSignature(put({ signatures: [none] }), signer())).toMatchObject({ ok: false });
    // The public key as a shared secret: the oldest trick.
    const head = `${encode({ alg: "HS256" })}.${payload}`;
    const mac = createHmac("sha256", publicPem).update(head).digest("base64url");
    const confused = put({ signatures: [`${head}.${mac}`] });
    expect(judgeOpaSignature(confused, signer())).toMatchObject({ code: "no_trusted_signature" });
  });

  test.each<[string, unknown]>([
    ["missing", { signatures: [] }],
    ["two", { signatures: [token, token] }],
    ["not a token", { signatures: ["x.y"] }],
    ["cut off", { signatures: [token.slice(0, -10)] }],
    ["with a tail", { signatures: [`${token}.x`] }],
    ["of a plugin", { signatures: [token], plugin: "custom" }],
    ["no JSON object", []],
  ])("does not count where it is %s", (_, content) => {
    expect(judgeOpaSignature(put(content), signer())).toMatchObject({
      code: "no_trusted_signature",
    });
  });

  test("with extensions that have to be understood does not count", () => {
    const token = (header: object): string => {
      const head = `${encode({ alg: "RS256", ...header })}.${payload}`;
      const signature = sign("sha256", Buffer.from(head), pair.privateKey);
      return `${head}.${signature.toString("base64url")}`;
    };
    expect(judgeOpaSignature(put({ signatures: [token({})] }), signer())).toMatchObject({
      ok: true,
    });
    const critical = put({ signatures: [token({ crit: ["exp"], exp: 0 })] });
    expect(judgeOpaSignature(critical, signer())).toMatchObject({ code: "no_trusted_signature" });
  });

  test("has the configured scope", () => {
    const scoped = listing(() => undefined, { scope: "write" });
    expect(judgeOpaSignature(scoped, signer(publicPem, "RS256", "write"))).toMatchObject({
      signer: { scope: "write" },
    });
    for (const [files, scope] of [
      [scoped, undefined],
      [scoped, "read"],
      [signed(), "write"],
    ] as const) {
      expect(judgeOpaSignature(files, signer(publicPem, "RS256", scope))).toMatchObject({
        code: "identity_mismatch",
      });
    }
  });

  test("is made and read with keys of its algorithm alone", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const ecPem = String(ec.publicKey.export({ type: "spki", format: "pem" }));
    for (const [key, algorithm] of [
      [ecPem, "RS256"],
      [publicPem, "ES256"],
      [ecPem, "ES384"],
    ] as const) {
      expect(thrownCode(() => signer(key, algorithm))).toBe("bundle_trust_invalid");
    }
    const wrong = { ...signing, key: ec.privateKey };
    expect(thrownCode(() => signFiles(tinyFiles(), wrong))).toBe("bundle_trust_invalid");
    expect(() => signFiles(tinyFiles(), wrong)).toThrow("; for this one say --algorithm ES256");
  });
});
