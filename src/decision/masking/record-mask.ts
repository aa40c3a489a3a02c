/**
 * Masks one record before anybody sees it: before the spool, and so before tables, dead letters and
 * exports. What is hidden is named in `masked` and `erased`, as OPA's decision log names it. Masking
 * that throws or takes too long takes out everything that others wrote, and never lets it through.
 */
import type { KeyObject } from "node:crypto";
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { DetectorKind } from "../../contract/detector-kind.ts";
import { pointerNames } from "../../contract/log-mask.ts";
import type { AdmissionRecord, DecisionRecord } from "../../contract/record.ts";
import type { EncodedRecord } from "../integrity/envelope.ts";
import { headerOf, readMembers } from "../record-header.ts";
import { CleanTexts } from "./clean-texts.ts";
import type { Detectors } from "./detect-in-text.ts";
import { Echoes } from "./echoes.ts";
import { detectingPass, echoingPass, erasingPass } from "./mask-pass.ts";
import type { Hidden, MaskTools } from "./mask-pass.ts";
import { isSent, MaskPlaces, rootPlace } from "./mask-place.ts";
import type { MaskPlace } from "./mask-place.ts";
import { maskRules } from "./mask-rules.ts";
import type { MaskTokens } from "./mask-token.ts";
import { OriginalsSeal, sealBinding } from "./originals-seal.ts";
import { OwnNames } from "./own-names.ts";
import { rewriteJson } from "./rewrite-json.ts";
import type { Visitor } from "./rewrite-json.ts";

export interface RecordMaskOptions {
  readonly tokens: MaskTokens;
  readonly detectors: Detectors;
  /** What is masked wherever it is found. */
  readonly kinds: readonly DetectorKind[];
  /** JSON pointers of the operator, `*` for any one name. */
  readonly paths: readonly string[];
  /** Whether the tool's input schema says what is secret. */
  readonly usesSchema: boolean;
  /** Of the configuration; they are in no record, whoever sends them. */
  readonly secrets: readonly string[];
  /** Public keys that originals are sealed to; with none they are gone. */
  readonly recipients: readonly KeyObject[];
  readonly monotonicMs: () => number;
  /** For one record. */
  readonly patienceMs?: number;
}

type MaskHints = NonNullable<AdmissionRecord["hints"]>;

const usualPatienceMs = 1000;
/** Values between two looks at the clock. */
const visitsUnseen = 16;
const plainDigest = /"((?:args|result)_sha256)":"(sha256:[0-9a-f]+)"/;
/** Long enough that nobody chose it as a word. */
const leastSecret = 6;

interface MaskedText {
  readonly text: string;
  readonly hidden: Hidden;
}

export class RecordMask {
  readonly #options: RecordMaskOptions;
  readonly #secrets: Echoes;
  readonly #clean = new CleanTexts();
  readonly #seal: OriginalsSeal | undefined;

  constructor(options: RecordMaskOptions) {
    this.#options = options;
    this.#secrets = new Echoes(options.secrets.filter(({ length }) => length >= leastSecret));
    const { recipients, monotonicMs } = options;
    this.#seal = recipients.length === 0 ? undefined : new OriginalsSeal(recipients, monotonicMs);
  }

  /** The record as it may be kept. */
  mask(record: DecisionRecord, encoded: EncodedRecord): EncodedRecord {
    const hints: MaskHints = record.kind === "admission" ? (record.hints ?? {}) : {};
    const own = withKeyedDigest(record, encoded, this.#options.tokens);
    const { text, hidden } = this.#maskOrErase(own.text, hints);
    if (hidden.masked.size + hidden.erased.size === 0 && text === own.text) return own;
    const whole = this.#withLists(text, hidden, record);
    const members = readMembers(whole);
    return { text: whole, header: canonicalJson(members && headerOf(members)) };
  }

  /** Members of `input.action` that were sent, as somebody else may be told of them; JSON text. */
  maskSent(
    sent: Readonly<Record<string, string>>,
    hints: AdmissionRecord["hints"] = {},
  ): Readonly<Record<string, string>> {
    const masked = Object.entries(sent).map(([name, json]): readonly [string, string] => {
      const [before, behind] = [`{"input":{"action":{${JSON.stringify(name)}:`, "}}}"];
      const { text } = this.#maskOrErase(`${before}${json}${behind}`, hints);
      const isThere = text.startsWith(before);
      return [name, isThere ? text.slice(before.length, -behind.length) : "null"];
    });
    return Object.fromEntries(masked);
  }

  #maskOrErase(text: string, hints: MaskHints): MaskedText {
    try {
      const tools = this.#tools(hints);
      return { text: this.#maskText(text, hints, tools), hidden: tools.hidden };
    } catch {
      const tools = this.#tools({});
      const erased = pass(text, tools, erasingPass(tools));
      return { text: this.#withKeyedArguments(erased), hidden: tools.hidden };
    }
  }

  #maskText(text: string, { masks = [] }: MaskHints, tools: MaskTools): string {
    const clean = this.#secrets.mayBeIn(text)
      ? pass(text, tools, echoingPass(tools, this.#secrets, false))
      : text;
    const rules = maskRules(this.#options.paths, masks);
    const masked = pass(clean, tools, detectingPass(tools), rootPlace(rules));
    const { hidden, echoes } = tools;
    const echoed = echoes.isEmpty ? masked : pass(masked, tools, echoingPass(tools, echoes, true));
    const isKnown = [...hidden.masked, ...hidden.erased].some(isSent);
    return isKnown ? this.#withKeyedArguments(echoed) : echoed;
  }

  /** A plain digest of a short argument would be as good as the argument. */
  #withKeyedArguments(text: string): string {
    return text.replace(
      /"args_sha256":"(sha256:[0-9a-f]+)"/,
      (_, digest: string) => `"args_sha256":"${this.#options.tokens.digest(digest)}"`,
    );
  }

  #withLists(text: string, hidden: Hidden, { decisionId, kind }: DecisionRecord): string {
    const { masked, erased, values, names } = hidden;
    const lists = {
      ...(masked.size === 0 ? {} : { masked: [...masked].toSorted() }),
      ...(erased.size === 0 ? {} : { erased: [...erased].toSorted() }),
      ...(values.size + names.size === 0 || this.#seal === undefined
        ? {}
        : { sealed: this.#seal.seal(hidden, sealBinding(kind, decisionId)) }),
    };
    const added = JSON.stringify(lists).slice(1);
    return added === "}" ? text : `${text.slice(0, -1)},${added}`;
  }

  #tools({ argumentsSchema }: MaskHints): MaskTools {
    const { tokens, detectors, kinds, usesSchema, monotonicMs } = this.#options;
    let visits = 0;
    const untilMs = monotonicMs() + (this.#options.patienceMs ?? usualPatienceMs);
    return {
      places: new MaskPlaces(usesSchema ? argumentsSchema : undefined),
      tokens,
      detectors,
      kinds,
      clean: this.#clean,
      hidden: { masked: new Set(), erased: new Set(), values: new Map(), names: new Map() },
      names: new OwnNames(tokens),
      echoes: new Echoes(),
      checkTime: () => {
        visits += 1;
        if (visits % visitsUnseen === 0 && monotonicMs() > untilMs)
          throw new RangeError("masking took too long");
      },
    };
  }
}

/** Digests of what the record does not show: nobody knows how short it was. */
function withKeyedDigest(
  { kind }: DecisionRecord,
  { text, header }: EncodedRecord,
  tokens: MaskTokens,
): EncodedRecord {
  if (kind !== "outcome" && kind !== "approval") return { text, header };
  const [whole, name, plain] = plainDigest.exec(text) ?? [];
  if (whole === undefined || name === undefined || plain === undefined) return { text, header };
  const kept = `"${name}":"${tokens.digest(plain)}"`;
  return { text: text.replace(whole, kept), header: header.replace(whole, kept) };
}

/** Goes through a text; what was listed before is then listed where it is now. */
function pass(
  text: string,
  { hidden, names, places }: MaskTools,
  visitor: Visitor<MaskPlace>,
  root = rootPlace([]),
): string {
  const { masked, erased, values } = hidden;
  if (masked.size + erased.size + values.size === 0) return rewriteJson(text, root, visitor);
  const before = { masked: [...masked], erased: [...erased], values: [...values] };
  for (const list of [masked, erased, values]) list.clear();
  names.startPass();
  const written = rewriteJson(text, root, visitor);
  // What was removed is in no text, and its name is in the lists.
  for (const pointer of before.erased) {
    const end = pointer.lastIndexOf("/");
    const parent = pointerNames(names.follow(pointer.slice(0, end)) ?? "");
    const [name = ""] = pointerNames(pointer.slice(end));
    const start = rootPlace([]);
    visitor.member(
      parent.reduce((place, next) => places.member(place, next, next), start),
      name,
    );
  }
  const follow = (pointer: string, list: (now: string) => void): void => {
    const now = names.follow(pointer);
    if (now !== undefined) list(now);
  };
  for (const pointer of before.masked) follow(pointer, (now) => masked.add(now));
  for (const pointer of before.erased) follow(pointer, (now) => erased.add(now));
  for (const [pointer, json] of before.values) follow(pointer, (now) => values.set(now, json));
  return written;
}
