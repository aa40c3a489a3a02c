/**
 * Compiles every folder of policy sources and puts the bundles into one OCI layout, each under a tag
 * of its own name. One toolchain for all, since starting it costs more than a build.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pushBundle } from "../dist/bundle/push-bundle.js";
import { parseReference } from "../dist/bundle/reference.js";
import { systemClock } from "../dist/config/ambient.js";
import { buildPolicyFolder } from "../dist/rego/build-policy-folder.js";
import { resolveLibraries } from "../dist/cli/bundle/resolve-libraries.js";
import { createRegoToolchain } from "../dist/rego/create-rego-toolchain.js";

/**
 * @param {string} sources folder of policy folders
 * @param {string} layout path of the OCI layout, made where it is missing
 */
export async function buildBundles(sources, layout) {
  const names = readdirSync(sources).filter((name) => existsSync(join(sources, name, ".manifest")));
  const toolchain = createRegoToolchain();
  try {
    for (const name of names) {
      const folder = join(sources, name);
      const built = await buildPolicyFolder(toolchain, folder, undefined, (policy) =>
        resolveLibraries(policy, folder, { toolchain, dependencies: noSources }),
      );
      const reference = parseReference(`oci-layout:${layout}:${name}`);
      const registry = { clock: systemClock, credentials: () => undefined };
      const pushed = await pushBundle(built.files, reference, { registry });
      process.stderr.write(`bundle ${name} ${pushed.digest}\n`);
    }
  } finally {
    await toolchain.close();
  }
}

/**
 * Policies of this package require libraries of this package, by their folders.
 *
 * @returns {never}
 */
function noSources() {
  throw new Error("expected the libraries of a policy beside it (file:), found another reference");
}
