/**
 * `regex.find_n`, `regex.replace`, `regex.split`, `regex.template_match` and `regex.globs_match`, in
 * RE2's language and in linear time. How matches follow each other is Go's: an empty one right
 * behind another does not count.
 */
import { RE2JS } from "re2js";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compilePattern } from "./compile-pattern.ts";
import type { Pattern } from "./compile-pattern.ts";
import { globsMeet } from "./glob-intersection.ts";
import { int64Of, ofTexts, textOf } from "./operands.ts";
import { writeArray, writeEach, writeText } from "./values.ts";

interface Match {
  readonly start: number;
  readonly end: number;
  /** A group by number or name; undefined where it did not take part or does not exist. */
  readonly group: (name: string) => string | undefined;
}

/** A replacement that makes the text longer than this fails the evaluation. */
const maxTextLength = 8 * 1024 * 1024;
/** `$$`, `$name`, `${name}`; a name is as long as it can be. */
const template = /\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

const findN: Builtin = ([source, text, limit]) => {
  const [base, n] = [textOf(text), int64Of(limit)];
  const pattern = compilePattern(textOf(source) ?? "(");
  if (pattern === undefined || base === undefined || n === undefined) return undefined;
  return writeArray(writeEach(foundIn(pattern, base, n)));
};

function* foundIn(pattern: Pattern, base: string, n: bigint): Generator<string> {
  let left = n;
  for (const { start, end } of matchesIn(pattern, base)) {
    if (left === 0n) return;
    left -= 1n;
    yield base.slice(start, end);
  }
}

const split = ofTexts((source: string, text: string) => {
  const pattern = compilePattern(source);
  if (pattern === undefined) return undefined;
  if (source !== "" && text === "") return writeArray([writeText("")]);
  return writeArray(writeEach(partsOf(pattern, text)));
});

function* partsOf(pattern: Pattern, text: string): Generator<string> {
  let [begin, last] = [0, 0];
  for (const { start, end } of matchesIn(pattern, text)) {
    last = start;
    if (end !== 0) yield text.slice(begin, start);
    begin = end;
  }
  if (last !== text.length) yield text.slice(begin);
}

const replace = ofTexts((text: string, source: string, replacement: string) => {
  const pattern = compilePattern(source);
  if (pattern === undefined) return undefined;
  let [replaced, after] = ["", 0];
  for (const match of matchesIn(pattern, text)) {
    replaced += text.slice(after, match.start) + expand(replacement, match);
    after = match.end;
    if (replaced.length > maxTextLength) {
      throw new Error(`expected a text of at most ${maxTextLength} characters of regex.replace`);
    }
  }
  return writeText(replaced + text.slice(after));
});

const templateMatch = ofTexts((source: string, text: string, open: string, close: string) => {
  if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1) return undefined;
  const whole = readTemplate(source, open, close);
  const pattern = whole === undefined ? undefined : compilePattern(whole);
  return pattern && String(pattern.matcher(text).find());
});

const globsMatch = ofTexts((left: string, right: string) => {
  const isMet = globsMeet(left, right);
  return isMet === undefined ? undefined : String(isMet);
});

function* matchesIn(pattern: Pattern, text: string): Generator<Match> {
  const matcher = pattern.matcher(text);
  const names = pattern.namedGroups();
  const group = (name: string): string | undefined => {
    const number = /^\d+$/.test(name) ? Number(name) : names[name];
    if (number === undefined || number > pattern.groupCount()) return undefined;
    return matcher.group(number) ?? undefined;
  };
  let [at, previousEnd] = [0, -1];
  while (at <= text.length && matcher.find(at)) {
    const [start, end] = [matcher.start(), matcher.end()];
    const isEmptyBehind = start === end && start === previousEnd;
    const isEmptyHere = end === at;
    at = isEmptyHere ? at + widthAt(text, at) : end;
    previousEnd = end;
    if (!isEmptyBehind) yield { start, end, group };
  }
}

/** A character outside of the basic plane is two units wide. */
function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function expand(replacement: string, { group }: Match): string {
  return replacement.replace(
    template,
    (_, dollar: string | undefined, plain: string | undefined, braced: string | undefined) =>
      dollar ?? group(plain ?? braced ?? "") ?? "",
  );
}

/** Patterns between delimiters, and what is around them as it is; undefined where one is open. */
function readTemplate(source: string, open: string, close: string): string | undefined {
  let [whole, after, depth, start] = ["^", 0, 0, 0];
  for (let at = 0; at < source.length; at += 1) {
    if (source[at] === open) {
      depth += 1;
      if (depth === 1) start = at;
    } else if (source[at] === close) {
      depth -= 1;
      if (depth < 0) return undefined;
      if (depth > 0) continue;
      const inside = source.slice(start + 1, at);
      if (compilePattern(`^${inside}$`) === undefined) return undefined;
      whole += `${RE2JS.quote(source.slice(after, start))}(${inside})`;
      after = at + 1;
    }
  }
  return depth === 0 ? `${whole}${RE2JS.quote(source.slice(after))}$` : undefined;
}

export const regexBuiltins: BuiltinGroup = {
  "regex.find_n": findN,
  "regex.globs_match": globsMatch,
  "regex.replace": replace,
  "regex.split": split,
  "regex.template_match": templateMatch,
};
