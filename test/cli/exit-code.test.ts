import { mkdirSync, chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { runCli } from "../support/cli-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("an error of ours has the exit code of its kind, whatever command it ends", () => {
  expect(exitCodeOf(new ConfigError("config_invalid", "x"))).toBe(3);
});

test.each([
  ["a system error", Object.assign(new Error("x"), { code: "ENOENT" })],
  ["a code that every object has", Object.assign(new Error("x"), { code: "constructor" })],
  ["an error without a code", new RangeError("x")],
  ["what is no error", "x"],
])("%s is exit code 1", (_, thrown) => {
  expect(exitCodeOf(thrown)).toBe(1);
});

describe("a configuration that is missing", () => {
  test.each([
    "serve --stdio --config none.json",
    "validate none.json",
    "decision list --config none.json",
    "bundle list --config none.json",
  ])("ends %s with exit code 3 and its code", async (line) => {
    const folder = temporaryFolder();
    const ended = await runCli(line.split(" "), folder, { HOME: folder });
    expect(ended).toMatchObject({ exitCode: 3, out: "" });
    expect(ended.err).toMatch(/^error: expected a configuration at .* \[config_not_found\]$/);
  });
});

describe("a folder without a policy", () => {
  test.each(["policy check none", "bundle push none oci-layout:dist:x"])(
    "ends %s with exit code 3 and its code",
    async (line) => {
      const folder = temporaryFolder();
      const ended = await runCli(line.split(" "), folder, { HOME: folder });
      expect(ended).toMatchObject({ exitCode: 3, out: "" });
      expect(ended.err).toMatch(/^error: expected a folder with a policy at .* \[rego_invalid\]$/);
    },
  );
});

test.skipIf(process.platform === "win32")(
  "a state folder that others can write to ends serve with exit code 3 and its code",
  async () => {
    const folder = temporaryFolder();
    const state = join(folder, "state");
    mkdirSync(state);
    chmodSync(state, 0o777);
    const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
    writeFileSync(join(folder, "c.json"), JSON.stringify(config), { mode: 0o600 });
    const env = { HOME: folder, MCP_GATEWAY_STATE: state };
    const ended = await runCli(["serve", "--stdio", "--config", "c.json"], folder, env);
    expect(ended).toMatchObject({ exitCode: 3, out: "" });
    expect(ended.err).toMatch(/^error: .*run chmod go-w .* \[state_dir_insecure\]$/);
  },
);
