import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { registryWithBundle } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { reply } from "../support/fake-registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const basic = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;

/** A registry that takes one login, and a home folder. */
async function setting() {
  const registry = await registryWithBundle();
  registry.misbehave(({ headers }, response) =>
    headers.authorization === basic
      ? reply(response, 200, {}, "{}")
      : reply(response, 401, { "www-authenticate": 'Basic realm="r"' }),
  );
  const folder = temporaryFolder();
  const env = { HOME: folder };
  const cli = (args: readonly string[], stdin = "", more = {}) =>
    runCli(args, folder, { ...env, ...more }, stdin);
  return { registry, folder, cli, path: join(folder, ".docker", "config.json") };
}

describe("login", () => {
  test("keeps a login that the registry takes, for its owner alone, and says nothing of it", async () => {
    const { registry, cli, path } = await setting();
    const ended = await cli(["login", registry.host], "alice\nhunter2\n");
    expect(ended).toMatchObject({ exitCode: 0, out: "" });
    expect(ended.err).toContain(`logged in to ${registry.host}`);
    expect(ended.err).not.toContain("hunter2");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const auth = basic.slice("Basic ".length);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      auths: { [registry.host]: { auth } },
    });
  });

  test("keeps nothing that the registry refuses", async () => {
    const { registry, cli, path } = await setting();
    const ended = await cli(["login", registry.host, "--username", "alice"], "hunter3\n");
    expect(ended.exitCode).toBe(9);
    expect(ended.err).toContain("[bundle_unauthorized]");
    expect(ended.err).not.toContain("hunter");
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  test("warns where the registry asked for nothing", async () => {
    const { registry, cli } = await setting();
    registry.misbehave((_, response) => reply(response, 200));
    const ended = await cli(["login", registry.host], "alice\nhunter2");
    expect(ended.exitCode).toBe(0);
    expect(ended.err).toContain("stored unchecked");
    expect(registry.requests.every(({ headers }) => headers.authorization === undefined)).toBe(
      true,
    );
  });

  test("has no option for a password", async () => {
    const { registry, cli } = await setting();
    const ended = await cli(["login", registry.host, "--password", "hunter2"], "");
    expect(ended.exitCode).toBe(2);
    expect(registry.requests).toEqual([]);
  });

  test.each([
    ["nothing", ""],
    ["a name alone", "alice\n"],
    ["an empty password", "alice\n\n"],
    ["too many lines", "alice\nhunter2\nmore\n"],
    ["a name with a colon", "al:ice\nhunter2\n"],
  ])("wants a name and a password on stdin, not %s", async (_, stdin) => {
    const { registry, cli } = await setting();
    expect((await cli(["login", registry.host], stdin)).exitCode).toBe(2);
    expect(registry.requests).toEqual([]);
  });

  test.each(["https://registry.example", "registry.example/acme", "a@registry.example", ""])(
    "wants a host, not %j",
    async (host) => {
      const { cli } = await setting();
      expect((await cli(["login", host], "alice\nhunter2\n")).exitCode).toBe(2);
    },
  );

  test("is kept in the file that is named, or in Podman's", async () => {
    const { registry, folder, cli } = await setting();
    await cli(["login", registry.host, "--authfile", "own.json"], "alice\nhunter2\n");
    expect(await readFile(join(folder, "own.json"), "utf8")).toContain(registry.host);
    const named = { REGISTRY_AUTH_FILE: join(folder, "podman.json") };
    await cli(["login", registry.host], "alice\nhunter2\n", named);
    expect(await readFile(join(folder, "podman.json"), "utf8")).toContain(registry.host);
  });

  test("is given to the helper that Docker's file names, and not written into it", async () => {
    const { registry, folder, cli, path } = await setting();
    const bin = join(folder, "bin");
    await mkdir(bin);
    const helper = join(bin, "docker-credential-keep");
    await writeFile(helper, `#!/bin/sh\ncat > ${folder}/$1\n`);
    await chmod(helper, 0o755);
    await mkdir(join(folder, ".docker"));
    await writeFile(path, '{"credsStore":"keep"}');
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const ended = await cli(["login", registry.host], "alice\nhunter2\n", env);
    expect(ended.err).toContain("docker-credential-keep");
    expect(JSON.parse(await readFile(join(folder, "store"), "utf8"))).toEqual({
      ServerURL: registry.host,
      Username: "alice",
      Secret: "hunter2",
    });
    expect(await readFile(path, "utf8")).toBe('{"credsStore":"keep"}');
    await cli(["logout", registry.host], "", env);
    expect(await readFile(join(folder, "erase"), "utf8")).toBe(registry.host);
  });
});

describe("logout", () => {
  test("forgets the login, and is no failure where there is none", async () => {
    const { registry, cli, path } = await setting();
    await cli(["login", registry.host], "alice\nhunter2\n");
    const ended = await cli(["logout", registry.host]);
    expect(ended).toMatchObject({ exitCode: 0, err: `logged out of ${registry.host}` });
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ auths: {} });
    expect(await cli(["logout", registry.host])).toMatchObject({
      exitCode: 0,
      err: `there was no login at ${registry.host}`,
    });
  });
});
