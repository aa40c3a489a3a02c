/**
 * What a hostile registry is made of: a login that it wants and could leak, and ways to misuse it.
 */
import { bundleManifest } from "./bundle-setting.ts";
import type { registryWithBundle } from "./bundle-setting.ts";
import { layerType, manifestType, reply } from "./fake-registry.ts";
import type { FakeRegistry, SeenRequest } from "./fake-registry.ts";

export const username = "alice";
export const password = "hunter2-s3cret";
export const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
/** A token that the registry's service gave, and that is as good as a password. */
export const bearer = "b3arer-s3cret";
export const secrets = [password, basic.slice("Basic ".length), bearer];

export type Home = Awaited<ReturnType<typeof registryWithBundle>>;
/** Makes a registry hostile; gets what it may abuse. */
export type Hostility = (home: Home, attacker: FakeRegistry) => void;

export interface Row {
  readonly threat: string;
  /** What the registry does, and what comes of it. */
  readonly modes: readonly (readonly [what: string, hostile: Hostility, code: string])[];
  /** The tests that take the row apart. */
  readonly tests: readonly string[];
}

/** Lets a signed request through to the next step, and asks for a login otherwise. */
export function whenSigned(
  home: Home,
  next: (request: SeenRequest, response: Parameters<typeof reply>[0]) => boolean,
): void {
  home.misbehave((request, response) => {
    if (request.headers.authorization !== basic) {
      return reply(response, 401, { "www-authenticate": 'Basic realm="r"' });
    }
    return next(request, response);
  });
}

export const isBlob = ({ path }: SeenRequest): boolean => path.includes("/blobs/");
export const isManifest = ({ method, path }: SeenRequest): boolean =>
  method === "GET" && path.includes("/manifests/");

/** Puts a document under the tag. */
export function serve(home: Home, document: unknown, mediaType?: string): void {
  home.putManifest("v1", document, mediaType);
  whenSigned(home, () => false);
}

/** Puts an archive under the tag. */
export function serveArchive(home: Home, archive: Buffer): void {
  serve(home, bundleManifest(home, archive));
}

export const answerAll =
  (status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): Hostility =>
  (home) =>
    whenSigned(home, (request, response) =>
      isManifest(request) ? reply(response, status, headers, body) : false,
    );

export const redirectBlobs =
  (locationOf: (attacker: FakeRegistry, path: string) => string): Hostility =>
  (home, attacker) =>
    whenSigned(home, (request, response) =>
      isBlob(request)
        ? reply(response, 307, { location: locationOf(attacker, request.path) })
        : false,
    );

export const sendForToken =
  (realmOf: (attacker: FakeRegistry) => string): Hostility =>
  (home, attacker) => {
    const challenge = `Bearer realm="${realmOf(attacker)}",service="s"`;
    home.misbehave((_, response) => reply(response, 401, { "www-authenticate": challenge }));
  };

export const layer = (digest: string, size: number) => ({ mediaType: layerType, digest, size });
export const withLayers = (...layers: readonly object[]) => ({
  schemaVersion: 2,
  mediaType: manifestType,
  layers,
});
