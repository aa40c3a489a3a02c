/**
 * What every client of the matrix can do, so that a feature is written once: requests and how they
 * ended, notifications that came in, questions that were answered. Which SDK, or none, and which
 * carrier is behind it, is in the files beside this one.
 */
import type { Endpoint } from "./endpoint.ts";
import { connectRaw } from "./raw-client.ts";
import { connectSdkOne } from "./sdk-one-client.ts";
import { connectSdkTwo } from "./sdk-two-client.ts";
import type { WireStep } from "./tap-progress.ts";

export const clientKinds = [
  "SDK 1.x",
  "SDK 2.x legacy",
  "SDK 2.x modern",
  "raw legacy",
  "raw modern",
] as const;
export type ClientKind = (typeof clientKinds)[number];
export type Era = "legacy" | "modern";

export type Json = Readonly<Record<string, unknown>>;

/** How a request ended. */
export type Outcome =
  | { readonly result: Json }
  | { readonly error: { readonly code: number; readonly message: string } }
  | { readonly ended: "aborted" };

export interface Message {
  readonly method: string;
  readonly params: Json;
}

export interface RequestOptions {
  readonly onProgress?: (progress: Json) => void;
  readonly signal?: AbortSignal;
}

export interface Greeting {
  readonly capabilities: Json;
  readonly instructions: string;
}

export interface MatrixClient {
  readonly era: Era;
  readonly greeting: Greeting;
  /** Notifications in the order of arrival; progress goes to its request. */
  readonly heard: Message[];
  /** Progress as it came over the wire; SDKs do not pass on all of it. */
  readonly progress: readonly WireStep[];
  /** What the server asked, as it arrived here. */
  readonly asked: Message[];
  readonly request: (method: string, params?: Json, options?: RequestOptions) => Promise<Outcome>;
  readonly notify: (method: string) => Promise<void>;
  /** Opens `subscriptions/listen`, of a modern client; resolves when it is acknowledged. */
  readonly listen: (filter: Json) => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

/** The era that a client speaks. */
export function eraOf(kind: ClientKind): Era {
  return kind.endsWith("modern") ? "modern" : "legacy";
}

/** Connects a client and finishes its handshake. */
export async function connectClient(kind: ClientKind, endpoint: Endpoint): Promise<MatrixClient> {
  switch (kind) {
    case "SDK 1.x":
      return await connectSdkOne(endpoint);
    case "SDK 2.x legacy":
    case "SDK 2.x modern":
      return await connectSdkTwo(endpoint, eraOf(kind));
    case "raw legacy":
    case "raw modern":
      return await connectRaw(endpoint, eraOf(kind));
  }
}
