/**
 * JSON text of a YAML node, with numbers as they are written: a double would lose digits of the
 * integers that cases about large numbers are made of.
 */
import { isAlias, isMap, isScalar, isSeq } from "yaml";

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * @param {unknown} node
 * @param {import("yaml").Document} document
 * @returns {string}
 */
export function jsonTextOf(node, document) {
  if (isAlias(node)) return jsonTextOf(node.resolve(document), document);
  if (isSeq(node)) return `[${node.items.map((item) => jsonTextOf(item, document)).join(",")}]`;
  if (isMap(node)) {
    const members = node.items.map(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : String(key);
      return `${JSON.stringify(name)}:${jsonTextOf(value, document)}`;
    });
    return `{${members.join(",")}}`;
  }
  if (!isScalar(node)) return "null";
  const isNumber = typeof node.value === "number" && jsonNumber.test(node.source ?? "");
  return isNumber ? String(node.source) : JSON.stringify(node.value ?? null);
}
