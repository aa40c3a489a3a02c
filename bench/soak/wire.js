/**
 * HTTP of one client: connections of its own that are kept alive, and answers as one JSON object or
 * as a stream of events. It knows no session and no era; what a message means is left to others.
 */
import { Agent, request as httpRequest } from "node:http";
import { createParser } from "eventsource-parser";

/**
 * @typedef {Record<string, any>} Message
 * @typedef {{ status: number, session: string | undefined, messages: number, isCut: boolean }} Ended
 * @typedef {{ method: "POST" | "GET" | "DELETE", headers: Record<string, string>, body?: Message,
 *   signal?: AbortSignal | undefined, onMessage?: (message: Message) => void,
 *   onOpen?: () => void }} Sent
 * @typedef {{ send: (sent: Sent) => Promise<Ended>, close: () => void }} Wire
 */

/**
 * Opens nothing before the first `send`; `close` breaks every connection.
 *
 * @param {string} url
 * @param {string} token
 * @returns {Wire}
 */
export function createWire(url, token) {
  const agent = new Agent({ keepAlive: true });
  const common = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
  };
  return {
    send: (sent) =>
      new Promise((resolve, reject) => {
        const { method, signal, body } = sent;
        const headers = { ...common, ...sent.headers };
        const request = httpRequest(url, { method, headers, agent });
        const cut = () => void request.destroy();
        signal?.addEventListener("abort", cut, { once: true });
        const end = (/** @type {Ended} */ ended) => {
          signal?.removeEventListener("abort", cut);
          resolve(ended);
        };
        request.on("response", (response) => read(response, sent, end));
        request.on("error", (error) => {
          if (signal?.aborted === true) end({ ...nothing, isCut: true });
          else reject(error);
        });
        request.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}

/** @type {Ended} */
const nothing = { status: 0, session: undefined, messages: 0, isCut: false };

/**
 * @param {import("node:http").IncomingMessage} response
 * @param {Sent} sent
 * @param {(ended: Ended) => void} end
 */
function read(response, { onMessage, onOpen }, end) {
  const { statusCode: status = 0, headers } = response;
  const found = headers["mcp-session-id"];
  const session = typeof found === "string" ? found : undefined;
  let messages = 0;
  let text = "";
  const take = (/** @type {string} */ json) => {
    if (json === "") return;
    messages += 1;
    onMessage?.(JSON.parse(json));
  };
  const parser = createParser({ onEvent: ({ data }) => take(data) });
  const isStream = headers["content-type"]?.startsWith("text/event-stream") === true;
  response.setEncoding("utf8").on("data", (chunk) => {
    if (isStream) parser.feed(chunk);
    else text += chunk;
  });
  response.on("error", () => {});
  response.once("close", () => {
    const isCut = !response.complete;
    if (!isStream && !isCut) take(text);
    end({ status, session, messages, isCut });
  });
  onOpen?.();
}
