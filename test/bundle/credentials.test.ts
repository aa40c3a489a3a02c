import { describe, expect, test } from "vitest";
import {
  createCredentialLookup,
  readDockerCredentials,
} from "../../src/bundle/sources/credentials.ts";
import { createTestLog } from "../support/log.ts";

const encoded = (pair: string) => ({ auth: Buffer.from(pair).toString("base64") });
const config = (auths: object): string => JSON.stringify({ auths });

describe("docker's config.json", () => {
  test("gives user name and password of each host", () => {
    const found = readDockerCredentials(
      config({
        "ghcr.io": encoded("alice:hunter2"),
        "localhost:5000": encoded("bob:with:colons"),
        "https://registry.example/v1/": encoded("carol:x"),
        "plain.example": { username: "dave", password: "y" },
      }),
    );
    expect(found).toEqual(
      new Map([
        ["ghcr.io", { username: "alice", password: "hunter2" }],
        ["localhost:5000", { username: "bob", password: "with:colons" }],
        ["registry.example", { username: "carol", password: "x" }],
        ["plain.example", { username: "dave", password: "y" }],
      ]),
    );
  });

  test("gives nothing for entries of credential helpers and identity tokens", () => {
    const text = config({ "a.example": {}, "b.example": { identitytoken: "t" } });
    expect(readDockerCredentials(text)).toEqual(new Map());
    expect(readDockerCredentials('{"credsStore":"desktop"}')).toEqual(new Map());
  });
});

describe("credentials", () => {
  const log = createTestLog();
  const lookup = createCredentialLookup(
    new Map([["ghcr.io", { username: "from", password: "config" }]]),
    config({ "ghcr.io": encoded("from:docker"), "quay.io": encoded("alice:hunter2") }),
    log,
  );

  test("come from the config before Docker's", () => {
    expect(lookup("ghcr.io")?.password).toBe("config");
    expect(lookup("quay.io")?.password).toBe("hunter2");
  });

  test.each([
    "quay.io.evil.example",
    "evil-quay.io",
    "quay.io:443",
    "quay.io:8443",
    "sub.quay.io",
    "QUAY.IO",
    "io",
    "",
    "__proto__",
    "constructor",
  ])("are not given to %j, which is another host", (host) => {
    expect(lookup(host)).toBeUndefined();
  });

  test.each([
    ["no JSON", '{"auths": {"ghcr.io": hunter2'],
    ["another shape", '{"auths": {"ghcr.io": "hunter2"}}'],
  ])("of a file that is %s are a warning that quotes nothing of it", (_, text) => {
    const warnings = createTestLog();
    expect(createCredentialLookup(new Map(), text, warnings)("ghcr.io")).toBeUndefined();
    expect(warnings.lines).toHaveLength(1);
    expect(JSON.stringify(warnings.lines)).not.toContain("hunter2");
  });

  test("need no file of Docker's", () => {
    expect(createCredentialLookup(new Map(), undefined, log)("ghcr.io")).toBeUndefined();
  });
});
