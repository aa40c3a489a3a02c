/**
 * Rows of the threat table: what a registry says, and where it sends us.
 */
import { indexType, manifestType, reply, sha256 } from "./fake-registry.ts";
import {
  answerAll,
  bearer,
  layer,
  redirectBlobs,
  sendForToken,
  serve,
  username,
  whenSigned,
  withLayers,
} from "./hostile-registry.ts";
import type { Row } from "./hostile-registry.ts";

export const hostileAnswers: readonly Row[] = [
  {
    threat: "manifest/blob digest or size mismatch, lying Docker-Content-Digest",
    modes: [
      [
        "sends another layer than the manifest names",
        (home) => {
          for (const key of home.blobs.keys()) home.blobs.set(key, Buffer.from("evil"));
          whenSigned(home, () => false);
        },
        "bundle_digest_mismatch",
      ],
      [
        "calls a manifest by another digest",
        (home) => {
          const { bytes, mediaType } = home.manifests.get("v1") ?? { bytes: Buffer.alloc(0) };
          const lie = sha256(Buffer.from("other"));
          whenSigned(home, (request, response) => {
            if (!request.path.includes("/manifests/")) return false;
            const headers = { "content-type": mediaType ?? "", "docker-content-digest": lie };
            return reply(response, 200, headers, request.method === "HEAD" ? "" : bytes);
          });
        },
        "bundle_digest_mismatch",
      ],
    ],
    tests: ["digest-mismatch.test.ts"],
  },
  {
    threat: "endless/huge manifest, token or error body; size 2^62",
    modes: [
      [
        "sends a manifest without end",
        answerAll(200, { "content-type": manifestType }, Buffer.alloc(5 * 1024 * 1024, 0x20)),
        "bundle_too_large",
      ],
      [
        "declares a layer of 2^62 bytes",
        (home) => serve(home, withLayers(layer(sha256(Buffer.from("x")), 2 ** 62))),
        "bundle_protocol_invalid",
      ],
    ],
    tests: ["size-limits.test.ts", "token-realm.test.ts"],
  },
  {
    threat: "Content-Type ≠ mediaType, both layers and manifests, HTML login page, schema1",
    modes: [
      [
        "sends a manifest that says it is an index",
        (home) => serve(home, { ...withLayers(), mediaType: indexType }, manifestType),
        "bundle_protocol_invalid",
      ],
      [
        "sends a document that is manifest and index",
        (home) => serve(home, { ...withLayers(), manifests: [] }),
        "bundle_protocol_invalid",
      ],
      [
        "sends a login page",
        (home) => serve(home, Buffer.from("<html>log in</html>"), "text/html"),
        "bundle_protocol_invalid",
      ],
      [
        "sends a manifest of schema 1",
        (home) => serve(home, { schemaVersion: 1, fsLayers: [] }),
        "bundle_protocol_invalid",
      ],
    ],
    tests: ["registry.test.ts", "fetch-artifact.test.ts"],
  },
  {
    threat: "nested/cyclic indexes, fan-out; referrer cycles, endless Link pages",
    modes: [
      [
        "sends an index of a hundred manifests",
        (home) => {
          const manifests = Array.from({ length: 100 }, (_, index) => {
            const bytes = Buffer.from(
              JSON.stringify({ ...withLayers(), annotations: { n: `${index}` } }),
            );
            return {
              mediaType: manifestType,
              digest: home.putManifest(`c${index}`, bytes),
              size: bytes.length,
            };
          });
          serve(home, { schemaVersion: 2, mediaType: indexType, manifests }, indexType);
        },
        "bundle_too_large",
      ],
    ],
    tests: [
      "fetch-artifact.test.ts",
      "verify/referrers.test.ts",
      "verify/one-bad-referrer.test.ts",
    ],
  },
  {
    threat: "Link header SSRF",
    modes: [],
    tests: ["verify/referrers.test.ts"],
  },
  {
    threat: "cross-origin redirect leaks Authorization, custom headers or the client certificate",
    modes: [
      [
        "redirects to another port of its host, which asks for the login",
        (home, attacker) => {
          attacker.misbehave((_, response) =>
            reply(response, 401, { "www-authenticate": 'Basic realm="r"' }),
          );
          redirectBlobs(({ origin }, path) => `${origin}${path}`)(home, attacker);
        },
        "bundle_unauthorized",
      ],
      [
        "redirects with the login in the address",
        redirectBlobs(({ host }, path) => `http://${username}:x@${host}${path}`),
        "bundle_redirect_refused",
      ],
      [
        "redirects into the network",
        redirectBlobs(() => "http://169.254.169.254/latest/meta-data"),
        "bundle_redirect_refused",
      ],
      ["redirects to a file", redirectBlobs(() => "file:///etc/passwd"), "bundle_redirect_refused"],
    ],
    tests: [
      "redirect-credentials.test.ts",
      "redirect-targets.test.ts",
      "registry-tls.test.ts",
      "service-source.test.ts",
      "git-source.test.ts",
    ],
  },
  {
    threat: "upload Location to other host/downgrade",
    modes: [],
    tests: ["upload-location.test.ts"],
  },
  {
    threat: "token realm attack",
    modes: [
      [
        "sends for a token to a host of the attacker",
        sendForToken(({ origin }) => `${origin}/token`),
        "bundle_realm_refused",
      ],
      [
        "sends for a token to the metadata service",
        sendForToken(() => "http://169.254.169.254/latest/meta-data"),
        "bundle_realm_refused",
      ],
      [
        "sends for a token to itself and from there to the attacker",
        (home, attacker) => {
          const challenge = `Bearer realm="${home.origin}/token"`;
          home.misbehave(({ path }, response) =>
            path.startsWith("/token")
              ? reply(response, 307, { location: `${attacker.origin}/token` })
              : reply(response, 401, { "www-authenticate": challenge }),
          );
        },
        "bundle_protocol_invalid",
      ],
      [
        "gives a token and then sends the request with it to the attacker",
        (home, attacker) => {
          const challenge = `Bearer realm="${home.origin}/token"`;
          attacker.misbehave((_, response) =>
            reply(response, 401, { "www-authenticate": challenge }),
          );
          home.misbehave(({ path, headers }, response) => {
            if (path.startsWith("/token")) {
              return reply(response, 200, {}, JSON.stringify({ token: bearer }));
            }
            if (headers.authorization !== `Bearer ${bearer}`) {
              return reply(response, 401, { "www-authenticate": challenge });
            }
            return path.includes("/blobs/")
              ? reply(response, 307, { location: `${attacker.origin}${path}` })
              : false;
          });
        },
        "bundle_unauthorized",
      ],
    ],
    tests: ["token-realm.test.ts", "token-authentication.test.ts"],
  },
];
