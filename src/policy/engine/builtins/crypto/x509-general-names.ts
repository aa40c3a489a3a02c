/**
 * The names that certificates are for and those that authorities are bound to: DNS names, mail
 * addresses, IP addresses, URIs.
 */
import { allInside, derTag, readDer, readInside } from "./der.ts";
import type { DerValue } from "./der.ts";
import type { ExactJson } from "./exact-json.ts";

/** Alternative names of a subject. */
export interface SubjectNames {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly ips: readonly Buffer[];
  readonly uris: readonly string[];
}

/** Half of an authority's name constraints: what is permitted or what is excluded. */
export interface NameSubtrees {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly ips: readonly { readonly ip: Buffer; readonly mask: Buffer }[];
  readonly uris: readonly string[];
}

export interface NameConstraints {
  readonly permitted: NameSubtrees;
  readonly excluded: NameSubtrees;
  /** True where there are constraints of a kind that is not understood. */
  readonly isPartial: boolean;
}

export const noNames: SubjectNames = { dns: [], emails: [], ips: [], uris: [] };
const noSubtrees: NameSubtrees = { dns: [], emails: [], ips: [], uris: [] };
const tags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;
const domain = /^\.?[\x21-\x2d\x2f-\x7e]+(?:\.[\x21-\x2d\x2f-\x7e]+)*$/;

/** Reads the extension `subjectAltName`. */
export function readSubjectNames(value: Buffer): SubjectNames {
  const names = allInside(readDer(value).next(derTag.sequence));
  const texts = (tag: number): readonly string[] =>
    names.filter((name) => name.tag === tag).map(asciiOf);
  const ips = names.filter(({ tag }) => tag === tags.ip).map(({ content }) => content);
  const uris = texts(tags.uri);
  if (ips.some(({ length }) => length !== 4 && length !== 16)) throw invalidNames();
  if (!uris.every(isUri)) throw invalidNames();
  return { dns: texts(tags.dns), emails: texts(tags.email), ips, uris };
}

/** Reads the extension `nameConstraints`. */
export function readNameConstraints(value: Buffer): NameConstraints {
  const reader = readInside(readDer(value).next(derTag.sequence));
  const permitted = reader.peek() === 0xa0 ? allInside(reader.next()).map(baseOf) : [];
  const excluded = reader.peek() === 0xa1 ? allInside(reader.next()).map(baseOf) : [];
  const known: readonly number[] = Object.values(tags);
  const all = [...permitted, ...excluded];
  if (!reader.isEmpty() || all.length === 0) throw invalidNames();
  return {
    permitted: subtreesOf(permitted),
    excluded: subtreesOf(excluded),
    isPartial: all.some(({ tag }) => !known.includes(tag)),
  };
}

export const noConstraints: NameConstraints = {
  permitted: noSubtrees,
  excluded: noSubtrees,
  isPartial: false,
};

/** An address as Go prints it. */
export function ipText(ip: Buffer): string {
  const mapped = ip.length === 16 && ip.subarray(0, 12).toString("hex") === `${"0".repeat(20)}ffff`;
  if (ip.length === 4 || mapped) return ip.subarray(-4).join(".");
  const groups = ip.toString("hex").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** A subtree's range as Go's `net.IPNet`. */
export function rangeJson({ ip, mask }: NameSubtrees["ips"][number]): ExactJson {
  return { IP: ipText(ip), Mask: mask.toString("base64") };
}

function baseOf(subtree: DerValue): DerValue {
  if (subtree.tag !== derTag.sequence) throw invalidNames();
  return readInside(subtree).next();
}

function subtreesOf(bases: readonly DerValue[]): NameSubtrees {
  const texts = (tag: number): readonly string[] =>
    bases.filter((base) => base.tag === tag).map(asciiOf);
  const [dns, emails, uris] = [texts(tags.dns), texts(tags.email), texts(tags.uri)];
  const domains = [...dns, ...emails.map((text) => text.split("@").at(-1) ?? ""), ...uris];
  if (!domains.every((text) => text === "" || domain.test(text))) throw invalidNames();
  const ips = bases.filter(({ tag }) => tag === tags.ip).map(({ content }) => rangeOf(content));
  return { dns, emails, uris, ips };
}

function rangeOf(content: Buffer): NameSubtrees["ips"][number] {
  if (content.length !== 8 && content.length !== 32) throw invalidNames();
  const half = content.length / 2;
  const mask = content.subarray(half);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  if (bits.includes("01")) throw invalidNames();
  return { ip: content.subarray(0, half), mask };
}

function asciiOf({ content }: DerValue): string {
  if (content.some((byte) => byte > 0x7f)) throw invalidNames();
  return content.toString("latin1");
}

/** What Go's parser takes and a certificate may hold: no control characters, and a sane host. */
function isUri(text: string): boolean {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(text)?.[1] ?? "";
  return !/[\0-\x1f\x7f]/.test(text) && (host === "" || domain.test(host));
}

function invalidNames(): Error {
  return new Error("expected general names, found other values");
}
