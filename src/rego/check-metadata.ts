/**
 * What the METADATA of a policy's rules may say. The gateway reads `custom` strictly when a rule
 * matches, and a member of another type is a failed layer then: here the author hears of it before.
 * Other members are the author's own, but one that is nearly a known one is a slip of the pen.
 */
import { suggestKey } from "../config/suggest-key.ts";
import { isRecord } from "../contract/json.ts";
import { isGatewayCode, isGatewayRule } from "../contract/layer.ts";
import { actionTypes } from "../contract/policy-input.ts";
import type { PolicyInspection, RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

type Annotation = PolicyInspection["annotations"][number];
type Custom = Readonly<Record<string, unknown>>;

interface Member {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const text: Member = { expected: "a string that is not empty", fits: isWord };
const words: Member = {
  expected: "a list of strings that are not empty",
  fits: (value) => Array.isArray(value) && value.every(isWord),
};
const flag: Member = {
  expected: "true or false",
  fits: (value) => typeof value === "boolean",
};

const members: Readonly<Record<string, Member>> = {
  id: text,
  code: text,
  severity: text,
  remediation: text,
  appeal: text,
  owner: text,
  alternatives: words,
  actions: words,
  approvers: words,
  channels: words,
  overridable: flag,
  audit: flag,
  disclose: {
    expected: '"text", "code" or "none"',
    fits: (value) => value === "text" || value === "code" || value === "none",
  },
  ttl_seconds: {
    expected: "seconds above 0",
    fits: (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  },
};

/** The rules whose elements carry METADATA. */
const rulesWithMetadata = ["allow", "deny", "require_approval", "hide", "warn"];

/** Everything that is wrong with what the METADATA of the policy's own rules says. */
export function metadataProblems(
  { package: policyPackage, annotations }: PolicyInspection,
  { modules }: PolicySources,
): readonly RegoProblem[] {
  const paths = new Set(rulesWithMetadata.map((rule) => `${policyPackage}.${rule}`));
  return annotations
    .filter(({ path }) => paths.has(path))
    .flatMap((annotation) => problemsOf(annotation, modules[annotation.file] ?? ""));
}

function problemsOf(annotation: Annotation, source: string): readonly RegoProblem[] {
  const { file, col, path } = annotation;
  const rule = path.slice(path.lastIndexOf(".") + 1);
  const custom = annotation.annotations.custom ?? {};
  return findingsOf(custom).map(([key, message]) => ({
    code: "contract_metadata",
    message: `METADATA of ${rule}: custom.${key}: ${message}`,
    file,
    row: rowOf(source, annotation.row, key),
    col,
    details: [],
  }));
}

function findingsOf(custom: Custom): readonly (readonly [string, string])[] {
  return Object.entries(custom).flatMap(([key, value]) =>
    memberFindings(custom, key, value).map((message) => [key, message] as const),
  );
}

function memberFindings(custom: Custom, key: string, value: unknown): readonly string[] {
  if (!Object.hasOwn(members, key)) return strangerFindings(key);
  const member = members[key];
  if (member?.fits(value) !== true) {
    return [`expected ${member?.expected ?? "nothing"}, found ${nameOf(value)}`];
  }
  if (key === "actions" && Array.isArray(value)) return value.flatMap(actionFindings);
  return typeof value === "string" ? nameFindings(custom, key, value) : [];
}

function strangerFindings(key: string): readonly string[] {
  const meant = suggestKey(key, Object.keys(members));
  return meant === undefined ? [] : [`means nothing to the gateway; did you mean ${meant}?`];
}

function actionFindings(action: unknown): readonly string[] {
  const names: readonly string[] = actionTypes;
  if (typeof action !== "string" || names.includes(action)) return [];
  const meant = suggestKey(action, names);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return [`expected ${names.join(", ")}, found ${JSON.stringify(action)}${hint}`];
}

/** Without a `code` the id is the code. */
function nameFindings(custom: Custom, key: string, value: string): readonly string[] {
  const isCode = key === "code" || (key === "id" && custom["code"] === undefined);
  const isReserved = (isCode && isGatewayCode(value)) || (key === "id" && isGatewayRule(value));
  return isReserved ? [`expected a name of the policy's own, found the gateway's ${value}`] : [];
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function nameOf(value: unknown): string {
  if (value === null) return "nothing";
  if (value === "") return "an empty string";
  if (Array.isArray(value)) {
    const stranger: unknown = value.find((item) => !isWord(item));
    return stranger === undefined ? "a list" : `${nameOf(stranger)} in the list`;
  }
  if (isRecord(value)) return "an object";
  return typeof value === "string" ? JSON.stringify(value) : `a ${typeof value}`;
}

/** The line of a member in the comment above its rule; that of the rule where none begins so. */
function rowOf(source: string, ruleRow: number, key: string): number {
  const lines = source.split("\n");
  for (let row = ruleRow - 1; lines[row - 1]?.trimStart().startsWith("#") === true; row -= 1) {
    if (lines[row - 1]?.replace(/^[\s#]+/, "").startsWith(`${key}:`) === true) return row;
  }
  return ruleRow;
}
