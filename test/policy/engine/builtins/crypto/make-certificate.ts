/**
 * Certificates made on the spot, with whatever is to be wrong with them.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface CertificateParts {
  readonly subject: string;
  readonly issuer: string;
  readonly keys: KeyPair;
  readonly issuerKeys: KeyPair;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** `[identifier, critical, value]`; what `extensions` below makes. */
  readonly extensions?: readonly (readonly [string, boolean, Buffer])[];
  readonly serial?: number;
  readonly digest?: "sha256" | "sha1";
}

/** RSA keys are short, since they are made for each run. */
export function makeKeys(type: "ec" | "rsa" | "ed25519" = "ec"): KeyPair {
  if (type === "ec") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (type === "ed25519") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

/** Values of extensions. */
export const extensions = {
  authority: (isCa: boolean, pathLength?: number): readonly [string, boolean, Buffer] => {
    const length = pathLength === undefined ? [] : [integer(pathLength)];
    return ["2.5.29.19", true, sequence(...(isCa ? [der(1, Buffer.of(0xff))] : []), ...length)];
  },
  names: (...names: readonly Buffer[]): readonly [string, boolean, Buffer] => [
    "2.5.29.17",
    false,
    sequence(...names),
  ],
  usages: (...usages: readonly string[]): readonly [string, boolean, Buffer] => [
    "2.5.29.37",
    false,
    sequence(...usages.map(identifier)),
  ],
  permitted: (...names: readonly Buffer[]): readonly [string, boolean, Buffer] => [
    "2.5.29.30",
    true,
    sequence(der(0xa0, ...names.map((name) => sequence(name)))),
  ],
  excluded: (...names: readonly Buffer[]): readonly [string, boolean, Buffer] => [
    "2.5.29.30",
    true,
    sequence(der(0xa1, ...names.map((name) => sequence(name)))),
  ],
  keyUsage: (bits: number): readonly [string, boolean, Buffer] => [
    "2.5.29.15",
    true,
    der(3, Buffer.of(0, bits)),
  ],
  unknown: (critical: boolean): readonly [string, boolean, Buffer] => [
    "1.2.3.4",
    critical,
    Buffer.of(5, 0),
  ],
};

/** General names. */
export const generalNames = {
  dns: (name: string): Buffer => der(0x82, Buffer.from(name)),
  mail: (name: string): Buffer => der(0x81, Buffer.from(name)),
  uri: (name: string): Buffer => der(0x86, Buffer.from(name)),
  ip: (...bytes: readonly number[]): Buffer => der(0x87, Buffer.from(bytes)),
};

/** A certificate in PEM. */
export function makeCertificate(parts: CertificateParts): string {
  const { digest = "sha256", serial = 7 } = parts;
  const algorithm = sequence(...algorithmOf(parts.issuerKeys, digest));
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    algorithm,
    nameOf(parts.issuer),
    sequence(
      timeOf(parts.notBefore ?? "20200101000000Z"),
      timeOf(parts.notAfter ?? "20400101000000Z"),
    ),
    nameOf(parts.subject),
    parts.keys.publicKey.export({ type: "spki", format: "der" }),
    ...(parts.extensions === undefined
      ? []
      : [der(0xa3, sequence(...parts.extensions.map(extensionOf)))]),
  );
  const isEd = parts.issuerKeys.privateKey.asymmetricKeyType === "ed25519";
  const signature = sign(isEd ? null : digest, tbs, parts.issuerKeys.privateKey);
  const certificate = sequence(tbs, algorithm, der(3, Buffer.of(0), signature));
  return pemOf("CERTIFICATE", certificate);
}

/** A block of PEM. */
export function pemOf(type: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${type}-----`, ...lines, `-----END ${type}-----`, ""].join("\n");
}

function algorithmOf({ privateKey }: KeyPair, digest: string): readonly Buffer[] {
  const isSha1 = digest === "sha1";
  switch (privateKey.asymmetricKeyType) {
    case "rsa":
      return [identifier(`1.2.840.113549.1.1.${isSha1 ? 5 : 11}`), Buffer.of(5, 0)];
    case "ed25519":
      return [identifier("1.3.101.112")];
    default:
      return [identifier(isSha1 ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2")];
  }
}

function extensionOf([id, critical, value]: readonly [string, boolean, Buffer]): Buffer {
  const flag = critical ? [der(1, Buffer.of(0xff))] : [];
  return sequence(identifier(id), ...flag, der(4, value));
}

function nameOf(commonName: string): Buffer {
  const attribute = sequence(identifier("2.5.4.3"), der(0x0c, Buffer.from(commonName)));
  return sequence(der(0x31, attribute));
}

function timeOf(text: string): Buffer {
  return der(0x18, Buffer.from(text));
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(number: number): Buffer {
  return der(2, Buffer.of(number));
}

export function identifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(6, Buffer.from(bytes));
}

export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const sizes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...sizes]), content]);
}
