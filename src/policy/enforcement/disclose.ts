/**
 * What of a decision a client may see: each matched rule says whether its text, its code alone or
 * nothing leaves. The record keeps everything.
 */
import type { DecisionAnswer } from "../../contract/answer.ts";
import type { Disclose, RuleMatch } from "../../contract/layer.ts";

/** Stands for every reason that its rule keeps to itself. */
export const undisclosedReason = "denied";

export interface Disclosed {
  readonly answer: DecisionAnswer;
  /** Sentences of the rules that disclose their text, `[code] title: description`. */
  readonly sentences: readonly string[];
}

/** Cuts an answer down to what the rules behind it disclose. */
export function disclose(answer: DecisionAnswer, matches: readonly RuleMatch[]): Disclosed {
  const told = matches.filter((match) => match.disclose !== "none");
  const silent = new Set(matches.filter((match) => match.disclose === "none").map(codeOf));
  const reasons = answer.reasons.map((reason) => (silent.has(reason) ? undisclosedReason : reason));
  const first = matches[0];
  const metadata = {
    ...answer.metadata,
    matched_rules: told.map((match) => match.rule),
    alternatives: shows(first, "text") ? answer.metadata.alternatives : [],
    appeal_path: shows(first, "code") ? answer.metadata.appeal_path : null,
  };
  const remediation = shows(first, "code") ? answer.remediation : null;
  return {
    answer: { ...answer, reasons: [...new Set(reasons)], remediation, metadata },
    sentences: told.map(sentenceOf),
  };
}

/** True where a rule discloses at least this much; what no rule decided is the gateway's own. */
function shows(match: RuleMatch | undefined, level: Exclude<Disclose, "none">): boolean {
  if (match === undefined || match.disclose === "text") return true;
  return level === "code" && match.disclose === "code";
}

function sentenceOf(match: RuleMatch): string {
  if (match.disclose === "code") return `[${match.code}]`;
  const texts = [match.title, match.message, match.description].filter(
    (text) => text !== undefined,
  );
  return [`[${match.code}]`, ...texts.reduce(joined, [])].join(" ");
}

/** What ends as a sentence stands for itself; a title is followed by what it is about. */
function joined(before: readonly string[], text: string): readonly string[] {
  const last = before.at(-1);
  if (last === undefined || /[.!?:]$/.test(last)) return [...before, text];
  return [...before.slice(0, -1), `${last}: ${text}`];
}

function codeOf(match: RuleMatch): string {
  return match.code;
}
