/**
 * `uri.parse` and `uri.is_valid`: URLs as Go's `url.Parse` takes them apart, which is neither a
 * browser's way nor quite that of RFC 3986.
 */
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { ofTexts, textOf } from "./operands.ts";
import { parseGoUrl } from "./parse-go-url.ts";
import { writeObject, writeText } from "./values.ts";

const parse = ofTexts((text: string) => {
  const url = parseGoUrl(text);
  if (url === undefined) return undefined;
  const { scheme, hostname, port, path, rawPath, rawQuery, fragment } = url;
  const members = [
    ["scheme", scheme],
    ["hostname", hostname],
    ["port", port],
    ["path", path],
    ["raw_path", path === "" ? "" : rawPath],
    ["raw_query", rawQuery],
    ["fragment", fragment],
  ] as const;
  return writeObject(
    members
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [writeText(name), writeText(value)]),
  );
});

const isValid: Builtin = ([operand]) => {
  const text = textOf(operand) ?? "";
  return String(text !== "" && parseGoUrl(text) !== undefined);
};

export const uriBuiltins: BuiltinGroup = { "uri.is_valid": isValid, "uri.parse": parse };
