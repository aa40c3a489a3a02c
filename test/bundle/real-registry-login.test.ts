import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { createAuthMemory } from "../../src/bundle/sources/auth-memory.ts";
import { createCredentialLookup } from "../../src/bundle/sources/credentials.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import { dependencies, loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { isInstalled, runProgram, startDockerRegistry } from "../support/docker-registry.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyArchive, tinyFiles } from "../support/tiny-bundle.ts";
import { startTokenServer } from "../support/token-server.ts";

const hasRegistry = isInstalled("docker-registry");
const hasSkopeo = isInstalled("skopeo");
const hasHtpasswd = isInstalled("htpasswd");
const { signal } = new AbortController();

/** Debian's registry with tokens of a token server of ours. */
async function tokenRegistry() {
  const server = await startTokenServer({ alice: "hunter2" });
  onTestFinished(server.close);
  const registry = await startDockerRegistry(temporaryFolder(), {}, server.authentication);
  onTestFinished(registry.close);
  let password = "hunter2";
  const { clock } = registryOptions();
  const options = registryOptions({
    credentials: () => ({ username: "alice", password }),
    settings: () => ({ trustedRealms: [server.host] }),
    memory: createAuthMemory(clock),
  });
  const reference = `oci://${registry.host}/acme/crm:v1`;
  const push = async (note: string): Promise<string> => {
    const files = tinyFiles({ name: "crm", note });
    return (await pushBundle(files, parseReference(reference), { registry: options })).digest;
  };
  const rotate = (next: string): void => {
    password = next;
  };
  return { server, registry, options, reference, push, rotate };
}

describe.skipIf(!hasRegistry)("a real registry with token authentication", () => {
  test("takes a push and gives it back, each with a token of its own scope", async () => {
    const { server, options, reference, push } = await tokenRegistry();
    const digest = await push("one");
    expect(await loadCrm(reference, { registry: options })).toMatchObject({
      ok: true,
      bundle: { digest },
    });
    expect(server.granted).toEqual(["repository:acme/crm:pull", "repository:acme/crm:pull,push"]);
  });

  test("is polled with one token: unchanged, then the new version", async () => {
    const { server, options, reference, push } = await tokenRegistry();
    const first = await push("one");
    const given = dependencies({ registry: options });
    const source = await openBundleSource(reference, { kind: "server" }, given);
    const asked = server.granted.length;
    for (let round = 0; round < 3; round += 1) {
      expect(await source.poll({ id: first }, signal)).toMatchObject({ kind: "unchanged" });
    }
    expect(server.granted).toHaveLength(asked);
    const second = await push("two");
    expect(await source.poll({ id: first }, signal)).toMatchObject({
      kind: "changed",
      version: { id: second },
    });
    const fetched = await source.fetch({ id: second }, signal);
    expect(fetched.digest).toBe(second);
    await fetched.close();
  });

  test("takes a rotated password, and refuses the old one", async () => {
    const { server, options, reference, push, rotate } = await tokenRegistry();
    await push("one");
    server.users.set("alice", "rotated");
    const fresh = { ...options, memory: createAuthMemory(options.clock) };
    const load = () => outcomeOf(loadCrm(reference, { registry: fresh }));
    expect(await load()).toBe("bundle_unauthorized");
    rotate("rotated");
    expect(await load()).toBe("ok");
  });

  test("gets no password where its realm is not trusted", async () => {
    const { server, options, reference } = await tokenRegistry();
    const load = loadCrm(reference, { registry: { ...options, settings: () => undefined } });
    expect(await outcomeOf(load)).toBe("bundle_realm_refused");
    expect(server.granted).toEqual([]);
  });
});

/** Debian's registry with one user, and a home folder with an archive in it. */
async function passwordRegistry() {
  const registryFolder = temporaryFolder();
  const registry = await startDockerRegistry(registryFolder, { alice: "correct horse" });
  onTestFinished(registry.close);
  const folder = temporaryFolder();
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
  await writeFile(join(folder, "crm.tar.gz"), tinyArchive());
  const cli = (args: readonly string[], stdin?: string) => runCli(args, folder, env, stdin);
  const push = async (more: Readonly<Record<string, string>> = {}): Promise<number> => {
    const args = ["bundle", "push", "crm.tar.gz", `oci://${registry.host}/acme/crm:v1`];
    return (await runCli(args, folder, { ...env, ...more })).exitCode;
  };
  /** Gives the user another password, without a restart. */
  const rotate = async (password: string): Promise<void> => {
    const line = await runProgram("htpasswd", ["-Bbn", "alice", password]);
    await writeFile(join(registryFolder, "htpasswd"), line);
  };
  return { registry, folder, cli, push, rotate };
}

describe.skipIf(!hasRegistry || !hasHtpasswd)("a real registry with passwords", () => {
  test("is logged in to by the command, and out of", async () => {
    const { registry, cli, push } = await passwordRegistry();
    const login = ["login", registry.host, "-u", "alice"];
    expect(await push()).toBe(9);
    expect(await cli(login, "wrong\n")).toMatchObject({ exitCode: 9, out: "" });
    expect(await cli(login, "correct horse\n")).toMatchObject({ exitCode: 0, out: "" });
    expect(await push()).toBe(0);
    expect((await cli(["logout", registry.host])).exitCode).toBe(0);
    expect(await push()).toBe(9);
  });

  test("is polled on with a rotated password as soon as somebody logged in with it", async () => {
    const { registry, folder, cli, push, rotate } = await passwordRegistry();
    const login = ["login", registry.host, "-u", "alice"];
    await cli(login, "correct horse\n");
    await push();
    const log = createTestLog();
    const { clock } = registryOptions();
    const options = registryOptions({
      memory: createAuthMemory(clock),
      credentials: createCredentialLookup({
        configured: () => undefined,
        authFiles: [join(folder, ".docker", "config.json")],
        askHelper: () => Promise.resolve(undefined),
        log,
      }),
    });
    const reference = `oci://${registry.host}/acme/crm:v1`;
    const given = dependencies({ registry: options });
    const source = await openBundleSource(reference, { kind: "server" }, given);
    const pollKind = async () => (await source.poll(undefined, signal)).kind;
    expect(await pollKind()).toBe("changed");
    await rotate("battery staple");
    expect(await pollKind()).toBe("failed");
    await cli(login, "battery staple\n");
    expect(await pollKind()).toBe("changed");
  });

  test.skipIf(!hasSkopeo)("shares its login with skopeo, both ways", async () => {
    const { registry, folder, cli, push } = await passwordRegistry();
    await cli(["login", registry.host, "-u", "alice"], "correct horse\n");
    expect(await push()).toBe(0);
    const ours = ["--tls-verify=false", "--authfile", join(folder, ".docker", "config.json")];
    const image = `docker://${registry.host}/acme/crm:v1`;
    const shown = await runProgram("skopeo", ["inspect", "--raw", ...ours, image]);
    expect(JSON.parse(shown)).toMatchObject({ schemaVersion: 2 });

    await cli(["logout", registry.host]);
    const theirs = join(folder, "theirs.json");
    const login = ["login", "--tls-verify=false", "--authfile", theirs, "-u", "alice"];
    await runProgram("skopeo", [...login, "-p", "correct horse", registry.host]);
    expect(await push()).toBe(9);
    expect(await push({ REGISTRY_AUTH_FILE: theirs })).toBe(0);
  });
});
