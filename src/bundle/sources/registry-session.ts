/**
 * One conversation with one registry: its connections, its deadline and how it signs in. Plain HTTP
 * is spoken to this machine, or where the operator says so; credentials and client certificates
 * belong to the one origin.
 */
import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";
import type { Dispatcher } from "undici";
import { Agent } from "undici";
import type { RegistryConfig } from "../../config/registry-config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { AuthMemory } from "./auth-memory.ts";
import { createAuthMemory } from "./auth-memory.ts";
import type { CredentialLookup } from "./credentials.ts";
import { isLoopbackHost } from "./loopback-host.ts";
import type { Reach } from "./network-guard.ts";
import { guardedLookup, redirectReach } from "./network-guard.ts";
import type { Authenticator } from "./registry-auth.ts";
import { createRegistryAuth } from "./registry-auth.ts";

/** What the operator says about one host. */
export type RegistrySetting = Partial<RegistryConfig>;

/** How to talk to registries. */
export interface RegistryOptions {
  readonly clock: Clock;
  readonly credentials: CredentialLookup;
  /** What the operator says about a host; nothing where it is left out. */
  readonly settings?: (host: string) => RegistrySetting | undefined;
  /** What was learnt about signing in; of this conversation alone where it is left out. */
  readonly memory?: AuthMemory;
  /** Told about mirrors that fail. */
  readonly log?: Log;
  /** Ends the conversation. */
  readonly signal?: AbortSignal;
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
  /** Hosts that it may redirect to, wherever they are; any public one where there are none. */
  readonly redirectHosts: readonly string[];
  readonly clock: Clock;
  readonly stepTimeoutMs: number;
  readonly retryDelayMs: number;
  /** Aborts when the deadline of the conversation passes. */
  readonly signal: AbortSignal;
  /** Connections to the registry itself. */
  readonly direct: Dispatcher;
  /** Connections to where it redirects. */
  readonly elsewhere: Dispatcher;
  /** Connections to other hosts that the operator named. */
  readonly named: Dispatcher;
  readonly auth: Authenticator;
  /** True once a request was signed. */
  hasSignedIn: boolean;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of a successful answer. */
  readonly maxBytes: number;
  /** How long the other side was asked to hold its answer back. */
  readonly waitMs?: number;
}

export interface RegistryAnswer {
  readonly status: number;
  /** First value of a header. */
  readonly header: (name: string) => string | undefined;
  /** Of an error at most 8 KiB. */
  readonly body: Buffer;
}

/** With whom, and about what. */
export interface SessionTarget {
  /** As in references, without path. */
  readonly host: string;
  /** Empty for the registry as a whole. */
  readonly repository: string;
  /** Reference for messages. */
  readonly where: string;
  /** Where it differs from what the host's setting says. */
  readonly origin?: string;
}

/** The API of Docker Hub is not where its name is. */
const apiHosts: Readonly<Record<string, string>> = {
  "docker.io": "registry-1.docker.io",
  "index.docker.io": "registry-1.docker.io",
};

/**
 * Starts a conversation; connects to nothing yet.
 *
 * @param auth - how to sign in, where it is not as at registries
 * @throws BundleError `bundle_credentials_unusable` where certificates cannot be read
 */
export async function openSession(
  target: SessionTarget,
  options: RegistryOptions,
  auth?: Authenticator,
): Promise<RegistrySession> {
  const { host, repository, where } = target;
  const setting = options.settings?.(host) ?? {};
  const isLoopback = isLoopbackHost(host);
  const origin = target.origin ?? originOf(host, setting.plainHttp ?? isLoopback);
  const { own, other } = await readTls(setting);
  const stepTimeoutMs = options.stepTimeoutMs ?? 10_000;
  const deadline = AbortSignal.timeout(options.deadlineMs ?? 120_000);
  const signal =
    options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  const agents = {
    direct: createAgent(isLoopback ? "loopback" : "any", stepTimeoutMs, own),
    elsewhere: createAgent(redirectReach(isLoopback), stepTimeoutMs, other),
    named: createAgent("any", stepTimeoutMs, other),
  };
  const registryAuth = (): Authenticator =>
    createRegistryAuth({
      host,
      origin,
      repository,
      where,
      signal,
      trustedRealms: setting.trustedRealms ?? [],
      credentials: options.credentials,
      memory: options.memory ?? createAuthMemory(options.clock),
      dispatcherFor: (realm) => (realm.origin === origin ? agents.direct : agents.named),
    });
  return {
    host,
    origin,
    repository,
    where,
    isLoopback,
    signal,
    ...agents,
    redirectHosts: (setting.redirectHosts ?? []).map((listed) => listed.toLowerCase()),
    clock: options.clock,
    stepTimeoutMs,
    retryDelayMs: options.retryDelayMs ?? 250,
    auth: auth ?? registryAuth(),
    hasSignedIn: false,
  };
}

/** Closes the connections of a conversation. */
export async function closeSession(session: RegistrySession): Promise<void> {
  await session.direct.destroy();
  await session.elsewhere.destroy();
  await session.named.destroy();
}

function originOf(host: string, isPlain: boolean): string {
  const api = Object.hasOwn(apiHosts, host) ? apiHosts[host] : host;
  return new URL(`${isPlain ? "http" : "https"}://${api}`).origin;
}

interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/** The registry's own authority stands alone for it; elsewhere it stands beside the public ones. */
async function readTls(
  setting: RegistrySetting,
): Promise<{ readonly own: TlsMaterial; readonly other: TlsMaterial }> {
  const [ca, cert, key] = await Promise.all(
    [setting.caFile, setting.certFile, setting.keyFile].map(readPem),
  );
  const identity = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  if (ca === undefined) return { own: identity, other: {} };
  return { own: { ca: [ca], ...identity }, other: { ca: [...rootCertificates, ca] } };
}

async function readPem(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    throw new BundleError(
      "bundle_credentials_unusable",
      `cannot read ${path}, which registries names: ${codeOf(thrown) ?? messageOf(thrown)}`,
    );
  }
}

function createAgent(reach: Reach, stepTimeoutMs: number, tls: TlsMaterial): Dispatcher {
  return new Agent({
    connect: { timeout: stepTimeoutMs, lookup: guardedLookup(reach), ...tls },
    headersTimeout: stepTimeoutMs,
    bodyTimeout: stepTimeoutMs,
    maxHeaderSize: 32 * 1024,
  });
}
