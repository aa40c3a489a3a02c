/**
 * Values as compiled policies hand them to host builtins: the text of `opa_value_dump`, which is
 * JSON plus sets, object keys of any type, and numbers as they were written. JSON alone would lose
 * which of two equal-looking values is a set, and every digit beyond a double.
 */

export type OpaValue =
  /** `text` as the value was written, every digit of a number among it. */
  | { readonly kind: "null" | "boolean" | "number"; readonly text: string }
  | { readonly kind: "string"; readonly value: string }
  /** In the order of the policy's memory, which for a set means nothing. */
  | { readonly kind: "array" | "set"; readonly items: readonly OpaValue[] }
  | { readonly kind: "object"; readonly members: readonly OpaMember[] };

export type OpaMember = readonly [key: OpaValue, value: OpaValue];

const emptySet = "set()";
const string = /"(?:[^"\\]|\\.)*"/suy;
/** Rego lets a number begin with its point. */
const number = /-?(?:[0-9]|\.[0-9])[0-9.eE+-]*/y;

/**
 * Reads one dumped value.
 *
 * @throws SyntaxError for text that `opa_value_dump` does not write; the evaluation is then lost.
 */
export function readOpaValue(text: string): OpaValue {
  const reader = { text, offset: 0 };
  const value = readValue(reader);
  if (reader.offset !== text.length) throw unexpected(reader);
  return value;
}

interface Reader {
  readonly text: string;
  offset: number;
}

function readValue(reader: Reader): OpaValue {
  switch (reader.text[reader.offset]) {
    case '"':
      return readString(reader);
    case "[":
      return readArray(reader);
    case "{":
      return readBraces(reader);
    case "s":
      return readWord(reader, emptySet, { kind: "set", items: [] });
    case "n":
      return readWord(reader, "null", { kind: "null", text: "null" });
    case "t":
      return readWord(reader, "true", { kind: "boolean", text: "true" });
    case "f":
      return readWord(reader, "false", { kind: "boolean", text: "false" });
    default:
      return { kind: "number", text: readToken(reader, number).replace(/^(-?)\./, "$10.") };
  }
}

function readString(reader: Reader): OpaValue {
  const text = readToken(reader, string);
  const value: unknown = JSON.parse(text);
  if (typeof value !== "string") throw unexpected(reader);
  return { kind: "string", value };
}

/** `{}`, `{key: value, …}` or `{member, …}`; only what follows the first value tells. */
function readBraces(reader: Reader): OpaValue {
  reader.offset += 1;
  if (take(reader, "}")) return { kind: "object", members: [] };
  const first = readValue(reader);
  if (reader.text[reader.offset] !== ":") return readItems(reader, "set", first);
  const members: OpaMember[] = [[first, readMemberValue(reader)]];
  while (take(reader, ", ")) members.push([readValue(reader), readMemberValue(reader)]);
  expect(reader, "}");
  return { kind: "object", members };
}

function readMemberValue(reader: Reader): OpaValue {
  expect(reader, ": ");
  return readValue(reader);
}

function readArray(reader: Reader): OpaValue {
  reader.offset += 1;
  if (take(reader, "]")) return { kind: "array", items: [] };
  return readItems(reader, "array", readValue(reader));
}

function readItems(reader: Reader, kind: "array" | "set", first: OpaValue): OpaValue {
  const items = [first];
  while (take(reader, ", ")) items.push(readValue(reader));
  expect(reader, kind === "array" ? "]" : "}");
  return { kind, items };
}

function take(reader: Reader, mark: string): boolean {
  if (!reader.text.startsWith(mark, reader.offset)) return false;
  reader.offset += mark.length;
  return true;
}

function expect(reader: Reader, mark: string): void {
  if (!take(reader, mark)) throw unexpected(reader);
}

function readWord(reader: Reader, word: string, value: OpaValue): OpaValue {
  expect(reader, word);
  return value;
}

function readToken(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.offset;
  const token = pattern.exec(reader.text)?.[0];
  if (token === undefined) throw unexpected(reader);
  reader.offset += token.length;
  return token;
}

function unexpected({ offset }: Reader): SyntaxError {
  return new SyntaxError(`expected a dumped value, found another character at ${offset}`);
}
