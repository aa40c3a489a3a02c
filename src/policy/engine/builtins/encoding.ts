/**
 * `base64url.encode_no_pad`, `hex.*` and `urlquery.*`.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compareTexts, sortedItems } from "./compare-opa-values.ts";
import { decodeUtf8 } from "./go-utf8.ts";
import { itemsOf, ofTexts, textOf } from "./operands.ts";
import { escapeQuery, unescapeQuery } from "./percent-encoding.ts";
import { writeArray, writeObject, writeText } from "./values.ts";

/** More parameters are an error in Go as well. */
const maxParameters = 10_000;

const encodeBase64UrlNoPad = ofTexts((text: string) =>
  writeText(Buffer.from(text).toString("base64url")),
);

const encodeHex = ofTexts((text: string) => writeText(Buffer.from(text).toString("hex")));

const decodeHex = ofTexts((text: string) =>
  /^(?:[0-9A-Fa-f]{2})*$/.test(text) ? writeText(decodeUtf8(Buffer.from(text, "hex"))) : undefined,
);

const encodeQuery = ofTexts((text: string) => writeText(escapeQuery(text)));

const decodeQuery = ofTexts((text: string) => {
  const decoded = unescapeQuery(text);
  return decoded === undefined ? undefined : writeText(decoded);
});

const encodeQueryObject: Builtin = ([operand]) => {
  if (operand?.kind !== "object") return undefined;
  const byKey = operand.members.toSorted(([left], [right]) =>
    compareTexts(textOf(left) ?? "", textOf(right) ?? ""),
  );
  const pairs: string[] = [];
  for (const [key, value] of byKey) {
    const name = textOf(key);
    const values = parametersOf(value);
    if (name === undefined || values === undefined) return undefined;
    for (const each of values) pairs.push(`${escapeQuery(name)}=${escapeQuery(each)}`);
  }
  return writeText(pairs.join("&"));
};

const decodeQueryObject = ofTexts((query: string) => {
  const parts = query.split("&");
  if (parts.length > maxParameters) return undefined;
  const values = new Map<string, string[]>();
  for (const part of parts) {
    if (part.includes(";")) return undefined;
    if (part === "") continue;
    const end = part.includes("=") ? part.indexOf("=") : part.length;
    const name = unescapeQuery(part.slice(0, end));
    const value = unescapeQuery(part.slice(end + 1));
    if (name === undefined || value === undefined) return undefined;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return writeObject(
    [...values].map(([name, all]) => [writeText(name), writeArray(all.map(writeText))]),
  );
});

/** One value, or each of an array or set; a set in its own order. */
function parametersOf(value: OpaValue): readonly string[] | undefined {
  const single = textOf(value);
  if (single !== undefined) return [single];
  const items = itemsOf(value);
  if (items === undefined) return undefined;
  const ordered = value.kind === "set" ? sortedItems(items) : items;
  const texts = ordered.flatMap((item) => textOf(item) ?? []);
  return texts.length === items.length ? texts : undefined;
}

export const encodingBuiltins: BuiltinGroup = {
  "base64url.encode_no_pad": encodeBase64UrlNoPad,
  "hex.decode": decodeHex,
  "hex.encode": encodeHex,
  "urlquery.decode": decodeQuery,
  "urlquery.decode_object": decodeQueryObject,
  "urlquery.encode": encodeQuery,
  "urlquery.encode_object": encodeQueryObject,
};
