/**
 * The header of a record: what the store keeps of it as columns, for longer than the record itself.
 * The same members come out of a record that is being encoded and out of one that was read back, so
 * that the digest of a header can be taken at both ends. Texts are cut and cleaned of what `text`,
 * `jsonb` and their indexes refuse (NUL, lone surrogates, great length).
 */
import { canonicalJson } from "../contract/canonical-json.ts";
import { isRecord } from "../contract/json.ts";
import type { DecisionRecord } from "../contract/record.ts";

const textMaxCharacters = 512;

export type Members = Readonly<Record<string, unknown>>;

/** Names are the columns'; `kind` says which table they belong to. */
export type RecordHeader = Members & {
  readonly decision_id: string | null;
  readonly kind: DecisionRecord["kind"];
};

/** The members of a record's text; `undefined` where it is no JSON object. */
export function readMembers(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The header of a record's members; `undefined` where its kind is unknown. */
export function headerOf(record: Members): RecordHeader | undefined {
  const columns = columnsOf(record);
  if (columns === undefined) return undefined;
  const id = record["decision_id"];
  return {
    decision_id: typeof id === "string" ? id : null,
    recorded_at: timeOf(record["timestamp"]),
    ...columns,
  };
}

function columnsOf(
  record: Members,
): (Members & { readonly kind: DecisionRecord["kind"] }) | undefined {
  switch (record["kind"]) {
    case "admission":
      return readAdmission(record);
    case "outcome":
      return readOutcome(record);
    case "activation":
      return readActivation(record);
    case "approval":
      return readApproval(record);
    case "admin":
      return readAdmin(record);
    case "shadow":
      return readShadow(record);
    default:
      return undefined;
  }
}

function readAdmission(record: Members): Members & { readonly kind: "admission" } {
  const result = membersOf(record["result"]);
  const metadata = membersOf(result["metadata"]);
  const metrics = membersOf(record["metrics"]);
  return {
    kind: "admission",
    tenant: columnText(record["tenant"]),
    agent: columnText(record["agent"]),
    user_id: columnText(record["user"]),
    server: columnText(record["server"]),
    tool: columnText(record["tool"]),
    exposed_name: columnText(record["exposed_name"]),
    action_type: columnText(record["action_type"]),
    protocol_version: columnText(record["protocol_version"]),
    effect: columnText(result["effect"]),
    enforced: result["enforced"] === true,
    reasons: cleanAll(result["reasons"]),
    matched_rules: cleanAll(metadata["matched_rules"]),
    remediation: columnText(result["remediation"]),
    policy_version: columnText(metadata["policy_version"]),
    bundles: canonicalJson(cleanTree(record["bundles"])),
    args_sha256: columnText(record["args_sha256"]),
    posture: columnText(record["posture"]),
    policy_ms: toMilliseconds(metrics["timer_rego_query_eval_ns"]),
    total_ms: toMilliseconds(metrics["timer_server_handler_ns"]),
  };
}

function readOutcome(record: Members): Members & { readonly kind: "outcome" } {
  const metrics = membersOf(record["metrics"]);
  return {
    kind: "outcome",
    outcome: columnText(record["outcome"]),
    result_sha256: columnText(record["result_sha256"]),
    result_bytes: record["result_bytes"],
    latency_ms: toMilliseconds(metrics["timer_tool_call_ns"]),
  };
}

function readActivation(record: Members): Members & { readonly kind: "activation" } {
  return {
    kind: "activation",
    tenant: columnText(record["tenant"]),
    layer: columnText(record["layer"]),
    layer_kind: columnText(record["layer_kind"]),
    reference: columnText(record["reference"]),
    event: columnText(record["event"]),
    digest: columnText(record["digest"]),
    previous_digest: columnText(record["previous_digest"]),
    revision: columnText(record["revision"]),
    changed_by: columnText(record["by"]),
    why: columnText(record["why"]),
    code: columnText(record["code"]),
    signers: cleanAll(record["signers"]),
  };
}

function readApproval(record: Members): Members & { readonly kind: "approval" } {
  return {
    kind: "approval",
    tenant: columnText(record["tenant"]),
    approval_id: columnText(record["approval_id"]),
    event: columnText(record["event"]),
    for_decision_id: columnText(record["for_decision_id"]),
    server: columnText(record["server"]),
    tool: columnText(record["tool"]),
    agent: columnText(record["agent"]),
    user_id: columnText(record["user"]),
    changed_by: columnText(record["by"]),
    channel: columnText(record["channel"]),
    why: columnText(record["reason"]),
    args_sha256: columnText(record["args_sha256"]),
    expires_at: timeOf(record["expires_at"]),
  };
}

function readAdmin(record: Members): Members & { readonly kind: "admin" } {
  return {
    kind: "admin",
    tenant: columnText(record["tenant"]),
    changed_by: columnText(record["by"]),
    action: columnText(record["action"]),
    subject: columnText(record["subject"]),
    why: columnText(record["reason"]),
    details: canonicalJson(cleanTree(record["details"])),
  };
}

function readShadow(record: Members): Members & { readonly kind: "shadow" } {
  const [was, would] = [membersOf(record["was"]), membersOf(record["would"])];
  return {
    kind: "shadow",
    tenant: columnText(record["tenant"]),
    for_decision_id: columnText(record["for_decision_id"]),
    server: columnText(record["server"]),
    tool: columnText(record["tool"]),
    agent: columnText(record["agent"]),
    user_id: columnText(record["user"]),
    layer: columnText(record["layer"]),
    layer_kind: columnText(record["layer_kind"]),
    revision: columnText(record["revision"]),
    digest: columnText(record["digest"]),
    difference: columnText(record["difference"]),
    code: columnText(record["code"]),
    effect: columnText(would["effect"]),
    reasons: cleanAll(would["reasons"]),
    matched_rules: cleanAll(would["matched_rules"]),
    policy_ms: would["policy_ms"] ?? null,
    was_effect: columnText(was["effect"]),
    was_reasons: cleanAll(was["reasons"]),
    was_policy_ms: was["policy_ms"] ?? null,
  };
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}

function toMilliseconds(nanoseconds: unknown): number | null {
  return typeof nanoseconds === "number" ? nanoseconds / 1_000_000 : null;
}

/** With milliseconds, which every store keeps. */
function timeOf(value: unknown): string | null {
  const timeMs = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(timeMs) ? columnText(value) : new Date(timeMs).toISOString();
}

/** A text as a column has it; `null` of what is none. */
export function columnText(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.length <= textMaxCharacters ? value : value.slice(0, textMaxCharacters);
  if (text.isWellFormed() && !text.includes("\0")) return text;
  return text.replace(/[\0\p{Cs}]/gu, "\u{fffd}");
}

/** For `jsonb`, which refuses what `text` refuses. */
function cleanTree(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleanTree);
  if (!isRecord(value)) return typeof value === "string" ? columnText(value) : (value ?? null);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [columnText(key) ?? "", cleanTree(member)]),
  );
}

function cleanAll(value: unknown): readonly (string | null)[] {
  return Array.isArray(value) ? value.map(columnText) : [];
}
