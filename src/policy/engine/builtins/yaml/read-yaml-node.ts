/**
 * JSON text of a parsed document whose scalars have no types yet. How far aliases may multiply a
 * text is bounded.
 */
import { isAlias, isMap, isScalar, isSeq, Scalar } from "yaml";
import type { Alias, Document } from "yaml";
import { writeArray, writeObject, writeText } from "../values.ts";
import { resolvePlain } from "./resolve-plain.ts";
import type { PlainValue } from "./resolve-plain.ts";

interface Walk {
  readonly document: Document.Parsed;
  /** Nodes that may still be written. */
  left: number;
}

const maxNodes = 200_000;
const maxDepth = 1000;
const merge = "<<";

/** @throws For what JSON has no form for: infinity, a list as a key, a circle of aliases. */
export function yamlNodeJson(document: Document.Parsed): string {
  return writeNode({ document, left: maxNodes }, document.contents, 0);
}

function writeNode(walk: Walk, node: unknown, depth: number): string {
  walk.left -= 1;
  if (walk.left < 0 || depth > maxDepth) throw new Error("expected a smaller document");
  if (isAlias(node)) return writeNode(walk, targetOf(walk, node), depth + 1);
  if (isSeq(node)) return writeArray(node.items.map((item) => writeNode(walk, item, depth + 1)));
  if (isMap(node)) {
    const members = [...membersOf(walk, node, depth)];
    return writeObject(members.map(([name, text]) => [writeText(name), text]));
  }
  return isScalar(node) ? plainJson(valueOf(node)) : "null";
}

/** Own members win over merged ones, and among each the last over the first. */
function membersOf(walk: Walk, node: unknown, depth: number): Map<string, string> {
  const target = isAlias(node) ? targetOf(walk, node) : node;
  if (!isMap(target) || depth > maxDepth) throw new Error("expected a map to merge");
  const own = new Map<string, string>();
  const merged = new Map<string, string>();
  for (const { key, value } of target.items) {
    if (isScalar(key) && key.type === Scalar.PLAIN && key.value === merge) {
      const sources = isSeq(value) ? value.items : [value];
      for (const source of sources) {
        for (const [name, text] of membersOf(walk, source, depth + 1)) {
          if (!merged.has(name)) merged.set(name, text);
        }
      }
    } else {
      own.set(keyText(walk, key), writeNode(walk, value, depth + 1));
    }
  }
  return new Map([...merged, ...own]);
}

function targetOf({ document }: Walk, alias: Alias): unknown {
  const target = alias.resolve(document);
  if (target === undefined) throw new Error("expected an anchor for each alias");
  return target;
}

function keyText(walk: Walk, key: unknown): string {
  const node = isAlias(key) ? targetOf(walk, key) : key;
  const value = isScalar(node) ? valueOf(node) : null;
  if (value === null) throw new Error("expected a plain key, found another");
  return typeof value === "number" ? numberText(value) : String(value);
}

/** A quoted scalar is text; a plain one is what it looks like; a tag says which of both. */
function valueOf(node: Scalar): PlainValue {
  const text = typeof node.value === "string" ? node.value : "";
  if (node.tag === "tag:yaml.org,2002:binary") return Buffer.from(text, "base64").toString("utf8");
  if (node.tag === "tag:yaml.org,2002:str" && node.type !== Scalar.PLAIN) return text;
  return node.type === Scalar.PLAIN && node.tag !== "!" ? resolvePlain(text) : text;
}

function plainJson(value: PlainValue): string {
  if (typeof value === "string") return writeText(value);
  return typeof value === "number" ? numberText(value) : String(value);
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error("expected a finite number, found another");
  return JSON.stringify(value);
}
