/**
 * Do two globs have a string in common: the question of `regex.globs_match`. A glob is made of
 * characters, `.` and sets such as `[a-z]`, each with `*` or `+` behind it or nothing. All pairs of
 * places that both can be in at once are followed, so the time grows with the product of the two
 * lengths, where OPA's own search grows exponentially with the number of flags.
 */

type Ranges = readonly (readonly [number, number])[];

interface Token {
  /** Ranges of code points, first and last; undefined for `.`, which is any. */
  readonly ranges: Ranges | undefined;
  /** `*`: any number of times, or not at all. */
  readonly isRepeated: boolean;
}

interface Reader {
  readonly characters: readonly string[];
  at: number;
}

interface Escapable {
  readonly character: string;
  readonly isEscaped: boolean;
}

/** Places in both globs, and whether a character was read on the way there. */
interface State {
  readonly i: number;
  readonly j: number;
  readonly hasRead: boolean;
}

/** True where both match a string that is not empty; undefined where one of them is no glob. */
export function globsMeet(left: string, right: string): boolean | undefined {
  const [ours, theirs] = [readGlob(left), readGlob(right)];
  if (ours === undefined || theirs === undefined) return undefined;
  if (ours.length === 0 && theirs.length === 0) return true;
  const seen = new Set<number>();
  const waiting: State[] = [{ i: 0, j: 0, hasRead: false }];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    const { i, j, hasRead } = state;
    if (hasRead && i === ours.length && j === theirs.length) return true;
    const key = 2 * (i * (theirs.length + 1) + j) + Number(hasRead);
    if (seen.has(key)) continue;
    seen.add(key);
    waiting.push(...statesAfter(state, ours[i], theirs[j]));
  }
  return false;
}

/** Where two globs can be next: one leaves out a token with `*`, or both take the same character. */
function statesAfter(
  { i, j, hasRead }: State,
  ours: Token | undefined,
  theirs: Token | undefined,
): readonly State[] {
  const states: State[] = [];
  if (ours?.isRepeated === true) states.push({ i: i + 1, j, hasRead });
  if (theirs?.isRepeated === true) states.push({ i, j: j + 1, hasRead });
  if (ours === undefined || theirs === undefined || !doMeet(ours, theirs)) return states;
  const next = { i: ours.isRepeated ? i : i + 1, j: theirs.isRepeated ? j : j + 1 };
  return [...states, { ...next, hasRead: true }];
}

function doMeet({ ranges: ours }: Token, { ranges: theirs }: Token): boolean {
  if (ours === undefined || theirs === undefined) return ours?.length !== 0 && theirs?.length !== 0;
  return ours.some(([first, last]) => theirs.some(([from, to]) => first <= to && from <= last));
}

function readGlob(source: string): readonly Token[] | undefined {
  const reader: Reader = { characters: Array.from(source), at: 0 };
  const tokens: Token[] = [];
  while (reader.at < reader.characters.length) {
    const ranges = readRanges(reader);
    if (ranges === undefined) return undefined;
    const flag = readFlag(reader);
    const token = { ranges: ranges === "any" ? undefined : ranges };
    // `a+` is `aa*`.
    if (flag !== "*") tokens.push({ ...token, isRepeated: false });
    if (flag !== "") tokens.push({ ...token, isRepeated: true });
  }
  return tokens;
}

function readRanges(reader: Reader): Ranges | "any" | undefined {
  const next = readCharacter(reader);
  if (next === undefined) return undefined;
  const { character, isEscaped } = next;
  if (!isEscaped) {
    if (character === ".") return "any";
    if (character === "[") return readSet(reader);
    if (["]", "*", "+"].includes(character)) return undefined;
  }
  return [[codeOf(character), codeOf(character)]];
}

function readSet(reader: Reader): Ranges | undefined {
  const ranges: [number, number][] = [];
  let before: number | undefined;
  for (let next = readCharacter(reader); next !== undefined; next = readCharacter(reader)) {
    const { character, isEscaped } = next;
    if (!isEscaped && character === "]") return ranges;
    if (isEscaped || character !== "-") {
      before = codeOf(character);
      ranges.push([before, before]);
      continue;
    }
    const end = before === undefined ? undefined : readRangeEnd(reader);
    if (before === undefined || end === undefined || end < before) return undefined;
    ranges.push([before, end]);
    before = undefined;
  }
  return undefined;
}

function readRangeEnd(reader: Reader): number | undefined {
  const next = readCharacter(reader);
  if (next === undefined) return undefined;
  const isSpecial = !next.isEscaped && (next.character === "]" || next.character === "-");
  return isSpecial ? undefined : codeOf(next.character);
}

function readFlag(reader: Reader): "" | "*" | "+" {
  const flag = reader.characters[reader.at];
  if (flag !== "*" && flag !== "+") return "";
  reader.at += 1;
  return flag;
}

/** Undefined at the end, and for a backslash that stands there. */
function readCharacter(reader: Reader): Escapable | undefined {
  const isEscaped = reader.characters[reader.at] === "\\";
  if (isEscaped) reader.at += 1;
  const character = reader.characters[reader.at];
  reader.at += 1;
  return character === undefined ? undefined : { character, isEscaped };
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
