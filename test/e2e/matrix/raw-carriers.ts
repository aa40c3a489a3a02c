/**
 * JSON-RPC messages on stdio and on Streamable HTTP with nothing of an SDK between.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { z } from "zod";
import type { Command } from "../../support/gateway-process.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Era, Json } from "./matrix-client.ts";

export interface Carrier {
  /** Sends a message; `signal` ends what waits for its answer. */
  readonly send: (message: Json, signal?: AbortSignal) => Promise<void>;
  /** Opens the stream for what belongs to no request, where the carrier has one. */
  readonly open: () => void;
  readonly close: () => Promise<void>;
}

export type Receive = (message: Json) => void;

const message = z.record(z.string(), z.unknown());
const revisions = { legacy: "2025-11-25", modern: "2026-07-28" } as const;

export function openCarrier(endpoint: Endpoint, era: Era, receive: Receive): Carrier {
  return endpoint.carrier === "stdio"
    ? openStdio(endpoint.command, receive)
    : openHttp(endpoint.url, era, receive);
}

function openStdio({ command, args, env }: Command, receive: Receive): Carrier {
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) =>
    receive(message.parse(JSON.parse(line))),
  );
  return {
    send: (sent) => {
      child.stdin.write(`${JSON.stringify(sent)}\n`);
      return Promise.resolve();
    },
    open: () => {},
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      clearTimeout(timer);
    },
  };
}

function openHttp(url: string, era: Era, receive: Receive): Carrier {
  const ending = new AbortController();
  let session: string | undefined;
  const headers = (sent?: Json): Record<string, string> => ({
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(session === undefined ? {} : { "mcp-session-id": session }),
    ...(sent?.["method"] === "initialize" ? {} : { "mcp-protocol-version": revisions[era] }),
    ...(era === "modern" && sent !== undefined ? mirrors(sent) : {}),
  });
  return {
    send: async (sent, given) => {
      const signal = given === undefined ? ending.signal : AbortSignal.any([ending.signal, given]);
      const body = JSON.stringify(sent);
      const response = await fetch(url, { method: "POST", headers: headers(sent), body, signal });
      session ??= response.headers.get("mcp-session-id") ?? undefined;
      void read(response, receive).catch(() => {});
    },
    open: () => {
      if (era === "modern") return;
      void fetch(url, { headers: headers(), signal: ending.signal })
        .then((response) => read(response, receive))
        .catch(() => {});
    },
    close: async () => {
      if (session !== undefined) await fetch(url, { method: "DELETE", headers: headers() });
      ending.abort();
    },
  };
}

const mirrored = z.object({
  method: z.string().optional(),
  params: z
    .looseObject({
      name: z.string().optional(),
      uri: z.string().optional(),
      taskId: z.string().optional(),
    })
    .optional(),
});

/** Headers of 2026-07-28 that repeat what the body says. */
function mirrors(sent: Json): Record<string, string> {
  const { method = "", params = {} } = mirrored.parse(sent);
  const names = new Map([
    ["tools/call", params.name],
    ["prompts/get", params.name],
    ["resources/read", params.uri],
    ["tasks/get", params.taskId],
    ["tasks/update", params.taskId],
    ["tasks/cancel", params.taskId],
  ]);
  const name = names.get(method);
  return { "mcp-method": method, ...(name === undefined ? {} : { "mcp-name": name }) };
}

async function read(response: Response, receive: Receive): Promise<void> {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/json")) {
    receive(message.parse(await response.json()));
    return;
  }
  if (!type.startsWith("text/event-stream") || response.body === null) {
    await response.body?.cancel();
    return;
  }
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) {
    if (data !== "") receive(message.parse(JSON.parse(data)));
  }
}
