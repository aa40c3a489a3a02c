/**
 * One admission record as a replay needs it: texts as they were written, read as far as somebody
 * looks at them.
 */
import { isRecord } from "../contract/json.ts";
import { jsonItems, jsonMembers, jsonString } from "../contract/json-members.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import { readLayerVerdict, saidText } from "./read-layer-verdict.ts";

/** What was recorded of one layer. */
export interface RecordedLayer {
  readonly verdict: LayerVerdict;
  /** What it said, to be compared. */
  readonly said: string;
}

export interface TimedLayer extends RecordedLayer {
  /** Milliseconds that it took, where that was recorded. */
  readonly evalMs: number | undefined;
}

export interface RecordedDecision {
  readonly id: string;
  readonly timeMs: number;
  readonly server: string;
  readonly tool: string | null;
  readonly exposedName: string;
  readonly actionType: string;
  /** Of the input document, by name; JSON text. */
  readonly input: ReadonlyMap<string, string>;
  /** Of the input document's `action`, by name; JSON text. */
  readonly action: ReadonlyMap<string, string>;
  /** The input document as it was written. */
  readonly inputText: string;
  readonly isList: boolean;
  /** Something of it was taken out before it was written. */
  readonly isMasked: boolean;
  readonly ndBuiltinCacheJson: string | undefined;
  readonly layers: readonly TimedLayer[];
  /** The recorded answer; read when asked for. */
  readonly answer: () => RecordedAnswer;
  /** Milliseconds of all layers together; read when asked for. */
  readonly policyMs: () => number;
}

/** An answer as far as two are compared. */
export interface RecordedAnswer {
  readonly allow: boolean;
  readonly effect: string;
  readonly enforced: boolean;
  readonly reasons: readonly string[];
  readonly matchedRules: readonly string[];
}

/** Reads records; remembers what layers said, since most say the same again and again. */
export class RecordReader {
  readonly #layers = new Map<string, RecordedLayer>();

  /**
   * Reads one record.
   *
   * @throws SyntaxError, ZodError where it is not one of a decision, or not whole
   */
  read(text: string): RecordedDecision {
    const members = jsonMembers(text, readMembers);
    const inputText = members.get("input");
    const id = textOf(members, "decision_id");
    const timeMs = Date.parse(textOf(members, "timestamp"));
    if (inputText === undefined || id === "" || Number.isNaN(timeMs)) {
      throw new SyntaxError("expected the record of a decision with its input, found another");
    }
    const input = jsonMembers(inputText);
    return {
      id,
      timeMs,
      server: textOf(members, "server"),
      tool: textOf(members, "tool") || null,
      exposedName: textOf(members, "exposed_name"),
      actionType: textOf(members, "action_type"),
      input,
      action: jsonMembers(input.get("action") ?? "{}"),
      inputText,
      isList: input.get("phase") === '"list"',
      isMasked: ["masked", "erased"].some((name) => isFilled(members.get(name))),
      ndBuiltinCacheJson: members.get("nd_builtin_cache"),
      layers: jsonItems(members.get("layers") ?? "[]").map((layer) => this.#layer(layer)),
      answer: () => readAnswer(members.get("result")),
      policyMs: () => policyMsOf(members.get("metrics")),
    };
  }

  #layer(whole: string): TimedLayer {
    const at = whole.lastIndexOf(timing);
    const nanoseconds = at === -1 ? "" : whole.slice(at + timing.length, -1);
    const isTimed = /^\d{1,15}$/.test(nanoseconds);
    const text = isTimed ? `${whole.slice(0, at)}}` : whole;
    const known = this.#layers.get(text);
    const { verdict, said } = known ?? readLayer(text);
    if (known === undefined && this.#layers.size < maxRemembered) {
      this.#layers.set(text, { verdict, said });
    }
    return { verdict, said, evalMs: isTimed ? Number(nanoseconds) / 1e6 : undefined };
  }
}

const maxRemembered = 4096;
const readMembers: ReadonlySet<string> = new Set([
  "decision_id",
  "timestamp",
  "server",
  "tool",
  "exposed_name",
  "action_type",
  "input",
  "nd_builtin_cache",
  "masked",
  "erased",
  "result",
  "layers",
  "metrics",
]);
/** The last member of a layer that was timed. */
const timing = ',"eval_ns":';

function readLayer(text: string): RecordedLayer {
  const verdict = readLayerVerdict(text);
  return { verdict, said: saidText(verdict) };
}

function readAnswer(text: string | undefined): RecordedAnswer {
  const read: unknown = JSON.parse(text ?? "{}");
  const result = isRecord(read) ? read : {};
  const metadata = isRecord(result["metadata"]) ? result["metadata"] : {};
  return {
    allow: result["allow"] === true,
    effect: String(result["effect"]),
    enforced: result["enforced"] === true,
    reasons: textsOf(result["reasons"]),
    matchedRules: textsOf(metadata["matched_rules"]),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** A member that is a string; `""` where it is none. */
function textOf(members: ReadonlyMap<string, string>, name: string): string {
  return jsonString(members.get(name) ?? '""');
}

function isFilled(list: string | undefined): boolean {
  return list !== undefined && list !== "[]" && jsonItems(list).length > 0;
}

function policyMsOf(metrics: string | undefined): number {
  const read: unknown = JSON.parse(metrics ?? "{}");
  const nanoseconds = isRecord(read) ? read["timer_rego_query_eval_ns"] : undefined;
  return typeof nanoseconds === "number" ? nanoseconds / 1e6 : 0;
}
