import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { changeAuthFile, readAuthFile } from "../../src/bundle/sources/auth-file.ts";
import { createCredentialLookup } from "../../src/bundle/sources/credentials.ts";
import type { CredentialLookup, CredentialPlaces } from "../../src/bundle/sources/credentials.ts";
import { codeOf, messageOf } from "../../src/errors.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const encoded = (pair: string) => ({ auth: Buffer.from(pair).toString("base64") });

async function fileWith(content: object | string): Promise<string> {
  const path = join(temporaryFolder(), "config.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function lookupIn(places: Partial<CredentialPlaces>): CredentialLookup {
  return createCredentialLookup({
    configured: () => undefined,
    authFiles: [],
    askHelper: () => Promise.reject(new Error("no helper is expected to be asked")),
    log: createTestLog(),
    ...places,
  });
}

describe("a login file of docker or podman", () => {
  test("gives the credentials of each host", async () => {
    const path = await fileWith({
      auths: {
        "ghcr.io": encoded("alice:hunter2"),
        "localhost:5000": encoded("bob:with:colons"),
        "https://registry.example/v1/": encoded("carol:x"),
        "plain.example": { username: "dave", password: "y" },
        "azure.example": { ...encoded("00000000:"), identitytoken: "refresh" },
        "direct.example": { registrytoken: "bearer" },
        "empty.example": {},
        "quay.io/organisation": encoded("erin:z"),
      },
      credHelpers: { "1234.dkr.ecr.example": "ecr-login" },
      credsStore: "desktop",
    });
    const file = await readAuthFile(path);
    expect(file?.auths).toEqual(
      new Map<string, object>([
        ["ghcr.io", { username: "alice", password: "hunter2" }],
        ["localhost:5000", { username: "bob", password: "with:colons" }],
        ["registry.example", { username: "carol", password: "x" }],
        ["plain.example", { username: "dave", password: "y" }],
        ["azure.example", { identityToken: "refresh" }],
        ["direct.example", { token: "bearer" }],
        ["quay.io/organisation", { username: "erin", password: "z" }],
      ]),
    );
    expect(file?.credHelpers).toEqual(new Map([["1234.dkr.ecr.example", "ecr-login"]]));
    expect(file?.credsStore).toBe("desktop");
  });

  test("that is missing or empty is none", async () => {
    expect(await readAuthFile(join(temporaryFolder(), "none.json"))).toBeUndefined();
    expect(await readAuthFile(await fileWith(" \n"))).toBeUndefined();
  });

  test("keeps everything else when one login is stored, and is for its owner alone", async () => {
    const path = await fileWith({ psFormat: "x", auths: { "a.example": encoded("a:b") } });
    await chmod(path, 0o644);
    const login = { username: "alice", password: "hunter2" };
    expect(await changeAuthFile(path, "ghcr.io", login)).toBe(false);
    expect(await changeAuthFile(path, "ghcr.io", login)).toBe(true);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      psFormat: "x",
      auths: { "a.example": encoded("a:b"), "ghcr.io": encoded("alice:hunter2") },
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("loses one login and no other", async () => {
    const path = await fileWith({
      auths: { "https://ghcr.io/v1/": encoded("a:b"), "ghcr.io.example": encoded("c:d") },
    });
    expect(await changeAuthFile(path, "ghcr.io", undefined)).toBe(true);
    expect(await changeAuthFile(path, "ghcr.io", undefined)).toBe(false);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      auths: { "ghcr.io.example": encoded("c:d") },
    });
  });

  test("that is broken is not written over, and not quoted", async () => {
    const path = await fileWith('{"auths": {"ghcr.io": hunter2');
    const login = { username: "alice", password: "hunter2" };
    const failure = await changeAuthFile(path, "ghcr.io", login).catch((thrown: unknown) => thrown);
    expect(codeOf(failure)).toBe("bundle_credentials_unusable");
    expect(messageOf(failure)).not.toContain("hunter2");
    expect(await readFile(path, "utf8")).toContain("hunter2");
  });
});

describe("credentials", () => {
  test("come from the config, then the first file, then the next", async () => {
    const podman = await fileWith({ auths: { "quay.io": encoded("from:podman") } });
    const docker = await fileWith({
      auths: {
        "ghcr.io": encoded("from:docker"),
        "quay.io": encoded("from:docker"),
        "reg.example": encoded("from:docker"),
      },
    });
    const lookup = lookupIn({
      configured: (host) =>
        host === "ghcr.io" ? { username: "from", password: "config" } : undefined,
      authFiles: [podman, docker],
    });
    expect(await lookup("ghcr.io")).toEqual({ username: "from", password: "config" });
    expect(await lookup("quay.io")).toEqual({ username: "from", password: "podman" });
    expect(await lookup("reg.example")).toEqual({ username: "from", password: "docker" });
  });

  test("may be a token of the config", async () => {
    const lookup = lookupIn({ configured: () => ({ token: "t" }) });
    expect(await lookup("ghcr.io")).toEqual({ token: "t" });
  });

  test("are read anew each time, so that a rotated password needs no restart", async () => {
    const path = await fileWith({ auths: { "ghcr.io": encoded("alice:old") } });
    const lookup = lookupIn({ authFiles: [path] });
    expect(await lookup("ghcr.io")).toMatchObject({ password: "old" });
    await changeAuthFile(path, "ghcr.io", { username: "alice", password: "new" });
    expect(await lookup("ghcr.io")).toMatchObject({ password: "new" });
  });

  test("of docker hub are found by all of its names", async () => {
    const path = await fileWith({ auths: { "https://index.docker.io/v1/": encoded("a:b") } });
    const lookup = lookupIn({ authFiles: [path] });
    for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
      expect(await lookup(name)).toEqual({ username: "a", password: "b" });
    }
    expect(await lookup("evil-docker.io")).toBeUndefined();
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
  ])("are not given to %j, which is another host", async (host) => {
    const path = await fileWith({ auths: { "quay.io": encoded("alice:hunter2") } });
    expect(await lookupIn({ authFiles: [path] })(host)).toBeUndefined();
  });

  test("of an organisation on a host are not given to the whole host", async () => {
    const path = await fileWith({ auths: { "quay.io/acme": encoded("alice:hunter2") } });
    expect(await lookupIn({ authFiles: [path] })("quay.io")).toBeUndefined();
  });

  test.each([
    ["no JSON", '{"auths": {"ghcr.io": hunter2'],
    ["another shape", '{"auths": {"ghcr.io": "hunter2"}}'],
  ])("of a file that is %s are a warning that quotes nothing of it", async (_, text) => {
    const log = createTestLog();
    const lookup = lookupIn({ authFiles: [await fileWith(text)], log });
    expect(await lookup("ghcr.io")).toBeUndefined();
    expect(log.lines).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain("hunter2");
  });

  test("need no file", async () => {
    const authFiles = [join(temporaryFolder(), "none.json")];
    expect(await lookupIn({ authFiles })("ghcr.io")).toBeUndefined();
  });
});
