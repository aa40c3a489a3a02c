/**
 * Redis or Valkey as a place to run scripts in. The client is imported with the first connection. A
 * connection that is lost is not mended behind the caller's back: what was on its way fails, and the
 * next request connects anew, so that nobody waits in a queue for a server that is away.
 */
import { createHash } from "node:crypto";
import { codeOf, messageOf } from "../errors.ts";
import { DatabaseError } from "./database.ts";

export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

export interface Redis {
  /** Runs a script; its reply as the client reads it. */
  readonly run: (
    script: RedisScript,
    keys: readonly string[],
    parameters: readonly string[],
  ) => Promise<unknown>;
  /** Members of a sorted set, in pages; one may come twice. */
  readonly members: (key: string) => AsyncIterable<readonly string[]>;
  readonly close: () => Promise<void>;
}

export interface RedisOptions {
  readonly connectTimeoutMs?: number;
  readonly commandTimeoutMs?: number;
}

const pageSize = 200;

/** A script under the name that the server knows it by. */
export function redisScript(text: string): RedisScript {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** Connects with the first request; throws `database_unreachable` from each that finds no server. */
export function openRedis(url: string, options: RedisOptions = {}): Redis {
  const { connectTimeoutMs = 2_000, commandTimeoutMs = 5_000 } = options;
  let connected: ReturnType<typeof connect> | undefined;

  async function client() {
    const before = connected;
    const known = await before?.catch(() => undefined);
    // Of many who come at once the first connects.
    if (known?.isReady !== true && connected === before) connected = connect(url, connectTimeoutMs);
    return await (connected ??= connect(url, connectTimeoutMs));
  }

  async function send(words: readonly string[]): Promise<unknown> {
    try {
      const server = await client();
      return await within(commandTimeoutMs, server.sendCommand([...words]), () => server.destroy());
    } catch (thrown) {
      if (isAnswer(thrown)) throw thrown;
      throw unreachable(url, thrown);
    }
  }

  return {
    run: async ({ text, sha1 }, keys, parameters) => {
      const rest = [String(keys.length), ...keys, ...parameters];
      try {
        return await send(["EVALSHA", sha1, ...rest]);
      } catch (thrown) {
        if (!messageOf(thrown).startsWith("NOSCRIPT")) throw thrown;
        return await send(["EVAL", text, ...rest]);
      }
    },
    members: (key) => membersOf(send, key),
    close: async () => {
      const known = await connected?.catch(() => undefined);
      if (known?.isReady === true) await known.close();
    },
  };
}

async function connect(url: string, connectTimeoutMs: number) {
  const { createClient } = await import("@redis/client");
  const socket = { connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const;
  const client = createClient({ url, socket, disableOfflineQueue: true, name: "mcp-gateway" });
  // Without a listener it would end the process; the request that fails says it.
  client.on("error", () => undefined);
  return await client.connect();
}

async function* membersOf(
  send: (words: readonly string[]) => Promise<unknown>,
  key: string,
): AsyncGenerator<readonly string[]> {
  let cursor = "0";
  do {
    const reply = await send(["ZSCAN", key, cursor, "COUNT", String(pageSize)]);
    const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const [next, page] = parts;
    cursor = typeof next === "string" ? next : "0";
    const pairs: readonly unknown[] = Array.isArray(page) ? page : [];
    yield pairs
      .filter((member, place) => place % 2 === 0 && typeof member === "string")
      .map(String);
  } while (cursor !== "0");
}

async function within<Result>(
  timeoutMs: number,
  work: Promise<Result>,
  giveUp: () => void,
): Promise<Result> {
  const timer = setTimeout(giveUp, timeoutMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** True for an error that the server itself sent: `NOSCRIPT …`, `ERR …`. */
function isAnswer(thrown: unknown): boolean {
  return /^[A-Z]{3,} /.test(messageOf(thrown)) && codeOf(thrown) === undefined;
}

/** Host and port of a URL; never its user or password. */
function unreachable(url: string, thrown: unknown): DatabaseError {
  const place = URL.canParse(url) ? new URL(url).host : "a URL that cannot be read";
  const reason = codeOf(thrown) ?? messageOf(thrown);
  return new DatabaseError(
    "database_unreachable",
    `expected a redis server at ${place} (state.redis_url), found: ${reason}; start it or correct state.redis_url`,
    { cause: thrown },
  );
}
