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
      const built = await buildPolicyFolder(toolchain, join(sources, name));
      const reference = parseReference(`oci-layout:${layout}:${name}`);
      const registry = { clock: systemClock, credentials: () => undefined };
      const pushed = await pushBundle(built.files, reference, { registry });
      process.stderr.write(`bundle ${name} ${pushed.digest}\n`);
    }
  } finally {
    await toolchain.close();
  }
}
