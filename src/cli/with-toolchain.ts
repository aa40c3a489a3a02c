/**
 * One command's use of the Rego toolchain, which is loaded when a policy has to be compiled or read
 * and not before.
 */
import type { RegoToolchain } from "../rego/create-rego-toolchain.ts";

/** Runs a step with a toolchain of its own and closes it, so that its process can end. */
export async function withToolchain<Value>(
  use: (toolchain: RegoToolchain) => Promise<Value>,
): Promise<Value> {
  const { createRegoToolchain } = await import("../rego/create-rego-toolchain.ts");
  const toolchain = createRegoToolchain();
  try {
    return await use(toolchain);
  } finally {
    await toolchain.close();
  }
}
