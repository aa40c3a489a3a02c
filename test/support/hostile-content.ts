/**
 * Rows of the threat table: what a registry sends, and when.
 */
import { gzipSync } from "node:zlib";
import { manifestType, reply } from "./fake-registry.ts";
import {
  answerAll,
  basic,
  layer,
  serve,
  serveArchive,
  whenSigned,
  withLayers,
} from "./hostile-registry.ts";
import type { Row } from "./hostile-registry.ts";
import { hostileTar } from "./hostile-tar.ts";
import { tinyArchive } from "./tiny-bundle.ts";

export const hostileContent: readonly Row[] = [
  {
    threat: "secrets in debug traces",
    modes: [
      [
        "repeats what it was sent in its error",
        (home) =>
          whenSigned(home, ({ headers }, response) => {
            const errors = [{ code: "DENIED", message: headers.authorization ?? "" }];
            return reply(response, 418, { location: basic }, JSON.stringify({ errors }));
          }),
        "bundle_protocol_invalid",
      ],
      [
        "breaks off while it answers a signed request",
        (home) => whenSigned(home, (_, response) => response.destroy().destroyed),
        "bundle_unreachable",
      ],
    ],
    tests: ["registry-authentication.test.ts", "credentials.test.ts", "login.test.ts"],
  },
  {
    threat: "docker config host substring match; malicious helper name",
    modes: [],
    tests: ["credentials.test.ts", "credential-helper.test.ts"],
  },
  {
    threat: "gzip bomb, Content-Encoding bomb, trailing data/second gzip member",
    modes: [
      [
        "sends an archive that unpacks to 100 MiB",
        (home) => serveArchive(home, gzipSync(Buffer.alloc(100 * 1024 * 1024))),
        "bundle_too_large",
      ],
      [
        "sends a second member behind a good archive",
        (home) => serveArchive(home, Buffer.concat([tinyArchive(), tinyArchive()])),
        "bundle_archive_invalid",
      ],
      [
        "sends its manifest compressed",
        answerAll(
          200,
          { "content-type": manifestType, "content-encoding": "gzip" },
          gzipSync("{}"),
        ),
        "bundle_protocol_invalid",
      ],
    ],
    tests: [
      "tar-bomb.test.ts",
      "gzip-trailing.test.ts",
      "registry.test.ts",
      "unpack/unpack-archive.test.ts",
      "life/trust-before-work.test.ts",
    ],
  },
  {
    threat: "tar traversal, links, devices, NUL/backslash, PAX path, duplicate names, 20k entries",
    modes: [
      [
        "sends an archive that climbs out",
        (home) => serveArchive(home, gzipSync(hostileTar({ name: "../evil.rego", content: "x" }))),
        "bundle_archive_unsafe",
      ],
      [
        "sends an archive with a symbolic link",
        (home) =>
          serveArchive(
            home,
            gzipSync(hostileTar({ name: "policy.wasm", type: "2", linkName: "/etc/passwd" })),
          ),
        "bundle_archive_unsafe",
      ],
    ],
    tests: [
      "tar-traversal.test.ts",
      "tar-links.test.ts",
      "tar-pax.test.ts",
      "tar-duplicates.test.ts",
      "tar-broken.test.ts",
      "tar-bomb.test.ts",
    ],
  },
  {
    threat: "descriptor urls (foreign layers), data embedded",
    modes: [
      [
        "names the attacker as the place of a layer that it does not have",
        (home, attacker) => {
          const bytes = tinyArchive();
          const digest = attacker.putBlob(bytes);
          home.blobs.clear();
          const urls = [`${attacker.origin}/v2/a/blobs/${digest}`];
          const data = bytes.toString("base64");
          serve(home, withLayers({ ...layer(digest, bytes.length), urls, data }));
        },
        "bundle_not_found",
      ],
    ],
    tests: ["fetch-artifact.test.ts"],
  },
  {
    threat:
      "registry serves old signed bundle (rollback/freeze) or another server's bundle (mix-up)",
    modes: [
      [
        "sends another server's bundle",
        (home) => serveArchive(home, tinyArchive({ name: "mail" })),
        "bundle_name_mismatch",
      ],
    ],
    tests: [
      "open-bundle.test.ts",
      "verify/version-order.test.ts",
      "life/trust-before-work.test.ts",
      "life/bundle-keeper.test.ts",
    ],
  },
  {
    threat: "429/slowloris/drops",
    modes: [
      [
        "asks to come back in an hour",
        (home) =>
          whenSigned(home, (_, response) => reply(response, 429, { "retry-after": "3600" })),
        "bundle_unreachable",
      ],
      ["never answers", (home) => whenSigned(home, () => true), "bundle_unreachable"],
    ],
    tests: ["registry-unreachable.test.ts"],
  },
  {
    threat: "cache tampering / symlinked blobs / traversal digests in index.json",
    modes: [
      [
        "names a layer by a path",
        (home) => serve(home, withLayers(layer("sha256:../../../../etc/passwd", 10))),
        "bundle_protocol_invalid",
      ],
    ],
    tests: ["cache.test.ts", "cache-trust.test.ts", "layout.test.ts"],
  },
];
