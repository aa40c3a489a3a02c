/**
 * Tokens in their compact form: three parts, each in Base64 for URLs. What is wrong with one throws,
 * and the builtin is undefined.
 */
import type { OpaMember, OpaValue } from "../../opa-value.ts";
import { decodeUtf8 } from "../go-utf8.ts";
import { readJson } from "../read-json.ts";

/** A token before anybody trusts it. */
export interface CompactToken {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** The bytes that the signature is over. */
  readonly signed: Buffer;
}

export interface JsonObjectValue {
  readonly kind: "object";
  readonly members: readonly OpaMember[];
}

/** What of a header decides how its token is verified. */
export interface TokenHeader {
  readonly value: JsonObjectValue;
  /** Empty where the header has none. */
  readonly alg: string;
  readonly kid: string;
  readonly cty: string;
  /** False without `alg`, or where `crit` names what is not understood. */
  readonly isValid: boolean;
}

const alphabet = /^[A-Za-z0-9_-]*={0,2}$/;
const understood = new Set(["alg", "kid", "typ", "cty", "crit"]);

/** Splits a token. */
export function splitToken(text: string): CompactToken {
  const parts = text.split(".");
  const [header, payload, signature] = parts;
  if (header === undefined || payload === undefined || signature === undefined) throw malformed();
  if (parts.length !== 3) throw malformed();
  return { header, payload, signature, signed: Buffer.from(`${header}.${payload}`) };
}

/** The bytes of a part. Padding may be left out, and line ends mean nothing, as in OPA. */
export function decodePart(part: string): Buffer {
  const padded = part.endsWith("=") ? part : part + "==".slice(0, (4 - (part.length % 4)) % 4);
  const joined = padded.replace(/[\r\n]/g, "");
  if (joined.length % 4 !== 0 || !alphabet.test(joined)) throw malformed();
  if (!part.endsWith("=") && part.length % 4 === 1) throw malformed();
  return Buffer.from(joined, "base64url");
}

/** The object that a part holds. */
export function readObjectPart(part: string): JsonObjectValue {
  return readObject(decodeUtf8(decodePart(part)));
}

/** The object that a JSON text is. */
export function readObject(json: string): JsonObjectValue {
  const value = readJson(json);
  if (value.kind !== "object") throw malformed();
  return value;
}

/** A token's header as an object; an encrypted token is not one that OPA reads. */
export function readHeaderObject({ header }: CompactToken): JsonObjectValue {
  const value = readObjectPart(header);
  if (member(value, "enc") !== undefined) throw malformed();
  return value;
}

/** A token's header with the members that decide something, which have to be strings. */
export function readHeader(token: CompactToken): TokenHeader {
  const value = readHeaderObject(token);
  const alg = textMember(value, "alg");
  textMember(value, "typ");
  const critical = readCritical(member(value, "crit"));
  const names = value.members.flatMap(([key]) => (key.kind === "string" ? [key.value] : []));
  const unknown = names.filter((name) => !understood.has(name));
  return {
    value,
    alg,
    kid: textMember(value, "kid"),
    cty: textMember(value, "cty"),
    isValid: alg !== "" && !unknown.some((name) => critical.has(name)),
  };
}

/** A member of an object. */
export function member({ members }: JsonObjectValue, name: string): OpaValue | undefined {
  return members.find(([key]) => key.kind === "string" && key.value === name)?.[1];
}

function textMember(object: JsonObjectValue, name: string): string {
  const value = member(object, name) ?? { kind: "string", value: "" };
  if (value.kind !== "string") throw malformed();
  return value.value;
}

/** Names up to the first thing that is none; an empty list is an error. */
function readCritical(value: OpaValue | undefined): ReadonlySet<string> {
  if (value === undefined) return new Set();
  const names = new Set<string>();
  for (const item of value.kind === "array" ? value.items : []) {
    if (item.kind !== "string") break;
    names.add(item.value);
  }
  if (names.size === 0) throw malformed();
  return names;
}

function malformed(): Error {
  return new Error("expected a token, found other text");
}
