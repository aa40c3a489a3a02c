/**
 * Takes out of a text what a `redact` obligation names: as it stands there, and in what base64 and
 * percent signs hide. Encoded data that are no text cannot be looked into and do not pass.
 */
import type { FindKinds, RedactDuty, TextSpan } from "./obligation.ts";

const base64Run = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
const percentWord = /[^\s"'<>]*%[0-9A-Fa-f]{2}[^\s"'<>]*/g;
/** A digest or an id is shorter; what is longer carries something. */
const opaqueCharacters = 1024;

/** The text without what must not pass. `name`: of the member that holds it. */
export function redactText(
  text: string,
  name: string | undefined,
  duty: RedactDuty,
  find: FindKinds,
): string {
  const plain = cut(text, spansIn(text, name, duty, find), duty.replacement);
  const holds = (hidden: string): boolean => spansIn(hidden, name, duty, find).length > 0;
  const opened = plain.replaceAll(base64Run, (run) =>
    isHiding(run, holds) ? duty.replacement : run,
  );
  if (!opened.includes("%")) return opened;
  return opened.replaceAll(percentWord, (word) =>
    holds(percentDecoded(word)) ? duty.replacement : word,
  );
}

function spansIn(
  text: string,
  name: string | undefined,
  { kinds, literals, patterns }: RedactDuty,
  find: FindKinds,
): readonly TextSpan[] {
  const spans: TextSpan[] = kinds.length === 0 ? [] : [...find(text, kinds, name)];
  for (const literal of literals) {
    for (let start = text.indexOf(literal); start >= 0;) {
      spans.push({ start, end: start + literal.length });
      start = text.indexOf(literal, start + literal.length);
    }
  }
  for (const pattern of patterns) {
    const matcher = pattern.matcher(text);
    while (matcher.find()) spans.push({ start: matcher.start(), end: matcher.end() });
  }
  return spans.filter(({ start, end }) => end > start);
}

/** Places that touch or overlap become one. */
function cut(text: string, spans: readonly TextSpan[], replacement: string): string {
  const parts: string[] = [];
  let done = 0;
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    if (start >= done) parts.push(text.slice(done, start), replacement);
    done = Math.max(done, end);
  }
  return parts.length === 0 ? text : [...parts, text.slice(done)].join("");
}

function isHiding(run: string, holds: (hidden: string) => boolean): boolean {
  const decoded = Buffer.from(run, "base64").toString("utf8");
  const isText = !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(decoded);
  if (isText) return holds(decoded);
  return run.length >= opaqueCharacters && !/^(.)\1*$/.test(run);
}

function percentDecoded(word: string): string {
  return word.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
