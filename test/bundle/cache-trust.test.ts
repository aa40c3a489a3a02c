/**
 * What is in the cache says nothing for itself. Commands that look at a bundle put nothing there;
 * one that is pulled is there, and is judged as if it came from the registry.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import type { SourceTrust } from "../../src/config/config.ts";
import { packBundle } from "../../src/bundle/archive.ts";
import { openKeeper } from "../../src/bundle/life/open-keeper.ts";
import { bundleManifest, dependencies, registryWithBundle } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";
import { ownKey } from "./verify/support.ts";

const signer = { type: "cosign-key", name: "release", key: ownKey().publicPem } as const;

/** A registry with a bundle that opens, a folder to work in, and its cache. */
async function world() {
  const folder = temporaryFolder();
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
  const registry = await registryWithBundle();
  const cli = async (...args: readonly string[]) => await runCli(args, folder, env);
  const keyPath = join(folder, "release.pub");
  await writeFile(keyPath, signer.key);
  return { registry, cli, keyPath, folder, cachePath: join(folder, "cache", "mcp-gateway") };
}

/** What a gateway with that cache makes active, and why not more. */
async function startGateway(reference: string, cachePath: string, trust: SourceTrust) {
  const activated: (string | undefined)[] = [];
  const codes: (string | null)[] = [];
  const keeper = await openKeeper(
    {
      wanted: { name: "crm", kind: "server" },
      reference,
      trust,
      activation: "auto",
      locked: undefined,
      pollMs: undefined,
      maxStalenessMs: undefined,
      longPollMs: undefined,
    },
    {
      ...dependencies(),
      cachePath,
      place: { stateDir: temporaryFolder(), clock: systemClock },
      clock: systemClock,
      random: () => 0.5,
      test: undefined,
      activate: async (bundle) => {
        activated.push(bundle?.digest);
        return { ok: true };
      },
      record: async ({ code }) => void codes.push(code),
    },
  );
  await keeper.start();
  await keeper.close();
  return { activated, codes };
}

describe("a command that looks at a bundle", () => {
  test("puts nothing into the cache", async () => {
    const { registry, cli, keyPath, cachePath } = await world();
    const inspected = await cli("bundle", "inspect", registry.reference, "-o", "json");
    expect(inspected).toMatchObject({ exitCode: 0 });
    const verified = await cli("bundle", "verify", registry.reference, "--key", keyPath);
    expect(verified).toMatchObject({ exitCode: 8 });
    expect(existsSync(cachePath)).toBe(false);
    expect(await cli("bundle", "pull", registry.reference)).toMatchObject({ exitCode: 0 });
    expect(existsSync(cachePath)).toBe(true);
  });

  test("puts nothing there either where it pulls what does not open", async () => {
    const { registry, cli, cachePath } = await world();
    const files = tinyFiles({ name: "crm" }, { "policy.wasm": undefined });
    registry.putManifest("v1", bundleManifest(registry, Buffer.from(packBundle(files))));
    expect(await cli("bundle", "pull", registry.reference)).toMatchObject({ exitCode: 3 });
    expect(existsSync(cachePath)).toBe(false);
  });
});

describe("a bundle that was pulled, with the registry away", () => {
  async function pulled() {
    const made = await world();
    expect(await made.cli("bundle", "pull", made.registry.reference)).toMatchObject({
      exitCode: 0,
    });
    await made.registry.close();
    return { ...made, pinned: `${made.registry.reference}@${made.registry.digest}` };
  }

  test("is not active where its tag is configured: nobody says what that stands for", async () => {
    const { registry, cachePath } = await pulled();
    const started = await startGateway(registry.reference, cachePath, {
      require: "none",
      signers: [],
    });
    expect(started.activated).toEqual([]);
  });

  test("is not active where a signature is required", async () => {
    const { pinned, cachePath } = await pulled();
    const trust = { require: "signature", signers: [signer] } as const;
    const { activated } = await startGateway(pinned, cachePath, trust);
    expect(activated).toEqual([]);
  });

  test("is active where its digest is configured, and that is enough", async () => {
    const { pinned, registry, cachePath } = await pulled();
    const trust = { require: "digest", signers: [] } as const;
    const { activated } = await startGateway(pinned, cachePath, trust);
    expect(activated).toEqual([registry.digest]);
  });
});
