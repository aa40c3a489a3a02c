/**
 * Runs a command line in this process and keeps what it wrote.
 */
import { run } from "../../src/cli/run.ts";

export interface CliOutcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `mcp-gateway` with these arguments. */
export async function runCli(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  stdin = "",
): Promise<CliOutcome> {
  const out: string[] = [];
  const err: string[] = [];
  let exitCode = 0;
  await run(args, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env,
    cwd,
    readStdin: () => Promise.resolve(stdin),
    columns: undefined,
    exit: (code) => {
      exitCode = code;
    },
  });
  return { exitCode, out: out.join("\n"), err: err.join("\n") };
}
