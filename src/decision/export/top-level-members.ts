/**
 * The members of a JSON object as texts: an export moves the input document and what came of it into
 * another shape, and reading and writing them would change long numbers and repeated members.
 */

/** Values by member name, each as it stands in the text; `undefined` where it is no JSON object. */
export function topLevelMembers(text: string): ReadonlyMap<string, string> | undefined {
  if (!isObject(text)) return undefined;
  const members = new Map<string, string>();
  let at = text.indexOf("{") + 1;
  for (;;) {
    at = skip(text, at);
    if (text[at] !== '"') return members;
    const nameEnd = endOfString(text, at);
    const valueStart = skip(text, nameEnd);
    const valueEnd = endOfValue(text, valueStart);
    members.set(String(JSON.parse(text.slice(at, nameEnd))), text.slice(valueStart, valueEnd));
    at = valueEnd;
  }
}

function isObject(text: string): boolean {
  try {
    return /^\s*\{/.test(text) && typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** Past white space, a comma or a colon; the text is known to be JSON. */
function skip(text: string, from: number): number {
  let at = from;
  while (/[\s,:]/.test(text[at] ?? "")) at += 1;
  return at;
}

function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first === "{" || first === "[") return endOfTree(text, from);
  let at = from;
  while (at < text.length && !/[\s,}\]]/.test(text[at] ?? "")) at += 1;
  return at;
}

function endOfTree(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
