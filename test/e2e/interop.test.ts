/**
 * Other people's tools and our artifacts, both ways: the ORAS CLI, and OPA's own server as the one
 * that takes our bundles and decides by them. `.ci/run` builds both; elsewhere they are used where
 * they are installed.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, startDockerRegistry } from "../support/docker-registry.ts";
import { eventually } from "../support/eventually.ts";
import { portOf, sha256 } from "../support/fake-registry.ts";
import { freePort } from "../support/free-port.ts";
import { freshEnvironment, runBin } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ownKey } from "../bundle/verify/support.ts";

const hasRegistry = isInstalled("docker-registry");
const hasOras = isInstalled("oras") && hasRegistry;
const hasOpa = isInstalled("opa") && hasRegistry;
const limitMs = 180_000;

const input = {
  version: 1,
  phase: "call",
  agent: { id: "support-bot", scope: "customer_support" },
  action: { type: "tool_call", server: "crm", tool: "get_customer", args: { id: "C-17" } },
};

let host = "";
let reference = "";
let digest = "";
let archive: Buffer;
let folder = "";
const env = freshEnvironment();
const key = ownKey("ec");

/** One bundle for all, pushed once. */
beforeAll(async () => {
  if (!hasRegistry) return;
  folder = temporaryFolder();
  const registry = await startDockerRegistry(join(folder, "registry"));
  host = registry.host;
  reference = `oci://${host}/policies/crm:1.0`;
  await writeFile(join(folder, "release.key"), key.pem, { mode: 0o600 });
  await writeFile(join(folder, "release.pub"), key.publicPem, { mode: 0o600 });
  const pushed = await cli("bundle", "push", "bundles/crm", reference);
  digest = pushed.split("@")[1] ?? "";
  await cli("bundle", "sign", reference, "--key", join(folder, "release.key"));
  await cli("bundle", "pull", reference, "-f", join(folder, "crm.tar.gz"));
  archive = await readFile(join(folder, "crm.tar.gz"));
  return registry.close;
}, limitMs);

async function cli(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runBin(args, env);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

/** Runs ORAS in a folder, with no login of anybody. */
async function oras(cwd: string, ...args: readonly string[]): Promise<string> {
  await mkdir(cwd, { recursive: true });
  const { stdout } = await promisify(execFile)("oras", [...args], { cwd, env });
  return stdout;
}

describe.skipIf(!hasOras)("the ORAS CLI", () => {
  test(
    "pulls what we push, byte for byte",
    async () => {
      const out = temporaryFolder();
      await oras(out, "pull", "--plain-http", `${host}/policies/crm:1.0`);
      expect(await readdir(out)).toEqual(["bundle.tar.gz"]);
      expect(sha256(await readFile(join(out, "bundle.tar.gz")))).toBe(sha256(archive));
    },
    limitMs,
  );

  test(
    "pushes as OPA's documentation says, and we pull it",
    async () => {
      const from = temporaryFolder();
      await writeFile(join(from, "bundle.tar.gz"), archive);
      await writeFile(join(from, "config.json"), "{}");
      const target = `${host}/policies/oras:1.0`;
      const config = "config.json:application/vnd.oci.image.config.v1+json";
      const layer = "bundle.tar.gz:application/vnd.oci.image.layer.v1.tar+gzip";
      await oras(from, "push", "--plain-http", target, "--config", config, layer);
      const pulled = await cli("bundle", "pull", `oci://${target}`, "-o", "json");
      expect(JSON.parse(pulled)).toMatchObject({
        name: "crm",
        artifact_type: null,
        archive: { digest: sha256(archive) },
      });
    },
    limitMs,
  );

  test(
    "finds our test report, provenance and signature beside it",
    async () => {
      const subject = `${host}/policies/crm@${digest}`;
      const found = await oras(folder, "discover", "--plain-http", "--format", "json", subject);
      const { referrers } = JSON.parse(found);
      const types = referrers.map(({ artifactType }: { artifactType: string }) => artifactType);
      expect(types.toSorted()).toEqual([
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.in-toto+json",
        "application/vnd.mcp-gateway.test-report.v1+json",
      ]);
    },
    limitMs,
  );

  test(
    "copies it with all of that into a layout, where its signature verifies",
    async () => {
      const layout = join(temporaryFolder(), "layout");
      const from = ["--from-plain-http", `${host}/policies/crm:1.0`];
      await oras(folder, "copy", "-r", ...from, "--to-oci-layout", `${layout}:1.0`);
      const copied = `oci-layout:${layout}:1.0`;
      const pub = join(folder, "release.pub");
      const verified = await cli("bundle", "verify", copied, "--key", pub, "-o", "json");
      expect(JSON.parse(verified).reference).toBe(`${copied}@${digest}`);
      const { referrers } = JSON.parse(await cli("bundle", "inspect", copied, "-o", "json"));
      expect(referrers).toMatchObject({
        signatures: [{ subject: digest, form: "sigstore-bundle" }],
        test_reports: [{ outcome: "passed" }],
        provenance: [{ subject: digest }],
      });
    },
    limitMs,
  );
});

/** Starts OPA with a configuration; it ends with the test. */
async function startOpa(config: object): Promise<string> {
  const at = temporaryFolder();
  await writeFile(join(at, "opa.json"), JSON.stringify({ persistence_directory: at, ...config }));
  const address = `127.0.0.1:${await freePort()}`;
  const args = ["run", "--server", "--addr", address, "--config-file", join(at, "opa.json")];
  const child = spawn("opa", [...args, "--disable-telemetry"], { cwd: at, env, stdio: "ignore" });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  await eventually(async () => (await statusOf(`http://${address}/health`)) === 200, 60_000);
  return `http://${address}`;
}

async function statusOf(url: string): Promise<number | undefined> {
  return await fetch(url).then(
    ({ status }) => status,
    () => undefined,
  );
}

async function isActive(opa: string): Promise<boolean> {
  return (await statusOf(`${opa}/health?bundles`)) === 200;
}

async function decide(opa: string): Promise<unknown> {
  const answer = await fetch(`${opa}/v1/data/mcp/crm/decision`, {
    method: "POST",
    body: JSON.stringify({ input }),
  });
  return Object(await answer.json()).result;
}

/** What we say to the same question. */
async function ourDecision(): Promise<unknown> {
  const path = join(folder, "input.json");
  await writeFile(path, JSON.stringify(input));
  return JSON.parse(await cli("policy", "eval", "bundles/crm", "--input", path, "-o", "json"));
}

const polling = { min_delay_seconds: 1, max_delay_seconds: 1 };

describe.skipIf(!hasOpa)("OPA's own server", () => {
  test(
    "takes our bundle from a registry and decides as we do",
    async () => {
      const opa = await startOpa({
        services: { registry: { url: `http://${host}`, type: "oci" } },
        bundles: { crm: { service: "registry", resource: `${host}/policies/crm:1.0`, polling } },
      });
      await eventually(async () => await isActive(opa), 60_000);
      const ours = await ourDecision();
      expect(ours).toMatchObject({ allow: [{ rule: { custom: { id: "crm.read" } } }], deny: [] });
      expect(await decide(opa)).toEqual(ours);
    },
    limitMs,
  );

  test(
    "takes it from a bundle service by our signature, and not by another's",
    async () => {
      const path = join(folder, "signed.tar.gz");
      await writeFile(path, archive);
      const sign = ["--opa", "--algorithm", "ES256", "--keyid", "release", "--scope", "write"];
      await cli("bundle", "sign", path, "--key", join(folder, "release.key"), ...sign);
      const signed = await readFile(path);
      const asked: (string | undefined)[] = [];
      const server = createServer(({ url }, response) => {
        asked.push(url);
        response.end(signed);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const start = async (resource: string, publicPem: string) =>
        await startOpa({
          services: { policies: { url: `http://127.0.0.1:${portOf(server.address())}` } },
          keys: { release: { algorithm: "ES256", key: publicPem } },
          bundles: {
            crm: {
              service: "policies",
              resource,
              signing: { keyid: "release", scope: "write" },
              polling,
            },
          },
        });
      const [trusting, other] = [
        await start("crm.tar.gz", key.publicPem),
        await start("other.tar.gz", ownKey("ec").publicPem),
      ];
      await eventually(async () => await isActive(trusting), 60_000);
      expect(await decide(trusting)).toEqual(await ourDecision());
      // Asked for again, so the first one was looked at.
      const others = () => asked.filter((url) => url === "/other.tar.gz").length;
      await eventually(() => others() > 1, 60_000);
      expect(await isActive(other)).toBe(false);
      expect(await decide(other)).toBeUndefined();
    },
    limitMs,
  );
});
