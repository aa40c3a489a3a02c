#!/usr/bin/env node
/**
 * The bin `mcp-gateway`: the process's own arguments, streams and environment, and nothing else.
 */
import { text } from "node:stream/consumers";
import type { CliIo } from "./io.ts";
import { run } from "./run.ts";

const io: CliIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
  readStdin: async () => await text(process.stdin),
  columns: process.stdout.columns,
  draw: process.stderr.isTTY ? (drawn) => void process.stderr.write(drawn) : undefined,
  untilInterrupted: () => {
    const interruption = new AbortController();
    const end = (): void => interruption.abort();
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, end);
    process.stdout.once("error", end);
    return interruption.signal;
  },
  exit: (code) => {
    process.exitCode = code;
  },
};

// Who reads us may stop reading (`| head`); what is left to say then goes nowhere, without a trace.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

/** A command is over when it says so; a hung socket behind it does not hold the process. */
const lingerMs = 1000;

await run(process.argv.slice(2), io);
setTimeout(() => process.exit(), lingerMs).unref();
