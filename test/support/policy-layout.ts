/**
 * Bundles for a test: Rego text in, an OCI layout out, built and pushed as an author would.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { systemClock } from "../../src/config/ambient.ts";
import type { LayerKind } from "../../src/contract/bundle.ts";
import { buildPolicyFolder } from "../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface TestPolicy {
  readonly rego: string;
  readonly layer?: LayerKind;
  /** More of the manifest's own, such as `counters`. */
  readonly metadata?: object;
}

/** Builds each policy (package `test.NAME`) into a fresh layout under its name; returns its path. */
export async function buildLayout(policies: Readonly<Record<string, TestPolicy>>): Promise<string> {
  const folder = temporaryFolder();
  const layout = join(folder, "layout");
  const toolchain = createRegoToolchain();
  try {
    for (const [name, { rego, layer = "server", metadata: more }] of Object.entries(policies)) {
      const sources = join(folder, name);
      const root = name.replaceAll("-", "_");
      const metadata = { name, layer, policy_package: `test.${root}`, ...more };
      mkdirSync(sources);
      writeFileSync(
        join(sources, ".manifest"),
        JSON.stringify({ revision: "1", roots: [`test/${root}`], metadata }),
      );
      writeFileSync(join(sources, "policy.rego"), `package test.${root}\n\n${rego}\n`);
      const built = await buildPolicyFolder(toolchain, sources);
      const registry = { clock: systemClock, credentials: () => undefined };
      await pushBundle(built.files, parseReference(`oci-layout:${layout}:${name}`), { registry });
    }
    return layout;
  } finally {
    await toolchain.close();
  }
}

/** A policy that lets everything through. */
export const allowAll: TestPolicy = {
  rego: 'allow contains "anything" if input.action.type == "tool_call"',
};
