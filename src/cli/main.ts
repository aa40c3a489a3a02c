#!/usr/bin/env node
/**
 * The bin `mcp-gateway`: the process's own arguments, streams and environment, and nothing else.
 */
import type { CliIo } from "./io.ts";
import { run } from "./run.ts";

const io: CliIo = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  env: process.env,
  cwd: process.cwd(),
  columns: process.stdout.columns,
  exit: (code) => {
    process.exitCode = code;
  },
};

await run(process.argv.slice(2), io);
