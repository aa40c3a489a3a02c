/**
 * The ways in which a record is gone through: for what rules and detectors hide, for what repeats it,
 * and, where the first failed, for everything that others wrote.
 */
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { DetectorKind } from "../../contract/detector-kind.ts";
import { cleanMaxCharacters } from "./clean-texts.ts";
import type { CleanTexts } from "./clean-texts.ts";
import type { Detectors, TextSearch } from "./detect-in-text.ts";
import { maskFound } from "./detect-in-text.ts";
import type { Echoes } from "./echoes.ts";
import { hidingRule, isForeign, isUntouchable } from "./mask-place.ts";
import type { MaskPlace, MaskPlaces } from "./mask-place.ts";
import type { MaskRule } from "./mask-rules.ts";
import type { MaskTokens } from "./mask-token.ts";
import type { OwnNames } from "./own-names.ts";
import { actionZones, kindsIn } from "./record-zones.ts";
import type { Zone } from "./record-zones.ts";
import { decodeString } from "./rewrite-json.ts";
import type { Change, Found, Visitor } from "./rewrite-json.ts";
import { SplitKeys } from "./split-keys.ts";

/** What a record hides, as it comes to be known. */
export interface Hidden {
  readonly masked: Set<string>;
  readonly erased: Set<string>;
  readonly values: Map<string, string>;
  readonly names: Map<string, string>;
}

export interface MaskTools {
  readonly places: MaskPlaces;
  readonly tokens: MaskTokens;
  readonly detectors: Detectors;
  readonly kinds: readonly DetectorKind[];
  /** In which nothing was found in earlier records, with the same detectors. */
  readonly clean: CleanTexts;
  readonly hidden: Hidden;
  readonly names: OwnNames;
  /** What was hidden, for the places that repeat it. */
  readonly echoes: Echoes;
  /** Throws when it takes too long. */
  readonly checkTime: () => void;
}

const enter: Change = { kind: "enter" };
const keep: Change = { kind: "keep" };
const forget = (): void => undefined;
const maxCharacters = 131_072;
/** Texts behind those characters; of a record with more of them nothing is kept. */
const maxTextsBehind = 4096;
/** Of a record that are compared with earlier ones, so that nested texts are not read over and over. */
const comparedMaxCharacters = 65_536;

/** Hides what rules, schemas and detectors find. */
export function detectingPass(tools: MaskTools): Visitor<MaskPlace> {
  const { places, tokens, detectors, hidden, echoes } = tools;
  let charactersLeft = maxCharacters;
  const token = (text: string): string => {
    echoes.add(text);
    return tokens.token(text);
  };
  const searches = new Map<Zone, TextSearch>();
  const searchIn = (zone: Zone): TextSearch => {
    const search = searches.get(zone) ?? { detectors, kinds: kindsIn(zone, tools.kinds), token };
    searches.set(zone, search);
    return search;
  };
  let textsLeft = maxTextsBehind;
  const isBehind = ({ tree }: MaskPlace): boolean => charactersLeft < 0 && isForeign(tree.zone);
  const isUnseen = (place: MaskPlace): boolean => isBehind(place) && isOneZone(place);
  const keys = new SplitKeys();
  const searched = (place: MaskPlace, text: string, name: string | undefined) => {
    charactersLeft -= text.length;
    if (isBehind(place)) {
      textsLeft -= 1;
      if (textsLeft < 0) throw new RangeError("expected fewer texts to mask");
      return token(text);
    }
    const search = searchIn(place.tree.zone);
    const hasKeys = name !== undefined && search.kinds.includes("private_key");
    const key = hasKeys ? keys.next(place, text) : 0;
    if (key === 0) return maskFound(search, text, name);
    const rest = text.slice(key);
    return tokens.token(text.slice(0, key)) + (maskFound(search, rest, name) ?? rest);
  };
  const memory = rememberClean(tools.clean);
  const isFirst = !tools.names.isUsed;
  return {
    visit: (place, found) => {
      tools.checkTime();
      if (isUntouchable(place)) return keep;
      const isLeaf = found.kind === "string" || found.kind === "word";
      const rule = hidingRule(place, isLeaf);
      if (rule !== undefined) return hide(tools, place, found, rule);
      if (!keys.isOpen && memory.isKnown(place, found)) return keep;
      if (!isLeaf) return isUnseen(place) ? hide(tools, place, found, { op: "upsert" }) : enter;
      const text = readLeaf(found);
      if (found.kind === "word") {
        const shown = [text, ...otherForm(text)].find((form) => searched(place, form, place.name));
        return shown === undefined ? enter : put(hidden, place, found, token(shown));
      }
      const written = searched(place, text, place.name);
      return written === undefined ? enter : put(hidden, place, found, written);
    },
    // What an earlier pass named is clean in this record alone.
    unchanged: isFirst ? memory.remember : forget,
    member: (place, name) => {
      const found = place.hasForeignNames ? searched(place, name, undefined) : undefined;
      const written = isFirst && isSentToken(place, name) ? tokens.token(name) : found;
      return renamed(tools, place, { name, written, isFirst });
    },
    item: (place, index) => places.item(place, index),
  };
}

/** What is the same in every record is looked through once; numbers are as quickly looked at. */
function rememberClean(clean: CleanTexts): {
  readonly isKnown: (place: MaskPlace, found: Found) => boolean;
  readonly remember: (place: MaskPlace, found: Found) => void;
} {
  let charactersLeft = comparedMaxCharacters;
  const keyOf = (place: MaskPlace, found: Found): string | undefined => {
    if (found.kind === "word" || charactersLeft < 0 || !isUniform(place)) return undefined;
    const text = found.textWithin(cleanMaxCharacters);
    charactersLeft -= text?.length ?? cleanMaxCharacters;
    if (text === undefined) return undefined;
    const { name = "", tree, hasForeignNames } = place;
    // The name's length keeps apart where it ends and the text begins.
    return `${tree.zone}${hasForeignNames ? "+" : "-"}${name.length}:${name}${text}`;
  };
  return {
    isKnown: (place, found) => {
      const key = keyOf(place, found);
      return key !== undefined && clean.has(key);
    },
    remember: (place, found) => {
      const key = keyOf(place, found);
      if (key !== undefined) clean.add(key);
    },
  };
}

/** True where one thing is said of a value and of all that is in it. */
function isUniform(place: MaskPlace): boolean {
  return isOneZone(place) && place.rules.length === 0 && place.schemas.length === 0;
}

function isOneZone({ tree }: MaskPlace): boolean {
  return tree.members === undefined && tree.others === undefined;
}

/** Hides what repeats something that is hidden elsewhere; `isKept`: the original may be sealed, and
 * what looks like a token is one. */
export function echoingPass(tools: MaskTools, echoes: Echoes, isKept: boolean): Visitor<MaskPlace> {
  const { places, tokens, hidden, checkTime } = tools;
  const token = (text: string): string => tokens.token(text);
  return {
    visit: (place, found) => {
      checkTime();
      const { zone } = place.tree;
      if (zone === "fixed") return place.tree.members === undefined ? keep : enter;
      if (found.kind === "string") {
        if (zone === "identity" && isKept) return keep;
        const written = echoes.replace(readLeaf(found), token);
        return written === undefined ? keep : put(hidden, place, found, written, isKept);
      }
      const isNumber = zone === "content" && found.kind === "word" && echoes.isNumber(found.text());
      return isNumber ? put(hidden, place, found, token(found.text()), isKept) : enter;
    },
    member: (place, name) => {
      const found = place.hasForeignNames ? echoes.replace(name, token) : undefined;
      const written = !isKept && isSentToken(place, name) ? token(name) : found;
      const isSealed = isKept || found === undefined;
      return renamed(tools, place, { name, written, isFirst: !isKept, isKept: isSealed });
    },
    item: (place, index) => places.item(place, index),
  };
}

/** Takes out what others sent and hides what was said about it: nobody knows what is in there. */
export function erasingPass({ places, tokens, hidden }: MaskTools): Visitor<MaskPlace> {
  return {
    visit: (place, found) => {
      const { zone } = place.tree;
      if (zone === "content" && place.tree !== actionZones) {
        hidden.erased.add(place.pointer);
        return { kind: "remove" };
      }
      if (zone === "fixed") return place.tree.members === undefined ? keep : enter;
      if (found.kind !== "string") return enter;
      return put(hidden, place, found, tokens.token(readLeaf(found)), false);
    },
    member: (place, name) => ({ place: places.member(place, name, name), name }),
    item: (place, index) => places.item(place, index),
  };
}

function hide(
  { tokens, hidden, names, echoes }: MaskTools,
  place: MaskPlace,
  found: Found,
  { op, value }: Pick<MaskRule, "op" | "value">,
): Change {
  const text = found.text();
  addLeaves(echoes, found, text);
  names.close(place.pointer);
  if (op === "remove" && !place.isItem) {
    keepOriginal(hidden, place.pointer, text);
    hidden.erased.add(place.pointer);
    return { kind: "remove" };
  }
  keepOriginal(hidden, place.pointer, text);
  hidden.masked.add(place.pointer);
  const shown = value === undefined ? tokens.token(contentOf(found, text)) : value;
  return { kind: "put", text: JSON.stringify(shown) };
}

function put(
  hidden: Hidden,
  { pointer }: MaskPlace,
  found: Found,
  written: string,
  isKept = true,
): Change {
  if (isKept) keepOriginal(hidden, pointer, found.text());
  hidden.masked.add(pointer);
  return { kind: "put", text: JSON.stringify(written) };
}

/** The first is the original: what comes later was changed already. */
function keepOriginal({ values }: Hidden, pointer: string, text: string): void {
  if (!values.has(pointer)) values.set(pointer, text);
}

interface NewName {
  readonly name: string;
  /** `undefined` where it stays. */
  readonly written: string | undefined;
  /** Whether it is as it was sent: no pass before named any. */
  readonly isFirst: boolean;
  /** Whether the original may be sealed. */
  readonly isKept?: boolean;
}

/** Where a member is that is to be called `written`; a hidden name is listed as its place. */
function renamed(
  { places, hidden, names }: MaskTools,
  parent: MaskPlace,
  { name, written, isFirst, isKept = true }: NewName,
): { readonly place: MaskPlace; readonly name: string } {
  if (written === undefined) return { place: places.member(parent, name, name), name };
  const shown = names.take(name, written, isFirst);
  const place = places.member(parent, name, shown);
  names.move(places.member(parent, name, name).pointer, place.pointer);
  hidden.masked.add(place.pointer);
  const earlier = isFirst ? undefined : hidden.names.get(name);
  if (isKept) hidden.names.set(shown, earlier ?? name);
  return { place, name: shown };
}

/** A name that somebody chose to pass for one that is hidden. */
function isSentToken({ hasForeignNames }: MaskPlace, name: string): boolean {
  return hasForeignNames && name.includes("masked:hmac:");
}

/** A number without sign, exponent and zeros behind its point, as detectors know it. */
function otherForm(text: string): readonly string[] {
  return /^-|^\d+[.eE]/.test(text) ? [String(Math.abs(Number(text)))] : [];
}

function readLeaf(found: Found): string {
  return found.kind === "string" ? decodeString(found.text()) : found.text();
}

/** The same for the same value, however it is written. */
function contentOf({ kind }: Found, text: string): string {
  if (kind === "string") return decodeString(text);
  return kind === "word" ? text : canonicalJson(JSON.parse(text));
}

/** Every text and number in a value that is hidden whole. */
function addLeaves(echoes: Echoes, { kind }: Found, text: string): void {
  if (kind === "string") return echoes.add(decodeString(text));
  if (kind === "word") return /^-?\d/.test(text) ? echoes.addNumber(text) : undefined;
  echoes.addIn(JSON.parse(text));
}
