import { expect, test } from "vitest";
import { lineScrubber } from "../../../src/decision/masking/scrub-line.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { detectors } from "./open-mask.ts";

const secret = 'hunter2 "quoted" hunter2';
const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const scrub = lineScrubber({
  detectors,
  kinds: ["credential", "private_key"],
  secrets: [secret],
});

test("a secret of the configuration is in no line, however it is written there", () => {
  const written = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
  for (const text of [...written, JSON.stringify({ secret })]) {
    const line = scrub(`${JSON.stringify({ level: "info", err: { message: `at ${text}!` } })}\n`);
    expect(line.endsWith("\n")).toBe(true);
    expect(line).not.toContain("hunter2");
    expect(JSON.parse(line)).toMatchObject({ level: "info" });
    expect(line).toContain("[masked]");
  }
});

test("keys are found in texts and names, and the line stays JSON", () => {
  const pem = "-----BEGIN PRIVATE KEY-----\nMIIabc\n";
  const line = scrub(JSON.stringify({ line: `x ${key}`, [key]: pem, n: [1, `token=${key}\n`] }));
  expect(line).not.toContain(key);
  expect(line).not.toContain("MIIabc");
  expect(JSON.parse(line)).toEqual({
    line: "x [masked]",
    "[masked]": "[masked]",
    n: [1, "token=[masked]\n"],
  });
});

test("of a line that cannot be read nothing is left", () => {
  expect(scrub(`{"a":"${key}`)).not.toContain(key);
});

test("a log writes its lines through it", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: "debug", destination, scrub });
  log.child({ key }).debug({ reason: new Error(secret).message }, `said ${key}`);
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toMatch(/hunter2|ghp_/);
  expect(lines.join()).toContain('"msg":"said [masked]"');
});
