/**
 * A message that sends a person to a command has the command whole, ready to be run.
 */
import { expect, test } from "vitest";
import { createWorld, why } from "./bundle-world.ts";
import { runCli } from "../support/cli-run.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const unknown = "0".repeat(12);
const history = /see mcp-gateway bundle history crm(?:$|[ ,])/m;

test.each([
  ["activate", ["activate", "crm", unknown, ...why]],
  ["activate, where nothing waits", ["activate", "crm"]],
  ["revoke", ["revoke", "crm", unknown, ...why]],
  ["rollback --to", ["rollback", "crm", "--to", unknown, ...why]],
])("bundle %s names the history of its source", async (_, words) => {
  const { cli } = await createWorld();
  const { exitCode, err } = await cli("bundle", ...words);
  expect(exitCode).toBe(2);
  expect(err).toMatch(history);
});

test("bundle rollback names it where no bundle is left to go back to", async () => {
  const { cli, v1 } = await createWorld();
  await cli("bundle", "revoke", "crm", v1, ...why);
  const { exitCode, err } = await cli("bundle", "rollback", "crm", ...why);
  expect(exitCode).toBe(2);
  expect(err).toMatch(history);
});

test("bundle rollback names it, and how to activate a bundle that never was", async () => {
  const { cli, v3 } = await createWorld();
  const { exitCode, err } = await cli("bundle", "rollback", "crm", "--to", v3, ...why);
  expect(exitCode).toBe(2);
  expect(err).toMatch(history);
  expect(err).toContain(`mcp-gateway bundle activate crm ${v3} --why REASON`);
});

test.each([
  [["crm"], "begins with sha256:000000000000; see mcp-gateway bundle history crm"],
  [["crm", "mail"], "; see mcp-gateway bundle history NAME (crm, mail)"],
])("replay names the histories of %j, which it looked through", async (servers, said) => {
  const policy = { bundle: "oci://127.0.0.1:9/policies/x:live", require: "none" };
  const config = writeFixtureConfig(Object.fromEntries(servers.map((name) => [name, { policy }])));
  const { exitCode, err } = await replayUnknown(config);
  expect(exitCode).toBe(2);
  expect(err).toContain(said);
});

test("replay names no history where nothing has a policy", async () => {
  const { exitCode, err } = await replayUnknown(writeFixtureConfig({ crm: {} }));
  expect(exitCode).toBe(2);
  expect(err).toContain("found none that begins with sha256:000000000000");
  expect(err).not.toContain("bundle history");
});

async function replayUnknown(config: string): ReturnType<typeof runCli> {
  const words = ["replay", `sha256:${unknown}`, "--since", "1h", "--config", config];
  const folder = temporaryFolder();
  return await runCli(words, folder, { HOME: folder, MCP_GATEWAY_STATE: `${folder}/state` });
}
