/**
 * A recorded decision as a test case of one layer's policy: the document that it was asked about, the
 * time and what chance answered then, and how much each of its rules said.
 */
import { isRecord } from "../contract/json.ts";
import type { LayerOutput } from "../contract/layer.ts";
import { layerDocument } from "./layer-document.ts";
import type { RecordedDecision, TimedLayer } from "./recorded-decision.ts";

export interface RegoTestRequest {
  readonly recorded: RecordedDecision;
  /** One that gave an answer. */
  readonly layer: TimedLayer;
  /** Of its policy, `mcp.crm`. */
  readonly policyPackage: string;
  /** Names of its rules, where its bundle says; else all that there may be. */
  readonly rules: readonly string[] | undefined;
}

/** Sets that rules make, by the member of an answer that was read from them. */
const setsByRule = {
  allow: "allow",
  deny: "deny",
  require_approval: "requireApproval",
  obligations: "obligations",
  hide: "hide",
  data_classes: "dataClasses",
  labels: "labels",
  waive: "waive",
  warn: "warn",
} as const satisfies Readonly<Record<string, keyof LayerOutput>>;

/** What the same builtin answered to several questions cannot be put in its place. */
const chance = ["rand.intn", "uuid.rfc4122"];

/** The text of a file that `policy test` runs beside the policy; `undefined` of a layer that failed. */
export function regoTest(request: RegoTestRequest): string | undefined {
  const { recorded, layer, policyPackage } = request;
  const { verdict } = layer;
  if (!verdict.ok) return undefined;
  const { name, kind, revision } = verdict.layer;
  const { effect, reasons } = recorded.answer();
  const document = visibleJson(layerDocument(recorded, { name, kind }, undefined));
  const found = expectationsOf(verdict.output, request);
  const time = new Date(recorded.timeMs).toISOString();
  const said = [effect, ...reasons].join(" ").replaceAll(/[^\x20-\x7e]/g, "?");
  return `# Decision ${recorded.id} of ${time}: ${said}.
# What "${name}" said of it, at revision ${JSON.stringify(revision)}.
package ${policyPackage}_test

import data.${policyPackage} as policy

test_decision_${recorded.id.replaceAll("-", "_")} if {
	said := policy with input as recorded_input_${shortId(recorded)}${conditions(recorded)}
${found.map((line) => `\t${line}`).join("\n")}
}

recorded_input_${shortId(recorded)} := ${document}

how_many(said, rule) := count(object.get(said, rule, [])) if not is_boolean(object.get(said, rule, []))

how_many(said, rule) := 1 if said[rule] == true

how_many(said, rule) := 0 if said[rule] == false
`;
}

/** The same document: what nobody sees, and what Rego refuses in a text, is written as an escape. */
function visibleJson(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function shortId({ id }: RecordedDecision): string {
  return id.replaceAll("-", "_");
}

function expectationsOf(output: LayerOutput, { rules }: RegoTestRequest): readonly string[] {
  const sets = Object.entries(setsByRule)
    .filter(([rule]) => rules === undefined || rules.includes(rule))
    .map(([rule, member]) => `how_many(said, "${rule}") == ${output[member].length}`);
  const { capabilities } = output;
  return capabilities === undefined
    ? sets
    : [...sets, `said.capabilities == ${JSON.stringify(capabilities)}`];
}

/** `with` for all that is not in the document. */
function conditions({ timeMs, ndBuiltinCacheJson }: RecordedDecision): string {
  const cache: unknown = JSON.parse(ndBuiltinCacheJson ?? "{}");
  const known = isRecord(cache) ? cache : {};
  const answered = chance.flatMap((builtin) => {
    const answers = Object.values(isRecord(known[builtin]) ? known[builtin] : {});
    const [answer, ...others] = answers.map((one) => JSON.stringify(one));
    return answer === undefined || others.length > 0 ? [] : [`with ${builtin} as ${answer}`];
  });
  return [`with time.now_ns as ${timeMs}000000`, ...answered].map((one) => ` ${one}`).join("");
}
