/**
 * Whether the keys and certificates that a configuration names are there and are what they have to
 * be: those of signers, of registries and of servers. Nothing else would say so before the first
 * bundle is verified or the first connection is made.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { BundleError } from "../../bundle/bundle-error.ts";
import { openSigners } from "../../bundle/verify/open-signers.ts";
import type { ConfigPath } from "../../config/config-document.ts";
import type { ConfigProblem } from "../../config/config-error.ts";
import type { GatewayConfig, SignerConfig } from "../../config/config.ts";
import type { LoadedConfig } from "../../config/load-config.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import { readTrustedFile } from "../../config/read-trusted-file.ts";
import type { RegistryConfig } from "../../config/registry-config.ts";
import { messageOf } from "../../errors.ts";
import { readAuthority } from "../../mcp/upstream/authority.ts";

interface FileFinding {
  readonly path: ConfigPath;
  readonly reason: string;
}

const maxFileBytes = 1024 * 1024;

/** One problem for each file that cannot be used, in the order of kinds: signers, registries, servers. */
export async function checkFiles({
  config,
  problemAt,
}: LoadedConfig): Promise<readonly ConfigProblem[]> {
  const signers = await Promise.all(placedSigners(config).map(checkSigner));
  const registries = [...config.registries].flatMap(([host, registry]) =>
    checkRegistry(["registries", host], registry),
  );
  return [...signers.flat(), ...registries, ...checkAuthorities(config)].map(({ path, reason }) =>
    problemAt(path, `${path.join(".")}: ${reason}`),
  );
}

interface PlacedSigner {
  readonly path: ConfigPath;
  readonly signer: SignerConfig;
}

/** Those of `trust`, and those that a source has in place, whose name is where they stand. */
function placedSigners(config: GatewayConfig): readonly PlacedSigner[] {
  const inPlace = policyPlaces(config).flatMap(({ path, policy }) =>
    (policy?.trust.signers ?? []).flatMap((signer) => {
      const [, index] = /^signers\.(\d+)$/.exec(signer.name) ?? [];
      return index === undefined ? [] : [{ path: [...path, "signers", Number(index)], signer }];
    }),
  );
  return [
    ...config.signers.map((signer) => ({ path: ["trust", signer.name], signer })),
    ...inPlace,
  ];
}

async function checkSigner({ path, signer }: PlacedSigner): Promise<readonly FileFinding[]> {
  const file = signer.type === "sigstore" ? "trusted_root" : "key";
  try {
    const [opened] = openSigners([signer]);
    if (opened?.type !== "sigstore" || signer.type !== "sigstore") return [];
    if (signer.trustedRoot !== undefined) await opened.root();
    const pattern = await reasonOf(opened.identity);
    return pattern === undefined ? [] : [{ path: [...path, "identity_regex"], reason: pattern }];
  } catch (thrown) {
    return [{ path: [...path, file], reason: reasonIn(thrown) }];
  }
}

async function reasonOf(open: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await open();
    return undefined;
  } catch (thrown) {
    return reasonIn(thrown);
  }
}

function reasonIn(thrown: unknown): string {
  if (!(thrown instanceof BundleError)) throw thrown;
  return `${thrown.message} [${thrown.code}]`;
}

function checkRegistry(
  path: ConfigPath,
  { caFile, certFile, keyFile }: RegistryConfig,
): readonly FileFinding[] {
  const ca = readPem(caFile, "a certificate in PEM", toCertificate);
  const cert = readPem(certFile, "a certificate in PEM", toCertificate);
  const key = readPem(keyFile, "a private key in PEM, without a password", createPrivateKey);
  const found = Object.entries({ ca_file: ca, cert_file: cert, key_file: key });
  const findings = found.flatMap(([name, { reason }]) =>
    reason === undefined ? [] : [{ path: [...path, name], reason }],
  );
  if (cert.value === undefined || key.value === undefined) return findings;
  if (cert.value.checkPrivateKey(key.value)) return findings;
  const reason = "expected the key of the certificate in cert_file, found another one";
  return [...findings, { path: [...path, "key_file"], reason }];
}

function checkAuthorities({ servers }: GatewayConfig): readonly FileFinding[] {
  return [...servers.values()].flatMap(({ id, transport, disabled }) => {
    if (disabled || transport.kind !== "http") return [];
    const reading = readAuthority(transport.caFile);
    if (reading.ok) return [];
    return [{ path: ["servers", id, "ca_file"], reason: reading.reason.replace(/^ca_file: /, "") }];
  });
}

interface Reading<Value> {
  readonly value?: Value;
  readonly reason?: string;
}

function readPem<Value>(
  path: string | undefined,
  expected: string,
  parse: (text: string) => Value,
): Reading<Value> {
  if (path === undefined) return {};
  const read = readTrustedFile(path, { maxBytes: maxFileBytes, checkModes: false });
  if (!read.ok) return { reason: `expected ${expected}, found none: ${read.message}` };
  try {
    return { value: parse(read.text) };
  } catch (thrown) {
    return { reason: `expected ${expected} in ${path}: ${messageOf(thrown)}` };
  }
}

function toCertificate(text: string): X509Certificate {
  return new X509Certificate(text);
}
