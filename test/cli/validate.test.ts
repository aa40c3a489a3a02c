import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { registerValidateCommand } from "../../src/cli/validate.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const folder = temporaryFolder();

interface Run {
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly exit: number | undefined;
}

async function run(...args: readonly string[]): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  let exit: number | undefined;
  const io: CliIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: { HOME: folder },
    cwd: folder,
    columns: undefined,
    exit: (code) => (exit = code),
  };
  const program = new Command().exitOverride();
  registerValidateCommand(program, io);
  await program.parseAsync(["node", "mcp-gateway", "validate", ...args]);
  return { out, err, exit };
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const good = `{ "agent": {"id": "a"}, "user": {"id": "u"}, "servers": { "crm": {"command": "x"} } }`;
const bad = `{ "agent": {"id": "a"}, "user": {"id": "u"},\n\t"servers": {}, "layer": "\u202e" }`;

describe("validate", () => {
  test("a good file exits 0 with its warnings and a summary on stderr and nothing on stdout", async () => {
    const path = write("good.json", good);
    const result = await run(path);
    expect(result.exit).toBe(0);
    expect(result.out).toEqual([]);
    expect(result.err).toEqual([
      `${path}:1:59: warning: servers.crm has no policy: every call to it is denied with no_policy`,
      `    { "agent": {"id": "a"}, "user": {"id": "u"}, "servers": { "crm": {"command": "…"} } }`,
      `    ${" ".repeat(58)}^`,
      `${path}: valid (1 server, 0 layers, strict)`,
    ]);
  });

  test("a bad file exits 3 with place, line and caret on stderr", async () => {
    const path = write("bad.json", bad);
    const result = await run(path);
    expect(result.exit).toBe(3);
    expect(result.out).toEqual([]);
    expect(result.err).toEqual([
      `${path}:2:17: unknown key "layer" at the top level; did you mean "layers"?`,
      `    "servers": {}, "layer": "…" }`,
      `                   ^`,
    ]);
  });

  test("-o json prints the problems on stdout and nothing on stderr", async () => {
    const path = write("bad.json", bad);
    const result = await run("-o", "json", "--config", path);
    expect(result.exit).toBe(3);
    expect(result.err).toEqual([]);
    expect(JSON.parse(result.out.join("\n"))).toEqual({
      valid: false,
      path,
      error: { code: "config_invalid", message: "1 problem in the configuration" },
      problems: [
        {
          line: 2,
          column: 17,
          pointer: "/layer",
          message: 'unknown key "layer" at the top level; did you mean "layers"?',
        },
      ],
      warnings: [],
    });
  });

  test("-o json of a good file says so", async () => {
    const result = await run("-o", "json", write("good.json", good));
    expect(result.exit).toBe(0);
    expect(JSON.parse(result.out.join("\n"))).toMatchObject({ valid: true, posture: "strict" });
  });

  test("without a file the one that serve would use is checked", async () => {
    const path = write("mcp-gateway.config.json", good);
    const result = await run();
    expect(result.err.at(-1)).toContain(`${path}: valid`);
    rmSync(path);
  });

  test("a missing file exits 3 with its code", async () => {
    const result = await run("none.json");
    expect(result.exit).toBe(3);
    expect(result.err).toHaveLength(1);
    expect(result.err[0]).toContain(join(folder, "none.json"));
    expect(result.err[0]).toContain("[config_not_found]");
  });

  test("a control character of the file does not reach the terminal", async () => {
    const result = await run(write("evil.json", `{ "\\u001b[2J\\u202e": 1 }`));
    expect(result.exit).toBe(3);
    expect(result.err.join("")).not.toMatch(/[\u001b\u202e]/);
  });
});
