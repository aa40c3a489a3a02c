/**
 * Step 2 of a call: what the operator says a tool touches, and what the detectors find in it. A floor;
 * the server's own bundle can only add to it, and where neither operator nor bundle says anything the
 * engine writes `unclassified`, whatever was found: who adds an address to the arguments must not get
 * rid of that.
 */
import { isRecord } from "../../contract/json.ts";
import type { DetectorKind } from "./detect/detector.ts";
import { kindsIn } from "./detect/kinds-in.ts";

export interface Classification {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  /** Classes that only the detectors named. */
  readonly detectedClasses?: readonly string[];
}

/** What the operator says of one tool. */
export interface ToolLabels extends Classification {
  readonly result?: Classification;
}

/** Class by kind, without those that are switched off. */
export type DetectorClasses = ReadonlyMap<DetectorKind, string>;

/** Labels that a result brings when neither operator nor policy labelled the tool. */
const unlabelledResult = "untrusted_content";
/** Of a text that is too long to look at all of it. */
const unscanned = "unscanned_content";
/** They say nothing of who wrote a result. */
const aboutTheCall: ReadonlySet<string> = new Set(["egress", unscanned]);
/** Beyond this many characters of a request or a result nobody looks. */
const maxCharacters = 131_072;

/** `configured` is the operator's entry for this tool, `found` what the detectors say. */
export function classify(
  configured: Classification | undefined,
  found: Classification = nothing,
): Classification {
  const { dataClasses, labels } = configured ?? nothing;
  return {
    dataClasses,
    labels: union(labels, found.labels),
    detectedClasses: found.dataClasses,
  };
}

/** What the detectors find in a text of JSON, a result, or any other value. */
export function detect(value: unknown, detectors: DetectorClasses): Classification {
  const { kinds, isComplete } = kindsIn(value, [...detectors.keys()], maxCharacters);
  const found = [...detectors].filter(([kind]) => kinds.has(kind)).map(([, name]) => name);
  return { dataClasses: union(found, []), labels: isComplete ? [] : [unscanned] };
}

/** The same for members that were sent, each a JSON text, and for what names their subject. */
export function detectSent(
  sent: Readonly<Record<string, string>>,
  about: unknown,
  detectors: DetectorClasses,
): Classification {
  if (detectors.size === 0) return nothing;
  const values = Object.values(sent).map((text): unknown => JSON.parse(text));
  return detect([...values, isRecord(about) ? Object.values(about) : about], detectors);
}

/** What an allowed action brings into its conversation, its result included. */
export function broughtBy(
  call: Classification,
  { result = nothing }: ToolLabels = nothing,
): Classification {
  const labels = union(call.labels, result.labels);
  const isLabelled = labels.some((label) => !aboutTheCall.has(label));
  return {
    dataClasses: union(call.dataClasses, result.dataClasses),
    labels: isLabelled ? labels : union(labels, [unlabelledResult]),
  };
}

const nothing: ToolLabels = { dataClasses: [], labels: [] };

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])];
}
