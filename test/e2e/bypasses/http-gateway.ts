/**
 * `serve --http` with bearer tokens for a few principals, and clients that send it any bytes and
 * headers they like.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import { createParser } from "eventsource-parser";
import { isRecord } from "../../../src/contract/json.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { bin } from "../../support/gateway-process.ts";
import type { HostileSetting } from "./hostile-setting.ts";

export type Message = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** Of the one JSON object, or of all events. */
  readonly messages: readonly Message[];
}

export interface Open {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly messages: Message[];
  readonly ended: Promise<Answer>;
  readonly disconnect: () => void;
}

export interface Post {
  /** User whose token is sent; `undefined`: none. */
  readonly user?: string | undefined;
  readonly body: unknown;
  /** Names and values; `undefined` leaves a usual one out, a list sends it more than once. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly method?: string;
}

export interface HttpGateway {
  readonly port: number;
  readonly open: (post: Post) => Promise<Open>;
  readonly post: (post: Post) => Promise<Answer>;
  readonly stderr: () => string;
  readonly close: () => Promise<void>;
}

export const users = ["alice", "bob", "carol"] as const;

export function tokenOf(user: string): string {
  return createHash("sha256").update(`token of ${user}`).digest("hex");
}

/** Members of a configuration that let these users in, each with a token of its own. */
export function withTokens(servers: Readonly<Record<string, readonly string[]>> = {}): object {
  const tokens = users.map((user) => ({
    sha256: createHash("sha256").update(tokenOf(user)).digest("hex"),
    agent: { id: "agent", scope: "test" },
    user: { id: user },
    ...(servers[user] === undefined ? {} : { servers: servers[user] }),
  }));
  return { http: { authorization: { tokens } } };
}

/** Serves until it is closed. */
export async function startHttpGateway({
  config,
  env,
}: Pick<HostileSetting, "config" | "env">): Promise<HttpGateway> {
  const port = await freePort();
  const args = [bin, "serve", "--http", `127.0.0.1:${port}`, "--config", config];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const stderr = () => Buffer.concat(errors).toString("utf8");
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const close = async (): Promise<void> => {
    agent.destroy();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 40_000);
    await once(child, "exit");
    clearTimeout(timer);
  };
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${stderr()}`);
    return await isReady(port);
  }, 60_000);
  const open = (post: Post) => openPost(port, agent, post);
  return { port, open, stderr, close, post: async (post) => await (await open(post)).ended };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function openPost(port: number, agent: Agent, post: Post): Promise<Open> {
  const { user, body, headers = {}, method = "POST" } = post;
  const all = {
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    Authorization: user === undefined ? undefined : `Bearer ${tokenOf(user)}`,
    ...headers,
  };
  const sent = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port,
      host: "127.0.0.1",
      path: "/mcp",
      method,
      agent,
      headers: Object.fromEntries(sent),
    });
    request.on("error", reject);
    request.on("response", (response) =>
      resolve(readAnswer(response, () => void request.destroy())),
    );
    request.end(body === undefined ? undefined : text);
  });
}

function readAnswer(response: IncomingMessage, disconnect: () => void): Open {
  const { statusCode: status = 0, headers } = response;
  const messages: Message[] = [];
  const chunks: Buffer[] = [];
  const isStream = headers["content-type"]?.startsWith("text/event-stream") === true;
  const parser = createParser({ onEvent: ({ data }) => take(data) });
  const take = (data: string): void => {
    const message = parse(data);
    if (message !== undefined) messages.push(message);
  };
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (isStream) parser.feed(chunk.toString("utf8"));
  });
  const ended = new Promise<Answer>((resolve) => {
    response.on("error", () => {});
    response.once("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      if (!isStream) take(text);
      resolve({ status, headers, text, messages });
    });
  });
  return { status, headers, messages, ended, disconnect };
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
