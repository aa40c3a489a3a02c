/**
 * Opens what a record hides for whoever has the private key of somebody it was sealed to, and puts it
 * back in its place. Without such a key nothing of it can be had, and the gateway has none.
 */
import { createDecipheriv } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isRecord } from "../../contract/json.ts";
import { pointerNames } from "../../contract/log-mask.ts";
import { DecisionError } from "../decision-error.ts";
import { openBase, tagBytes } from "./hpke.ts";
import {
  boxCipher,
  boxNonceBytes,
  contentKeyContext,
  sealAlgorithm,
  sealBinding,
} from "./originals-seal.ts";
import type { Originals } from "./originals-seal.ts";
import { unmaskKeyId } from "./unmask-keys.ts";

type Members = Readonly<Record<string, unknown>>;

/** Where a record is kept, which says what record it has to be. */
export interface RecordRow {
  readonly kind: string;
  readonly decisionId: string;
}

/** More than any record is nested. */
const maxNesting = 1024;
const anyToken = /masked:hmac:[0-9a-f]{32}/;

/**
 * A record with its originals back in their places; as it is where it hides nothing. What could not be
 * put back stays in `masked` and `erased`. Nothing that the record says is believed or repeated.
 *
 * @throws DecisionError `unmask_refused` where this key does not open it, or nothing was kept
 */
export function unmaskRecord(record: Members, key: KeyObject, row: RecordRow): Members {
  try {
    return withOriginals(record, key, row);
  } catch (thrown) {
    if (thrown instanceof DecisionError) throw thrown;
    throw notAsSealed();
  }
}

function withOriginals(record: Members, key: KeyObject, row: RecordRow): Members {
  requireRow(record, row);
  const { sealed, masked, erased, ...others } = record;
  if (masked === undefined && erased === undefined) return record;
  if (!isRecord(sealed)) {
    throw refused("originals sealed beside the record, found none; they are not kept");
  }
  const lists = { masked: pointersOf(masked), erased: pointersOf(erased) };
  const originals = openSealed(sealed, key, sealBinding(row.kind, row.decisionId));
  const restoring = new Restoring(originals, lists);
  const whole = restoring.restore(others, "");
  if (!isRecord(whole)) throw notAsSealed();
  requireRow(whole, row);
  return { ...whole, ...restoring.listsLeft() };
}

function requireRow(record: Members, row: RecordRow): void {
  const { kind, decisionId } = rowOf(record);
  if (kind === row.kind && decisionId === row.decisionId) return;
  throw refused(
    `the ${row.kind} record of ${row.decisionId}, found another in its place; look for changes with "audit verify"`,
  );
}

function rowOf({ kind, decision_id: decisionId }: Members): RecordRow {
  if (typeof kind === "string" && typeof decisionId === "string") return { kind, decisionId };
  throw notAsSealed();
}

function openSealed(sealed: Members, key: KeyObject, binding: string): Originals {
  if (sealed["alg"] !== sealAlgorithm) {
    throw refused(
      `a seal of the form ${sealAlgorithm}, found another, which this version cannot open`,
    );
  }
  const entries = Array.isArray(sealed["to"]) ? sealed["to"].filter(isRecord) : [];
  const own = entries.find((entry) => entry["key_id"] === unmaskKeyId(key));
  if (own === undefined) throw notFor(entries, key);
  try {
    const message = { enc: bytesOf(own["enc"]), sealed: bytesOf(own["key"]) };
    const contentKey = openBase(key, contentKeyContext, message);
    return openBox(bytesOf(sealed["box"]), contentKey, binding);
  } catch {
    throw notAsSealed();
  }
}

function openBox(box: Buffer, contentKey: Buffer, binding: string): Originals {
  const nonce = box.subarray(0, boxNonceBytes);
  const decipher = createDecipheriv(boxCipher, contentKey, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(binding))
    .setAuthTag(box.subarray(-tagBytes));
  const text = decipher.update(box.subarray(boxNonceBytes, -tagBytes), undefined, "utf8");
  const found: unknown = JSON.parse(text + decipher.final("utf8"));
  if (!isRecord(found)) throw new TypeError("expected an object");
  return { values: pairsOf(found["values"]), names: pairsOf(found["names"]) };
}

function notFor(entries: readonly Members[], key: KeyObject): DecisionError {
  const ids = entries.flatMap(({ key_id: id }) => (isKeyId(id) ? [id] : []));
  const of = ids.length === 0 ? "nobody" : ids.join(", ");
  return refused(
    `the private key of one of those that the record was sealed to (${of}), found ${unmaskKeyId(key)}`,
  );
}

function isKeyId(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{1,64}$/.test(value);
}

/** Base64 in its one form, so that nothing of it can be changed unseen. */
function bytesOf(text: unknown): Buffer {
  const bytes = Buffer.from(String(text), "base64");
  if (bytes.toString("base64") === text) return bytes;
  throw new TypeError("expected base64");
}

/** Without a cause, which may quote what it could not read. */
function refused(expected: string): DecisionError {
  return new DecisionError("unmask_refused", `expected ${expected}`);
}

function notAsSealed(): DecisionError {
  return refused(
    'originals as they were sealed for this record, found others; look for changes with "audit verify"',
  );
}

function pointersOf(list: unknown): readonly string[] {
  if (list === undefined) return [];
  const pointers = Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
  if (Array.isArray(list) && list.length === pointers.length) return pointers;
  throw notAsSealed();
}

function pairsOf(value: unknown): ReadonlyMap<string, string> {
  const pairs = Array.isArray(value) ? value : [];
  return new Map(
    pairs.flatMap((pair: unknown): readonly (readonly [string, string])[] =>
      Array.isArray(pair) ? [[String(pair[0]), String(pair[1])]] : [],
    ),
  );
}

interface HiddenPlaces {
  readonly masked: readonly string[];
  readonly erased: readonly string[];
}

/** Puts originals back where the record says that something is hidden, and nowhere else. */
class Restoring {
  readonly #lists: HiddenPlaces;
  readonly #names: ReadonlyMap<string, string>;
  readonly #listed: ReadonlySet<string>;
  /** Texts by pointer with the original names. */
  readonly #values: ReadonlyMap<string, string>;
  /** Names of what was removed, by the pointer of its object. */
  readonly #removed = new Map<string, string[]>();
  /** Places whose value is back, and those of which nothing is hidden any more. */
  readonly #filled = new Set<string>();
  readonly #shown = new Set<string>();

  constructor({ values, names }: Originals, { masked, erased }: HiddenPlaces) {
    this.#names = names;
    const originally = (pointer: string): string => this.#originally(pointer);
    this.#lists = { masked: masked.map(originally), erased: erased.map(originally) };
    this.#listed = new Set([...this.#lists.masked, ...this.#lists.erased]);
    // Of two for one place the first is the original.
    this.#values = new Map([...values].toReversed().map(([at, text]) => [originally(at), text]));
    for (const pointer of new Set(this.#lists.erased)) {
      const parent = pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
      const siblings = this.#removed.get(parent) ?? [];
      siblings.push(...pointerNames(pointer).slice(-1));
      this.#removed.set(parent, siblings);
    }
  }

  restore(value: unknown, place: string, name = "", nesting = 0): unknown {
    if (nesting > maxNesting) throw notAsSealed();
    const text = this.#listed.has(place) ? this.#values.get(place) : undefined;
    if (text !== undefined) return this.#original(text, place, name, nesting);
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) =>
        this.restore(item, `${place}/${index}`, "", nesting + 1),
      );
    }
    return isRecord(value) ? this.#restoreMembers(value, place, nesting + 1) : value;
  }

  /** The lists of what is hidden still, by the names that are shown; none that would be empty. */
  listsLeft(): Partial<HiddenPlaces> {
    const masked = this.#lists.masked.filter((place) => !this.#shown.has(place));
    const erased = this.#lists.erased.filter((place) => !this.#filled.has(place));
    return {
      ...(masked.length === 0 ? {} : { masked: [...new Set(masked)] }),
      ...(erased.length === 0 ? {} : { erased: [...new Set(erased)] }),
    };
  }

  #restoreMembers(value: Members, place: string, nesting: number): Members {
    const members = new Map<string, unknown>();
    for (const [kept, member] of Object.entries(value)) {
      const original = this.#names.get(kept);
      const isBack = original !== undefined && this.#listed.has(below(place, original));
      const name = isBack ? original : kept;
      const at = below(place, name);
      members.set(name, this.restore(member, at, name, nesting));
      if (isBack && !this.#filled.has(at)) this.#noteShown(at, name, member);
    }
    for (const name of this.#removed.get(place) ?? []) {
      const at = below(place, name);
      const text = this.#values.get(at);
      if (text === undefined || members.has(name)) continue;
      members.set(name, this.#original(text, at, name, nesting));
    }
    // `__proto__` is a name like any other.
    return Object.fromEntries(members);
  }

  #original(text: string, place: string, name: string, nesting: number): unknown {
    const value: unknown = JSON.parse(text);
    requireShallow(value, nesting);
    this.#filled.add(place);
    this.#noteShown(place, name, value);
    return value;
  }

  /** Secrets of the configuration are never sealed, so that an original may hold a token. */
  #noteShown(place: string, name: string, value: unknown): void {
    const isHidden = anyToken.test(name) || (typeof value === "string" && anyToken.test(value));
    if (!isHidden) this.#shown.add(place);
  }

  /** A pointer may have been noted before a name in it was hidden. */
  #originally(pointer: string): string {
    return pointerNames(pointer).reduce(
      (place, name) => below(place, this.#names.get(name) ?? name),
      "",
    );
  }
}

function below(place: string, name: string): string {
  return `${place}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function requireShallow(value: unknown, nesting: number): void {
  if (nesting > maxNesting) throw notAsSealed();
  if (typeof value !== "object" || value === null) return;
  for (const one of Object.values(value)) requireShallow(one, nesting + 1);
}
