import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  askHelper,
  eraseFromHelper,
  storeInHelper,
} from "../../src/bundle/sources/credential-helper.ts";
import { createCredentialLookup } from "../../src/bundle/sources/credentials.ts";
import { codeOf, messageOf } from "../../src/errors.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A helper whose body is a shell script, and the environment in which it is found. */
async function helper(script: string, name = "test") {
  const folder = temporaryFolder();
  const bin = join(folder, "bin");
  await mkdir(bin);
  const path = join(bin, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { folder, env: { PATH: `${bin}:/usr/bin:/bin`, FOLDER: folder } };
}

async function failureOf(asked: Promise<unknown>): Promise<string> {
  const thrown = await asked.then(
    () => new Error("expected a failure"),
    (problem: unknown) => problem,
  );
  expect(codeOf(thrown)).toBe("bundle_credentials_unusable");
  return messageOf(thrown);
}

const answer = '{"ServerURL":"ghcr.io","Username":"alice","Secret":"hunter2"}';

describe("a credential helper", () => {
  test("is told the host on stdin, and gives the login", async () => {
    const { env, folder } = await helper(
      `cat > $FOLDER/asked; echo "$@" >> $FOLDER/args; echo '${answer}'`,
    );
    expect(await askHelper("test", "ghcr.io", { env })).toEqual({
      username: "alice",
      password: "hunter2",
    });
    expect(await readFile(join(folder, "asked"), "utf8")).toBe("ghcr.io");
    expect(await readFile(join(folder, "args"), "utf8")).toBe("get\n");
  });

  test("may give an identity token", async () => {
    const { env } = await helper(`echo '{"Username":"<token>","Secret":"refresh"}'`);
    expect(await askHelper("test", "ghcr.io", { env })).toEqual({ identityToken: "refresh" });
  });

  test("that has no login for a host has none", async () => {
    const { env } = await helper("echo 'credentials not found in native keychain'; exit 1");
    expect(await askHelper("test", "ghcr.io", { env })).toBeUndefined();
    expect(await eraseFromHelper("test", "ghcr.io", { env })).toBe(false);
  });

  test("that fails is an error that does not repeat its words", async () => {
    const { env } = await helper("echo hunter2; echo hunter2 >&2; exit 3");
    expect(await failureOf(askHelper("test", "ghcr.io", { env }))).not.toContain("hunter2");
  });

  test("that answers something else is an error that does not repeat it", async () => {
    const { env } = await helper("echo hunter2");
    expect(await failureOf(askHelper("test", "ghcr.io", { env }))).not.toContain("hunter2");
  });

  test("that is not installed is an error that says so", async () => {
    const failure = await failureOf(askHelper("none-such", "ghcr.io", { env: { PATH: "/bin" } }));
    expect(failure).toContain("no such program");
  });

  test("that does not end is ended", async () => {
    const { env } = await helper("sleep 100");
    const asked = askHelper("test", "ghcr.io", { env, timeoutMs: 200 });
    expect(await failureOf(asked)).toContain("within 200 ms");
  });

  test("that writes without end is ended", async () => {
    const { env } = await helper("cat /dev/zero");
    expect(await failureOf(askHelper("test", "ghcr.io", { env }))).toContain("too much");
  });

  test.each([
    "../../bin/sh",
    "/bin/sh",
    "x; touch $FOLDER/pwned",
    "$(touch pwned)",
    "-x",
    ".x",
    "",
    "a b",
    "x".repeat(100),
  ])("with the name %j is never started", async (name) => {
    const { env } = await helper(`echo '${answer}'`);
    expect(await failureOf(askHelper(name, "ghcr.io", { env }))).toContain("expected a name");
  });

  test("stores a login that it gets on stdin", async () => {
    const { env, folder } = await helper("cat > $FOLDER/stored");
    await storeInHelper("test", "ghcr.io", { username: "alice", password: "hunter2" }, { env });
    expect(JSON.parse(await readFile(join(folder, "stored"), "utf8"))).toEqual({
      ServerURL: "ghcr.io",
      Username: "alice",
      Secret: "hunter2",
    });
  });
});

describe("the lookup of credentials", () => {
  async function lookupWith(file: object, asked: string[], configured?: string) {
    const path = join(temporaryFolder(), "config.json");
    await writeFile(path, JSON.stringify(file));
    return createCredentialLookup({
      configured: () => (configured === undefined ? undefined : { credentialHelper: configured }),
      authFiles: [path],
      askHelper: (name, host) => {
        asked.push(`${name} ${host}`);
        return Promise.resolve(name === "empty" ? undefined : { username: name, password: host });
      },
      log: createTestLog(),
    });
  }
  const auth = Buffer.from("from:file").toString("base64");

  test("asks the helper of a host before the file, for that exact host alone", async () => {
    const asked: string[] = [];
    const file = { auths: { "a.example": { auth } }, credHelpers: { "a.example": "ecr" } };
    const lookup = await lookupWith(file, asked);
    expect(await lookup("a.example")).toEqual({ username: "ecr", password: "a.example" });
    expect(await lookup("a.example.evil")).toBeUndefined();
    expect(await lookup("evil-a.example")).toBeUndefined();
    expect(asked).toEqual(["ecr a.example"]);
  });

  test("asks the general helper where the file has nothing", async () => {
    const asked: string[] = [];
    const file = { auths: { "a.example": { auth }, "b.example": {} }, credsStore: "desktop" };
    const lookup = await lookupWith(file, asked);
    expect(await lookup("a.example")).toEqual({ username: "from", password: "file" });
    expect(await lookup("b.example")).toEqual({ username: "desktop", password: "b.example" });
    expect(asked).toEqual(["desktop b.example"]);
  });

  test("asks the helper of the config and then nobody else", async () => {
    const asked: string[] = [];
    const lookup = await lookupWith({ auths: { "a.example": { auth } } }, asked, "empty");
    expect(await lookup("a.example")).toBeUndefined();
    expect(asked).toEqual(["empty a.example"]);
  });
});
