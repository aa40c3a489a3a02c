/**
 * One conversation with one registry: its connections, its deadline and what was learnt about
 * authentication. Plain HTTP is spoken to this machine only; credentials belong to the one origin.
 */
import { Agent, type Dispatcher } from "undici";
import type { Clock } from "../../contract/ambient.ts";
import type { RegistryReference } from "../reference.ts";
import type { CredentialLookup } from "./credentials.ts";
import { guardedLookup, isLoopbackHost, redirectReach, type Reach } from "./network-guard.ts";

/** How to talk to registries. */
export interface RegistryOptions {
  readonly clock: Clock;
  readonly credentials: CredentialLookup;
  /** For one conversation, all requests together; default 120,000. */
  readonly deadlineMs?: number;
  /** For a connection, the headers of an answer and each pause in its body; default 10,000. */
  readonly stepTimeoutMs?: number;
  /** First pause before a repetition, doubled each time; default 250. */
  readonly retryDelayMs?: number;
}

export interface RegistrySession {
  /** As in references, without path. */
  readonly host: string;
  /** `https://host`, or `http://host` for a registry on this machine. */
  readonly origin: string;
  readonly repository: string;
  /** Reference for messages. */
  readonly where: string;
  readonly isLoopback: boolean;
  readonly clock: Clock;
  readonly credentials: CredentialLookup;
  readonly retryDelayMs: number;
  /** Aborts when the deadline of the conversation passes. */
  readonly signal: AbortSignal;
  /** Connections to the registry itself. */
  readonly direct: Dispatcher;
  /** Connections to where it redirects. */
  readonly elsewhere: Dispatcher;
  /** The `Authorization` header, once the registry asked for it. */
  authorization: string | undefined;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of a successful answer. */
  readonly maxBytes: number;
}

export interface RegistryAnswer {
  readonly status: number;
  /** First value of a header. */
  readonly header: (name: string) => string | undefined;
  /** Of an error at most 8 KiB. */
  readonly body: Buffer;
}

/** Starts a conversation; connects to nothing yet. */
export function openSession(
  { host, repository }: RegistryReference,
  where: string,
  options: RegistryOptions,
): RegistrySession {
  const isLoopback = isLoopbackHost(host);
  const stepTimeoutMs = options.stepTimeoutMs ?? 10_000;
  return {
    host,
    origin: new URL(`${isLoopback ? "http" : "https"}://${host}`).origin,
    repository,
    where,
    isLoopback,
    clock: options.clock,
    credentials: options.credentials,
    retryDelayMs: options.retryDelayMs ?? 250,
    signal: AbortSignal.timeout(options.deadlineMs ?? 120_000),
    direct: createAgent(isLoopback ? "loopback" : "any", stepTimeoutMs),
    elsewhere: createAgent(redirectReach(isLoopback), stepTimeoutMs),
    authorization: undefined,
  };
}

/** Closes the connections of a conversation. */
export async function closeSession(session: RegistrySession): Promise<void> {
  await session.direct.destroy();
  await session.elsewhere.destroy();
}

function createAgent(reach: Reach, stepTimeoutMs: number): Dispatcher {
  return new Agent({
    connect: { timeout: stepTimeoutMs, lookup: guardedLookup(reach) },
    headersTimeout: stepTimeoutMs,
    bodyTimeout: stepTimeoutMs,
    maxHeaderSize: 32 * 1024,
  });
}
