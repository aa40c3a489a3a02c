/**
 * `decisions.masking.recipients`: public keys and nothing else, since gateways have them.
 */
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { load, minimal, problemsOf } from "./support.ts";

const { publicKey, privateKey } = generateKeyPairSync("x25519");
const open = publicKey.export({ type: "spki", format: "pem" }).toString();
const secret = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const signer = generateKeyPairSync("ed25519").publicKey;
const ofOtherType = signer.export({ type: "spki", format: "pem" }).toString();
const zeroPoint = Buffer.from(`302a300506032b656e032100${"00".repeat(32)}`, "hex");
const openToAll = `-----BEGIN PUBLIC KEY-----\n${zeroPoint.toString("base64")}\n-----END PUBLIC KEY-----\n`;
const locked = privateKey
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "tiger" })
  .toString();

const rawPrivate = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
const longer = Buffer.concat([publicKey.export({ type: "spki", format: "der" }), rawPrivate]);
const withRaw = `-----BEGIN PUBLIC KEY-----\n${longer.toString("base64")}\n-----END PUBLIC KEY-----\n`;

const masking = (settings: object) => ({ ...minimal, decisions: { masking: settings } });
const recipientsOf = (recipients: unknown, env: Record<string, string> = {}) =>
  load(masking({ recipients }), env).config.decisions.masking.recipients;

function fileWith(text: string): string {
  const path = join(temporaryFolder(), "unmask.pub.pem");
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

describe("recipients", () => {
  test("are written out, or come from files and variables, several of them", () => {
    const listed = [open, `\${file:${fileWith(open)}}`, "${env:OPEN}"];
    const keys = recipientsOf(listed, { OPEN: open });
    expect(keys.map((pem) => pem.trim())).toEqual([open.trim(), open.trim(), open.trim()]);
  });

  test("are no secrets: everybody may read the file, and nothing of them is hidden in logs", () => {
    const { config, warnings } = load(masking({ recipients: [`\${file:${fileWith(open)}}`] }));
    expect(warnings).toEqual([]);
    expect(config.secrets).toEqual([]);
  });

  test("in a file that everybody can write are refused", () => {
    const path = fileWith(open);
    chmodSync(path, 0o666);
    const [problem, ...more] = problemsOf(masking({ recipients: [`\${file:${path}}`] }));
    expect(problem).toContain("every user can write");
    expect(more).toEqual([]);
  });

  test.each([
    ["a private key", secret],
    ["a private key", locked],
    ["a private key", `${open}${secret}`],
    ["several", `${open}${open}`],
    ["one of type ed25519", ofOtherType],
    ["one that everybody can open", openToAll],
    ["one beside other text", `${open}junk\n${rawPrivate.toString("hex")}\n`],
    ["one beside other text", `${rawPrivate.toString("base64")}\n${open}`],
    ["one beside other text", `Public-Key:\n${open}`],
    ["none", "0f".repeat(32)],
    ["none", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
    ["none", open.replaceAll("PUBLIC KEY", "CERTIFICATE")],
  ])("that are %s are refused, once, by place and without what is there", (found, text) => {
    for (const [written, env] of [[text, {}] as const, ["${env:KEY}", { KEY: text }] as const]) {
      const [problem = "", ...more] = problemsOf(masking({ recipients: [open, written] }), env);
      expect(more).toEqual([]);
      expect(problem).toContain("decisions.masking.recipients.1: expected a public key, X25519");
      expect(problem).toContain(`found ${found}`);
      for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("-----")))
        expect(problem).not.toContain(line);
    }
  });

  test("that are longer than a key are refused", () => {
    const problem = problemsOf(masking({ recipients: [withRaw] })).join();
    expect(problem).toContain("expected a public key, X25519, in PEM, found");
    expect(problem).not.toContain(longer.toString("base64").slice(-24));
  });

  test("may have white space around them, and lines that end as on Windows", () => {
    const spaced = `\n\n${open.replaceAll("\n", "\r\n")} \t\n\n`;
    expect(recipientsOf([spaced])).toHaveLength(1);
  });

  test("that are private keys are answered with what to do", () => {
    expect(problemsOf(masking({ recipients: [secret] })).join()).toContain(
      '"openssl pkey -in FILE -pubout"',
    );
  });

  test.each([
    { recipients: open },
    { recipients: [""] },
    { recipients: [7] },
    { recipients: Array.from({ length: 9 }, () => open) },
  ])("that are no list of up to eight texts are refused: %#", ({ recipients }) => {
    expect(problemsOf(masking({ recipients }))).toHaveLength(1);
  });
});

test.each(["0f".repeat(32), "${env:KEY}", 7])("unmask_key is refused by its name: %j", (key) => {
  const [problem, ...more] = problemsOf(masking({ unmask_key: key }), { KEY: "0f".repeat(32) });
  expect(problem).toContain("unmask_key is not read");
  expect(problem).toContain("into recipients");
  expect(problem).not.toContain("0f0f");
  expect(more).toEqual([]);
});
