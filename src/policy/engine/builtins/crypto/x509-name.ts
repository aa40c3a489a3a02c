/**
 * Distinguished names, as Go's `pkix.Name` shows them in JSON.
 */
import { allInside, derTag, identifierOf, readInside } from "./der.ts";
import type { DerValue } from "./der.ts";
import type { ExactJson } from "./exact-json.ts";

interface Attribute {
  readonly type: string;
  readonly value: string;
}

const fields = {
  Country: "2.5.4.6",
  Locality: "2.5.4.7",
  Organization: "2.5.4.10",
  OrganizationalUnit: "2.5.4.11",
  PostalCode: "2.5.4.17",
  Province: "2.5.4.8",
  StreetAddress: "2.5.4.9",
} as const;
const commonName = "2.5.4.3";
const serialNumber = "2.5.4.5";
const printable = /^[A-Za-z0-9'()+,\-./ :=?*&]*$/;

/** A name as `{"CommonName": …, "Organization": […], "Names": […], …}`. */
export function readName(name: DerValue): ExactJson {
  const attributes = allInside(name).flatMap((set) => {
    if (set.tag !== derTag.set) throw invalidName();
    return allInside(set).map(readAttribute);
  });
  const all = (type: string): readonly string[] =>
    attributes.filter((attribute) => attribute.type === type).map(({ value }) => value);
  const lists = Object.entries(fields).map(([field, type]) => [field, listOrNull(all(type))]);
  return {
    ...Object.fromEntries(lists),
    CommonName: all(commonName).at(-1) ?? "",
    SerialNumber: all(serialNumber).at(-1) ?? "",
    Names: listOrNull(
      attributes.map(({ type, value }) => ({ Type: numbersOf(type), Value: value })),
    ),
    ExtraNames: null,
  };
}

/** The numbers of an object identifier as Go shows one. */
export function numbersOf(identifier: string): readonly bigint[] {
  return identifier.split(".").map(BigInt);
}

/** A Go slice in JSON: one that nothing was put into is null. */
export function listOrNull(items: readonly ExactJson[]): ExactJson {
  return items.length === 0 ? null : items;
}

function readAttribute(attribute: DerValue): Attribute {
  if (attribute.tag !== derTag.sequence) throw invalidName();
  const reader = readInside(attribute);
  const type = identifierOf(reader.next(derTag.objectIdentifier));
  return { type, value: textOf(reader.next()) };
}

/** The text of any of the string types that certificates use. */
function textOf({ tag, content }: DerValue): string {
  const ascii = content.toString("latin1");
  switch (tag) {
    case 0x0c:
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    case 0x12:
      return expectMatch(ascii, /^[0-9 ]*$/);
    case 0x13:
      return expectMatch(ascii, printable);
    case 0x14:
      return ascii;
    case 0x16:
      return expectMatch(ascii, /^[\0-\x7f]*$/);
    case 0x1e:
      return basicPlaneText(content);
    default:
      throw invalidName();
  }
}

function basicPlaneText(content: Buffer): string {
  if (content.length % 2 !== 0) throw invalidName();
  const text = Buffer.from(content).swap16().toString("utf16le");
  return expectMatch(text, /^[^\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]*$/).replace(/\0$/, "");
}

function expectMatch(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) throw invalidName();
  return text;
}

function invalidName(): Error {
  return new Error("expected a distinguished name, found other values");
}
