/**
 * Changes values inside a JSON text and leaves every other byte as it came: the record says what
 * policy judged, digit by digit. A visitor is asked about each value before what is in it. Throws on
 * a text that is no JSON; whoever calls decides what that means.
 */

/** What becomes of a value. */
export type Change =
  /** Containers are looked into, leaves stay. */
  | { readonly kind: "enter" }
  /** Stays, and is not looked into. */
  | { readonly kind: "keep" }
  | { readonly kind: "put"; readonly text: string }
  /** Taken out of its object; not for items of an array. */
  | { readonly kind: "remove" };

export type ValueKind = "object" | "array" | "string" | "word";

/** A value as it stands in the text. */
export interface Found {
  readonly kind: ValueKind;
  readonly text: () => string;
  /** `undefined` where it is longer than so many characters. */
  readonly textWithin: (mostCharacters: number) => string | undefined;
}

export interface Visitor<Place> {
  readonly visit: (place: Place, found: Found) => Change;
  /** Where a member is; `name` differs where the member is to be called otherwise. */
  readonly member: (place: Place, name: string) => { readonly place: Place; readonly name: string };
  readonly item: (place: Place, index: number) => Place;
  /** Told of each value that was looked into and stays as it is. */
  readonly unchanged?: (place: Place, found: Found) => void;
}

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Member {
  readonly start: number;
  readonly end: number;
  readonly isRemoved: boolean;
}

interface Reading<Place> {
  readonly text: string;
  readonly visitor: Visitor<Place>;
  readonly patches: Patch[];
  /** Whether the value that was visited last is to go. */
  isRemoved: boolean;
}

const space = /[ \t\n\r]*/y;
const word = /-?\d[\d.eE+-]*|true|false|null/y;
const kinds: Readonly<Record<string, ValueKind>> = { "{": "object", "[": "array", '"': "string" };

/** The text with what the visitor changed. */
export function rewriteJson<Place>(text: string, root: Place, visitor: Visitor<Place>): string {
  const patches: Patch[] = [];
  const reading = { text, visitor, patches, isRemoved: false };
  const end = visitValue(reading, skipSpace(text, 0), root);
  if (skipSpace(text, end) !== text.length) throw new SyntaxError("expected the end of the text");
  if (patches.length === 0) return text;
  let written = "";
  let at = 0;
  for (const patch of patches.toSorted((a, b) => a.start - b.start)) {
    written += text.slice(at, patch.start) + patch.text;
    at = patch.end;
  }
  return written + text.slice(at);
}

class FoundValue implements Found {
  readonly kind: ValueKind;
  readonly #whole: string;
  readonly #start: number;

  constructor(whole: string, start: number, kind: ValueKind) {
    this.#whole = whole;
    this.#start = start;
    this.kind = kind;
  }

  text(): string {
    return this.#whole.slice(this.#start, endOf(this.#whole, this.#start));
  }

  textWithin(mostCharacters: number): string | undefined {
    const end = endWithin(this.#whole, this.#start, mostCharacters);
    return end === undefined ? undefined : this.#whole.slice(this.#start, end);
  }
}

/** Returns where the value ends. */
function visitValue<Place>(reading: Reading<Place>, start: number, place: Place): number {
  const { text, visitor, patches } = reading;
  const kind = kinds[text.charAt(start)] ?? "word";
  const found = new FoundValue(text, start, kind);
  const change = visitor.visit(place, found);
  reading.isRemoved = change.kind === "remove";
  if (change.kind === "put") {
    const end = endOf(text, start);
    patches.push({ start, end, text: change.text });
    return end;
  }
  if (change.kind !== "enter") return endOf(text, start);
  const before = patches.length;
  const end = enter(reading, start, kind, place);
  reading.isRemoved = false;
  if (patches.length === before) visitor.unchanged?.(place, found);
  return end;
}

function enter<Place>(
  reading: Reading<Place>,
  start: number,
  kind: ValueKind,
  place: Place,
): number {
  if (kind === "object") return enterObject(reading, start, place);
  if (kind === "array") return enterArray(reading, start, place);
  return endOf(reading.text, start);
}

function enterObject<Place>(reading: Reading<Place>, start: number, place: Place): number {
  const { text, visitor, patches } = reading;
  const members: Member[] = [];
  let hasRemoved = false;
  let at = skipSpace(text, start + 1);
  while (text[at] !== "}") {
    const nameEnd = endOfString(text, at);
    const name = decodeString(text.slice(at, nameEnd));
    const member = visitor.member(place, name);
    const valueAt = skipSpace(text, expect(text, skipSpace(text, nameEnd), ":"));
    const end = visitValue(reading, valueAt, member.place);
    const { isRemoved } = reading;
    if (!isRemoved && member.name !== name) {
      patches.push({ start: at, end: nameEnd, text: JSON.stringify(member.name) });
    }
    hasRemoved ||= isRemoved;
    members.push({ start: at, end, isRemoved });
    at = skipSpace(text, end);
    if (text[at] === "}") break;
    at = skipSpace(text, expect(text, at, ","));
  }
  if (hasRemoved) patches.push(...removals(members));
  return at + 1;
}

/** Each run of members that go takes one comma with it. */
function removals(members: readonly Member[]): readonly Patch[] {
  const found: Patch[] = [];
  members.forEach(({ start, end, isRemoved }, index) => {
    if (!isRemoved || members[index - 1]?.isRemoved === true) return;
    const next = members.findIndex((member, other) => other > index && !member.isRemoved);
    const before = members[index - 1];
    const last = members.at(-1)?.end ?? end;
    if (next >= 0) found.push({ start, end: members[next]?.start ?? end, text: "" });
    else found.push({ start: before?.end ?? start, end: last, text: "" });
  });
  return found;
}

function enterArray<Place>(reading: Reading<Place>, start: number, place: Place): number {
  const { text, visitor } = reading;
  let at = skipSpace(text, start + 1);
  for (let index = 0; text[at] !== "]"; index += 1) {
    const end = visitValue(reading, at, visitor.item(place, index));
    if (reading.isRemoved) throw new TypeError("expected an item that stays");
    at = skipSpace(text, end);
    if (text[at] === "]") break;
    at = skipSpace(text, expect(text, at, ","));
  }
  return at + 1;
}

function endOf(text: string, start: number): number {
  const kind = kinds[text.charAt(start)];
  if (kind === "string") return endOfString(text, start);
  if (kind !== undefined) return endOfContainer(text, start);
  word.lastIndex = start;
  const found = word.exec(text);
  if (found === null) throw new SyntaxError("expected a value");
  return start + found[0].length;
}

function endOfContainer(text: string, start: number): number {
  const end = containerEnd(text, start, text.length);
  if (end === undefined) throw new SyntaxError("expected the end of an object or array");
  return end;
}

/** Looks no further than it has to. */
function endWithin(text: string, start: number, mostCharacters: number): number | undefined {
  const limit = start + mostCharacters;
  const kind = kinds[text.charAt(start)];
  const isContainer = kind === "object" || kind === "array";
  const end = isContainer ? containerEnd(text, start, limit) : endOf(text, start);
  return end === undefined || end > limit ? undefined : end;
}

function containerEnd(text: string, start: number, limit: number): number | undefined {
  let levels = 0;
  for (let at = start; at < text.length && at < limit; at += 1) {
    const character = text.charCodeAt(at);
    if (character === 0x22) at = endOfString(text, at) - 1;
    else if (character === 0x7b || character === 0x5b) levels += 1;
    else if (character === 0x7d || character === 0x5d) {
      levels -= 1;
      if (levels === 0) return at + 1;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = expect(text, start, '"'); ;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw new SyntaxError("expected the end of a string");
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === 0x5c) escapes -= 1;
    if ((end - escapes) % 2 === 0) return end + 1;
    at = end + 1;
  }
}

/** What a string of JSON says. */
export function decodeString(written: string): string {
  if (!written.includes("\\")) return written.slice(1, -1);
  const value: unknown = JSON.parse(written);
  return String(value);
}

function expect(text: string, at: number, character: string): number {
  if (text[at] === character) return at + 1;
  throw new SyntaxError(`expected ${character} in a JSON text`);
}

function skipSpace(text: string, at: number): number {
  if (text.charCodeAt(at) > 0x20) return at;
  space.lastIndex = at;
  return at + (space.exec(text)?.[0].length ?? 0);
}
