/**
 * YAML text of a value, in the form of Go's library: two spaces a level, members in their natural
 * order, many lines as a literal block, quotes where a reader would see another type than text.
 */
import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import type { OpaValue } from "../../opa-value.ts";
import { sortedItems } from "../compare-opa-values.ts";
import { formatMagnitude } from "../go-float.ts";
import { marshalGoJson } from "../go-json.ts";
import { compareNaturally } from "./compare-naturally.ts";
import { resolvePlain } from "./resolve-plain.ts";

/** What YAML 1.1 took for booleans and for numbers in base 60. */
const oldTypes =
  /^(?:[yYnN]|yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$|^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
/** Begins and ends of documents. */
const marks = /^(?:---|\.\.\.)(?:$|\s)/;
const unprintable = /[\0-\x1f\x7f-\x9f\u2028\u2029\ufeff]/;
const timestamp = /^\d{4}-\d\d?-\d\d?(?:$|[Tt \t])/;

/** The text, with a line end. */
export function yamlText(value: OpaValue): string {
  // Nothing is given a type here, so that a number stays the text that it is.
  const document = new Document(null, { schema: "failsafe" });
  document.contents = nodeOf(value);
  return document.toString({ indent: 2, indentSeq: true, lineWidth: 0, singleQuote: true });
}

function nodeOf(value: OpaValue): Scalar | YAMLMap | YAMLSeq {
  switch (value.kind) {
    case "null":
    case "boolean":
      return plain(value.text);
    case "number":
      return plain(numberText(value.text));
    case "string":
      return textNode(value.value.toWellFormed());
    case "array":
      return listNode(value.items);
    case "set":
      return listNode(sortedItems(value.items));
    case "object": {
      const map = new YAMLMap();
      map.flow = value.members.length === 0;
      map.items = value.members
        .map(([key, member]) => [nameOf(key), nodeOf(member)] as const)
        .toSorted(([left], [right]) => compareNaturally(left, right))
        .map(([name, node]) => new Pair(textNode(name), node));
      return map;
    }
  }
}

function listNode(items: readonly OpaValue[]): YAMLSeq {
  const list = new YAMLSeq();
  list.flow = items.length === 0;
  list.items = items.map(nodeOf);
  return list;
}

function plain(text: string): Scalar {
  const node = new Scalar(text);
  node.type = Scalar.PLAIN;
  return node;
}

function textNode(text: string): Scalar {
  const node = new Scalar(text);
  const isText = resolvePlain(text) === text && !oldTypes.test(text) && !timestamp.test(text);
  if (text.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
  else if (!isText || unprintable.test(text)) node.type = Scalar.QUOTE_DOUBLE;
  else node.type = marks.test(text) || isQuoted(text) ? Scalar.QUOTE_SINGLE : Scalar.PLAIN;
  return node;
}

/** True where the library would not leave a text as it is. */
function isQuoted(text: string): boolean {
  const node = new Scalar(text);
  node.type = Scalar.PLAIN;
  const document = new Document(null, { schema: "failsafe" });
  document.contents = node;
  return /^["']/.test(document.toString({ lineWidth: 0 }));
}

function nameOf(key: OpaValue): string {
  return key.kind === "string" ? key.value : marshalGoJson(key);
}

/** Whole numbers of 64 bits as they are, others as Go prints a double. */
function numberText(text: string): string {
  const value = resolvePlain(text);
  if (typeof value === "bigint") return String(value);
  const number = Number(text);
  return `${number < 0 ? "-" : ""}${formatMagnitude(Math.abs(number), "g", -1)}`;
}
