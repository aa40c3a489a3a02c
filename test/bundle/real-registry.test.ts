import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openArchive, packBundle } from "../../src/bundle/archive.ts";
import type { BundleFiles } from "../../src/bundle/compile-policy.ts";
import { describeBytes } from "../../src/bundle/oci-document.ts";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { buildSourceFolder } from "../../src/cli/bundle/build-sources.ts";
import { isInstalled, runProgram, startDockerRegistry } from "../support/docker-registry.ts";
import type { DockerRegistry } from "../support/docker-registry.ts";
import { dependencies, loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { sha256 } from "../support/fake-registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasRegistry = isInstalled("docker-registry");
const hasSkopeo = isInstalled("skopeo");
const hasHtpasswd = isInstalled("htpasswd");
const credentials = { username: "alice", password: "correct horse" };

let files: BundleFiles;
beforeAll(async () => {
  if (hasRegistry) files = await buildSourceFolder("bundles/crm", "server", dependencies());
});

async function startRegistry(users?: Readonly<Record<string, string>>): Promise<DockerRegistry> {
  const registry = await startDockerRegistry(temporaryFolder(), users);
  onTestFinished(registry.close);
  return registry;
}

async function push(registry: DockerRegistry, tag = "v1") {
  const reference = parseReference(`oci://${registry.host}/acme/policies/crm:${tag}`);
  return await pushBundle(files, reference, { registry: registryOptions() });
}

/** The artifact of the OPA documentation: `oras push` of `opa build`'s archive, as a layout. */
async function layoutInOpaForm(archive: Uint8Array): Promise<string> {
  const folder = temporaryFolder();
  const blobs = join(folder, "blobs", "sha256");
  const config = Buffer.from("{}");
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: describeBytes(config, "application/vnd.oci.image.config.v1+json"),
      layers: [
        {
          ...describeBytes(archive, "application/vnd.oci.image.layer.v1.tar+gzip"),
          annotations: { "org.opencontainers.image.title": "bundle.tar.gz" },
        },
      ],
    }),
  );
  await mkdir(blobs, { recursive: true });
  for (const bytes of [config, manifest, archive]) {
    await writeFile(join(blobs, sha256(bytes).slice("sha256:".length)), bytes);
  }
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion": "1.0.0"}');
  const entry = {
    ...describeBytes(manifest, "application/vnd.oci.image.manifest.v1+json"),
    annotations: { "org.opencontainers.image.ref.name": "opa" },
  };
  await writeFile(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
  );
  return folder;
}

describe.skipIf(!hasRegistry)("Debian's docker-registry", () => {
  test("takes a bundle and gives it back under the digest that was printed", async () => {
    const registry = await startRegistry();
    const pushed = await push(registry);
    const loaded = await loadCrm(`oci://${registry.host}/acme/policies/crm:v1`);
    if (!loaded.ok) throw loaded.error;
    expect(loaded.bundle.digest).toBe(pushed.digest);
    expect(loaded.bundle.entrypoints.decision).toBe("mcp/crm/decision");
    expect(Buffer.from(loaded.bundle.wasm)).toEqual(Buffer.from(files.get("policy.wasm") ?? []));
    expect(await outcomeOf(loadCrm(pushed.reference))).toBe("ok");
  });

  test("stores the same digest when the same bundle is pushed twice", async () => {
    const registry = await startRegistry();
    expect((await push(registry, "again")).digest).toBe((await push(registry)).digest);
  });

  test("knows no other tag", async () => {
    const registry = await startRegistry();
    await push(registry);
    const other = loadCrm(`oci://${registry.host}/acme/policies/crm:v2`);
    expect(await outcomeOf(other)).toBe("bundle_not_found");
  });

  test("asks for a password, gets it, and refuses a wrong one", async () => {
    if (!hasHtpasswd) return;
    const registry = await startRegistry({ [credentials.username]: credentials.password });
    const reference = `oci://${registry.host}/acme/policies/crm:v1`;
    const options = (password: string) =>
      registryOptions({ credentials: () => ({ ...credentials, password }) });
    await pushBundle(files, parseReference(reference), {
      registry: options(credentials.password),
    });
    const load = (registry = registryOptions()) => outcomeOf(loadCrm(reference, { registry }));
    expect(await load(options(credentials.password))).toBe("ok");
    expect(await load(options("wrong"))).toBe("bundle_unauthorized");
    expect(await load()).toBe("bundle_unauthorized");
  });
});

describe.skipIf(!hasRegistry || !hasSkopeo)("skopeo", () => {
  test("copies a pushed bundle into a layout that we read, digest unchanged", async () => {
    const registry = await startRegistry();
    const pushed = await push(registry);
    const layout = join(temporaryFolder(), "layout");
    await runProgram("skopeo", [
      "copy",
      "--src-tls-verify=false",
      `docker://${registry.host}/acme/policies/crm:v1`,
      `oci:${layout}:copied`,
    ]);
    const loaded = await loadCrm(`oci-layout:${layout}:copied`);
    expect(loaded).toMatchObject({
      ok: true,
      bundle: { digest: pushed.digest, origin: "layout" },
    });
  });

  test("puts a bundle in OPA's form into the registry, from where we pull it", async () => {
    const registry = await startRegistry();
    const archive = packBundle(files);
    const layout = await layoutInOpaForm(archive);
    await runProgram("skopeo", [
      "copy",
      "--dest-tls-verify=false",
      `oci:${layout}:opa`,
      `docker://${registry.host}/opa/crm:v1`,
    ]);
    const loaded = await loadCrm(`oci://${registry.host}/opa/crm:v1`);
    expect(loaded).toMatchObject({ ok: true, bundle: { name: "crm", origin: "registry" } });
  });

  test("reads the layout that we push to, and another tag moves nothing", async () => {
    const layout = join(temporaryFolder(), "layout");
    for (const tag of ["v1", "v2"]) {
      await pushBundle(files, parseReference(`oci-layout:${layout}:${tag}`), {
        registry: registryOptions(),
      });
    }
    const copy = join(temporaryFolder(), "copy");
    await runProgram("skopeo", ["copy", `oci:${layout}:v1`, `oci:${copy}:v1`]);
    expect(await outcomeOf(loadCrm(`oci-layout:${copy}:v1`))).toBe("ok");
    const manifest = await runProgram("skopeo", ["inspect", "--raw", `oci:${layout}:v2`]);
    expect(JSON.parse(manifest)).toMatchObject({
      artifactType: "application/vnd.mcp-gateway.policy-bundle.v1",
      config: { mediaType: "application/vnd.oci.empty.v1+json" },
    });
  });

  test("reads the cache as a layout", async () => {
    const registry = await startRegistry();
    const pushed = await push(registry);
    const folder = temporaryFolder();
    const reference = `oci://${registry.host}/acme/policies/crm:v1`;
    const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
    const pulled = await runCli(["bundle", "pull", reference], folder, env);
    expect(pulled).toMatchObject({ err: "" });
    const cache = join(folder, "cache", "mcp-gateway");
    const copy = join(temporaryFolder(), "copy");
    const name = reference.slice("oci://".length);
    await runProgram("skopeo", ["copy", `oci:${cache}:${name}`, `oci:${copy}:v1`]);
    const index = JSON.parse(await readFile(join(copy, "index.json"), "utf8"));
    expect(index.manifests[0].digest).toBe(pushed.digest);
  });
});

test.skipIf(!hasRegistry)("the archive that is pushed is the one that was built", () => {
  expect(openArchive(packBundle(files)).get("policy.rego")?.toString()).toContain(
    "package mcp.crm",
  );
});

test("a program that is missing fails in CI and skips elsewhere", () => {
  expect(isInstalled("no-such-program", false)).toBe(false);
  expect(() => isInstalled("no-such-program", true)).toThrow("expected no-such-program");
});
