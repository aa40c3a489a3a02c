/**
 * A registry in this process, for what a real one would not do: it keeps content as the OCI
 * distribution specification says, records every request, and lets a test answer some of them in
 * its own hostile way.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers a request and returns true, or leaves it to the registry. */
export type Mode = (request: SeenRequest, response: ServerResponse) => boolean;

export interface FakeRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly origin: string;
  readonly requests: SeenRequest[];
  readonly blobs: Map<string, Buffer>;
  /** By tag and by digest. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>;
  /** From now on; the last one given is asked alone. */
  readonly misbehave: (mode: Mode) => void;
  /** Keeps a manifest under its digest and a tag. */
  readonly putManifest: (tag: string, document: unknown, mediaType?: string) => string;
  readonly putBlob: (bytes: Uint8Array) => string;
  readonly close: () => Promise<void>;
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";
export const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Answers with a status, headers and a body; `HEAD` gets no body. */
export function reply(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): true {
  response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(body);
  return true;
}

/** Starts a registry on a free loopback port; with certificates over TLS. */
export async function startFakeRegistry(tls?: ServerOptions): Promise<FakeRegistry> {
  const requests: SeenRequest[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  let mode: Mode | undefined;

  const putManifest = (tag: string, document: unknown, mediaType = manifestType): string => {
    const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
    manifests.set(tag, { bytes, mediaType }).set(sha256(bytes), { bytes, mediaType });
    return sha256(bytes);
  };
  const putBlob = (bytes: Uint8Array): string => {
    blobs.set(sha256(bytes), Buffer.from(bytes));
    return sha256(bytes);
  };

  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const { method = "", url: path = "", headers } = message;
      const request = { method, path, headers, body: Buffer.concat(chunks) };
      requests.push(request);
      if (mode?.(request, response) === true) return;
      answer(request, request.body, response);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);

  function answer(request: SeenRequest, body: Buffer, response: ServerResponse): void {
    const url = new URL(request.path, "http://fake");
    const [, kind = "", name = ""] = /\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (request.method === "POST") {
      reply(response, 202, { location: "/v2/upload/1?state=x" });
    } else if (request.method === "PUT" && kind === "manifests") {
      const digest = putManifest(name, body, request.headers["content-type"]);
      reply(response, 201, { "docker-content-digest": digest });
    } else if (request.method === "PUT") {
      const matches = url.searchParams.get("digest") === putBlob(body);
      reply(response, matches && url.searchParams.get("state") === "x" ? 201 : 400);
    } else if (kind === "manifests") {
      answerManifest(response, manifests.get(name));
    } else {
      const blob = blobs.get(name);
      if (blob === undefined) reply(response, 404);
      else reply(response, 200, {}, blob);
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${portOf(server.address())}`;
  return {
    host,
    origin: `${tls === undefined ? "http" : "https"}://${host}`,
    requests,
    blobs,
    manifests,
    misbehave: (next) => {
      mode = next;
    },
    putManifest,
    putBlob,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerManifest(
  response: ServerResponse,
  found: { readonly bytes: Buffer; readonly mediaType: string } | undefined,
): void {
  if (found === undefined) {
    reply(response, 404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}');
    return;
  }
  const { bytes, mediaType } = found;
  const headers = { "content-type": mediaType, "docker-content-digest": sha256(bytes) };
  reply(response, 200, headers, bytes);
}

export function portOf(address: AddressInfo | string | null): number {
  if (typeof address === "object" && address !== null) return address.port;
  throw new TypeError("expected a server that listens on a port");
}
