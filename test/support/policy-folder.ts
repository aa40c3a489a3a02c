/**
 * A folder of policy sources as an author has it, with tests that pass or do not.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const policy = `package mcp.crm

allow contains "anything" if input.action.type == "tool_call"
`;

/** What is in such a folder; `passes` says whether its one test does. */
export function policySources(passes = true): Readonly<Record<string, string>> {
  const wanted = passes ? 1 : 2;
  return {
    ".manifest": JSON.stringify({
      revision: "1.0.0",
      roots: ["mcp/crm"],
      metadata: { name: "crm", layer: "server", policy_package: "mcp.crm" },
    }),
    "policy.rego": policy,
    "policy_test.rego": `package mcp.crm_test

import data.mcp.crm

test_a_call_is_allowed if count(crm.allow) == ${wanted} with input as {"action": {"type": "tool_call"}}
`,
  };
}

/** Writes files into a new folder and gives its path. */
export async function writeSources(
  folder: string,
  files: Readonly<Record<string, string>> = policySources(),
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}
