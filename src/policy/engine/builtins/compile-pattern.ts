/**
 * Regular expressions of RE2's language, compiled once for as long as there are few of them.
 */
import { RE2JS } from "re2js";

export type Pattern = ReturnType<typeof RE2JS.compile>;

const maxPatterns = 100;
const patterns = new Map<string, Pattern | undefined>();

/** Undefined for text that is no regular expression of RE2's. */
export function compilePattern(source: string): Pattern | undefined {
  if (!patterns.has(source)) {
    if (patterns.size >= maxPatterns) patterns.clear();
    patterns.set(source, tryCompile(source));
  }
  return patterns.get(source);
}

function tryCompile(source: string): Pattern | undefined {
  try {
    return RE2JS.compile(source);
  } catch {
    return undefined;
  }
}
