/**
 * OPA's `nd_builtin_cache` of one decision: what builtins answered that could have answered
 * otherwise, by builtin and operands. It goes into the decision's record; a replay that is given it
 * back sees the same answers.
 */
import { isRecord } from "../../contract/json.ts";
import { printOpaValue } from "./builtins/print-opa-value.ts";
import type { OpaValue } from "./opa-value.ts";

export interface NdBuiltinCache {
  /** The known answer, or what `ask` says; undefined answers are not kept. */
  readonly answer: (
    name: string,
    operands: readonly OpaValue[],
    ask: () => string | undefined,
  ) => string | undefined;
  /** JSON text as OPA logs it, `{"rand.intn":{"[\"die\", 6]":4}}`; undefined where nothing was asked. */
  readonly toJson: () => string | undefined;
}

/** Builtins whose answers are kept. None of them may be one that gets secrets as operands. */
export const ndBuiltins: ReadonlySet<string> = new Set([
  "rand.intn",
  "time.now_ns",
  "uuid.rfc4122",
]);

/** Answers by builtin, then by operands. */
type Answers = Map<string, Map<string, string>>;

/**
 * Makes the cache of one decision.
 *
 * @param recordedJson What a record holds, for a replay. The time is not read from it: it is the
 *   decision's own.
 * @throws SyntaxError for text that is no JSON.
 */
export function createNdBuiltinCache(recordedJson?: string): NdBuiltinCache {
  const answers: Answers = new Map();
  const recorded = readRecorded(recordedJson);
  return {
    answer: (name, operands, ask) => {
      const key = printOpaValue({ kind: "array", items: operands });
      const known = answers.get(name)?.get(key) ?? recorded.get(name)?.get(key) ?? ask();
      if (known !== undefined) keep(answers, name, key, known);
      return known;
    },
    toJson: () => (answers.size === 0 ? undefined : writeAnswers(answers)),
  };
}

function keep(answers: Answers, name: string, key: string, answer: string): void {
  const byOperands = answers.get(name) ?? new Map<string, string>();
  answers.set(name, byOperands.set(key, answer));
}

function readRecorded(json: string | undefined): Answers {
  const recorded: Answers = new Map();
  const parsed: unknown = json === undefined ? {} : JSON.parse(json);
  for (const [name, byOperands] of Object.entries(isRecord(parsed) ? parsed : {})) {
    if (name === "time.now_ns" || !isRecord(byOperands)) continue;
    for (const [key, value] of Object.entries(byOperands)) {
      keep(recorded, name, key, JSON.stringify(value));
    }
  }
  return recorded;
}

function writeAnswers(answers: Answers): string {
  const builtins = [...answers].map(([name, byOperands]) => {
    const members = [...byOperands].map(([key, answer]) => `${JSON.stringify(key)}:${answer}`);
    return `${JSON.stringify(name)}:{${members.join(",")}}`;
  });
  return `{${builtins.join(",")}}`;
}
