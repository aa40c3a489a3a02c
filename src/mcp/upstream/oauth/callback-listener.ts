/**
 * Where the browser comes back to after a login (RFC 8252 §7.3): a listener on 127.0.0.1 that takes
 * one answer with the right state. Anything else that reaches it, from a page that guesses the port
 * or a program that looks around, gets a refusal and changes nothing. Nothing of a request is ever
 * written back.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { codeOf } from "../../../errors.ts";
import { OauthError } from "./oauth-error.ts";
import { loginCommandOf, settingsOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";

/** The parameters that came back; not yet judged, the state apart. */
export interface CallbackAnswer {
  readonly code: string | undefined;
  readonly error: string | undefined;
  /** `iss` of RFC 9207. */
  readonly iss: string | undefined;
}

export interface CallbackListener {
  readonly redirectUri: string;
  /** Waits for the browser; rejects with `oauth_login_timeout`. */
  readonly waitForAnswer: () => Promise<CallbackAnswer>;
  readonly close: () => Promise<void>;
}

export interface CallbackOptions {
  readonly server: OauthServer;
  readonly state: string;
  /** Taken where it is free and the operator names none. */
  readonly preferredPort: number | undefined;
  readonly timeoutMs: number;
}

const host = "127.0.0.1";
const path = "/callback";

/**
 * Starts to listen.
 *
 * @throws OauthError `oauth_callback_unavailable` where the operator's port is taken.
 */
export async function listenForCallback(options: CallbackOptions): Promise<CallbackListener> {
  let settle: ((answer: CallbackAnswer) => void) | undefined;
  const answered = new Promise<CallbackAnswer>((resolve) => {
    settle = resolve;
  });
  const listener = createServer((request, response) => {
    const answer = readAnswer(request, portOf(listener), options.state);
    respond(response, answer !== undefined);
    if (answer !== undefined) settle?.(answer);
  });
  await listenSomewhere(listener, options);
  return {
    redirectUri: `http://${host}:${portOf(listener)}${path}`,
    waitForAnswer: () => withDeadline(answered, options),
    close: async () => {
      listener.closeAllConnections();
      await new Promise<void>((resolve) => void listener.close(() => resolve()));
    },
  };
}

async function listenSomewhere(
  listener: Server,
  { server, preferredPort }: CallbackOptions,
): Promise<void> {
  const { callbackPort } = settingsOf(server);
  try {
    await listen(listener, callbackPort ?? preferredPort ?? 0);
  } catch (thrown) {
    if (callbackPort === undefined && preferredPort !== undefined) return await listen(listener, 0);
    const place = `servers.${server.id}.oauth.callback_port`;
    const message = `server "${server.id}": cannot listen on ${host}:${callbackPort ?? 0}: ${codeOf(thrown) ?? "an unexpected error"}; free the port or change ${place}`;
    throw new OauthError("oauth_callback_unavailable", message);
  }
}

async function listen(listener: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ host, port, exclusive: true }, () => {
      listener.off("error", reject);
      resolve();
    });
  });
}

function portOf(listener: Server): number {
  const address = listener.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The answer of a request that is one: right host, path and state, each parameter once. */
function readAnswer(
  request: IncomingMessage,
  port: number,
  state: string,
): CallbackAnswer | undefined {
  const target = request.url ?? "";
  const isOurs = [`${host}:${port}`, `localhost:${port}`].includes(request.headers.host ?? "");
  if (request.method !== "GET" || !isOurs || !target.startsWith(`${path}?`)) return undefined;
  const parameters = new URLSearchParams(target.slice(path.length + 1));
  const values = ["state", "code", "error", "iss"].map((name) => parameters.getAll(name));
  if (values.some((each) => each.length > 1)) return undefined;
  const [[given = ""] = [], [code] = [], [error] = [], [iss] = []] = values;
  return isSameSecret(given, state) ? { code, error, iss } : undefined;
}

/** In constant time, whatever the lengths. */
function isSameSecret(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

function respond(response: ServerResponse, accepted: boolean): void {
  response.writeHead(accepted ? 200 : 400, {
    "content-type": "text/plain; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    connection: "close",
  });
  const text = accepted
    ? "The gateway has the answer. Its terminal says what became of it; this page can be closed."
    : "This is not the answer that the gateway waits for.";
  response.end(`${text}\n`);
}

async function withDeadline(
  answered: Promise<CallbackAnswer>,
  { server, timeoutMs }: CallbackOptions,
): Promise<CallbackAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `server "${server.id}": nobody came back from the login within ${Math.round(timeoutMs / 1000)} s; run: ${loginCommandOf(server)}`;
      reject(new OauthError("oauth_login_timeout", message));
    }, timeoutMs);
  });
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
