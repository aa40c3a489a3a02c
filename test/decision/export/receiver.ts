/**
 * A receiver of OPA's decision logs that does what a test wants of it, and keeps what it took.
 */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { portOf } from "../../support/fake-registry.ts";

/**
 * `cut`: the connection ends without an answer; `hang`: there is none; `lose`: it is taken, and there
 * is none; a number: the status.
 */
export type Mode = number | "take" | "cut" | "hang" | "lose";

export interface ReceivedEvent {
  readonly decision_id: string;
  readonly custom: { readonly mcp_gateway: { readonly writer: string; readonly seq: number } };
}

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly ReceivedEvent[];
  readonly bytes: number;
}

export interface Receiver {
  readonly url: string;
  /** How each request is met, from its events; changed by tests. */
  mode: (events: readonly ReceivedEvent[]) => Mode;
  /** Where answers point to. */
  location: string;
  readonly requests: Request[];
  /** Of requests that were taken, in order, repeated ones too. */
  readonly taken: ReceivedEvent[];
}

/** Listens on loopback until the test ends. */
export async function startReceiver(mode: Mode = "take"): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const text = gunzipSync(Buffer.concat(chunks)).toString("utf8");
      const events: readonly ReceivedEvent[] = JSON.parse(text);
      receiver.requests.push({ headers: request.headers, events, bytes: text.length });
      response.setHeader("location", receiver.location);
      answer(response, receiver.mode(events), () => receiver.taken.push(...events));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${portOf(server.address())}/logs`;
  const location = "http://127.0.0.1:1/elsewhere";
  const receiver: Receiver = { url, mode: () => mode, location, requests: [], taken: [] };
  return receiver;
}

function answer(response: ServerResponse, mode: Mode, take: () => void): void {
  if (mode === "take" || mode === "lose") take();
  if (mode === "hang" || mode === "lose") return;
  if (mode === "cut") return void response.destroy();
  const status = mode === "take" ? 204 : mode;
  response.writeHead(status);
  response.end(status === 204 ? undefined : "private words of the receiver");
}
