/**
 * JSON text with integers of any size: keys of certificates are numbers in what OPA answers.
 */

export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/** JSON text in which an integer has all its digits. Half characters become U+FFFD. */
export function exactJsonText(value: ExactJson): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(exactJsonText).join(",")}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${exactJsonText(name)}:${exactJsonText(member)}`,
  );
  return `{${members.join(",")}}`;
}

function isList(value: object): value is readonly ExactJson[] {
  return Array.isArray(value);
}
