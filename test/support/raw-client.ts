/**
 * An MCP client on raw JSON-RPC lines, for what an SDK would not send or would hide.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Command } from "./gateway-process.ts";

export interface RawClient {
  readonly child: ChildProcessWithoutNullStreams;
  /** Every line of stdout, parsed; a line that is no JSON is kept as a string. */
  readonly received: unknown[];
  readonly stderr: () => string;
  readonly send: (message: unknown) => void;
  /** Sends a request and resolves with its answer. */
  readonly request: (method: string, params?: object) => Promise<Record<string, unknown>>;
  readonly call: (name: string, args?: object) => Promise<Record<string, unknown>>;
  /** Ends the input and resolves with the exit code; all that was written has been read by then. */
  readonly end: () => Promise<number | null>;
}

export async function startRawClient(command: Command, greeted: object = {}): Promise<RawClient> {
  const child = spawn(command.command, command.args, { env: command.env });
  const received: unknown[] = [];
  const errors: Buffer[] = [];
  const waiting = new Map<unknown, (answer: Record<string, unknown>) => void>();
  let nextId = 1;
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = parse(line);
    received.push(message);
    if (typeof message !== "object" || message === null || !("id" in message)) return;
    waiting.get(message.id)?.({ ...message });
  });
  const send = (message: unknown): void => {
    child.stdin.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  };
  const request: RawClient["request"] = (method, params = {}) => {
    const id = nextId;
    nextId += 1;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      send({ jsonrpc: "2.0", id, method, params });
    });
  };
  const greeting = request("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "raw", version: "1" },
    ...greeted,
  });
  const closed = once(child, "close");
  const gone = closed.then(() => {
    throw new Error(`the gateway ended: ${Buffer.concat(errors).toString("utf8")}`);
  });
  gone.catch(() => {});
  await Promise.race([greeting, gone]);
  send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return {
    child,
    received,
    stderr: () => Buffer.concat(errors).toString("utf8"),
    send,
    request,
    call: (name, args = {}) => request("tools/call", { name, arguments: args }),
    end: async () => {
      child.stdin.end();
      await closed;
      return child.exitCode;
    },
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
