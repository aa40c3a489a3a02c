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
    tenant: clean(record["tenant"]),
    agent: clean(record["agent"]),
    user_id: clean(record["user"]),
    server: clean(record["server"]),
    tool: clean(record["tool"]),
    exposed_name: clean(record["exposed_name"]),
    action_type: clean(record["action_type"]),
    protocol_version: clean(record["protocol_version"]),
    effect: clean(result["effect"]),
    enforced: result["enforced"] === true,
    reasons: cleanAll(result["reasons"]),
    matched_rules: cleanAll(metadata["matched_rules"]),
    remediation: clean(result["remediation"]),
    policy_version: clean(metadata["policy_version"]),
    bundles: canonicalJson(cleanTree(record["bundles"])),
    args_sha256: clean(record["args_sha256"]),
    posture: clean(record["posture"]),
    policy_ms: toMilliseconds(metrics["timer_rego_query_eval_ns"]),
    total_ms: toMilliseconds(metrics["timer_server_handler_ns"]),
  };
}

function readOutcome(record: Members): Members & { readonly kind: "outcome" } {
  const metrics = membersOf(record["metrics"]);
  return {
    kind: "outcome",
    outcome: clean(record["outcome"]),
    result_sha256: clean(record["result_sha256"]),
    result_bytes: record["result_bytes"],
    latency_ms: toMilliseconds(metrics["timer_tool_call_ns"]),
  };
}

function readActivation(record: Members): Members & { readonly kind: "activation" } {
  return {
    kind: "activation",
    tenant: clean(record["tenant"]),
    layer: clean(record["layer"]),
    layer_kind: clean(record["layer_kind"]),
    reference: clean(record["reference"]),
    event: clean(record["event"]),
    digest: clean(record["digest"]),
    previous_digest: clean(record["previous_digest"]),
    revision: clean(record["revision"]),
    changed_by: clean(record["by"]),
    why: clean(record["why"]),
    code: clean(record["code"]),
    signers: cleanAll(record["signers"]),
  };
}

function readApproval(record: Members): Members & { readonly kind: "approval" } {
  return {
    kind: "approval",
    tenant: clean(record["tenant"]),
    approval_id: clean(record["approval_id"]),
    event: clean(record["event"]),
    for_decision_id: clean(record["for_decision_id"]),
    server: clean(record["server"]),
    tool: clean(record["tool"]),
    agent: clean(record["agent"]),
    user_id: clean(record["user"]),
    changed_by: clean(record["by"]),
    channel: clean(record["channel"]),
    why: clean(record["reason"]),
    args_sha256: clean(record["args_sha256"]),
    expires_at: timeOf(record["expires_at"]),
  };
}

function readAdmin(record: Members): Members & { readonly kind: "admin" } {
  return {
    kind: "admin",
    tenant: clean(record["tenant"]),
    changed_by: clean(record["by"]),
    action: clean(record["action"]),
    subject: clean(record["subject"]),
    why: clean(record["reason"]),
    details: canonicalJson(cleanTree(record["details"])),
  };
}

function readShadow(record: Members): Members & { readonly kind: "shadow" } {
  const [was, would] = [membersOf(record["was"]), membersOf(record["would"])];
  return {
    kind: "shadow",
    tenant: clean(record["tenant"]),
    for_decision_id: clean(record["for_decision_id"]),
    server: clean(record["server"]),
    tool: clean(record["tool"]),
    agent: clean(record["agent"]),
    user_id: clean(record["user"]),
    layer: clean(record["layer"]),
    layer_kind: clean(record["layer_kind"]),
    revision: clean(record["revision"]),
    digest: clean(record["digest"]),
    difference: clean(record["difference"]),
    code: clean(record["code"]),
    effect: clean(would["effect"]),
    reasons: cleanAll(would["reasons"]),
    matched_rules: cleanAll(would["matched_rules"]),
    policy_ms: would["policy_ms"] ?? null,
    was_effect: clean(was["effect"]),
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
  return Number.isNaN(timeMs) ? clean(value) : new Date(timeMs).toISOString();
}

export { clean as columnText };

/** A text as a column has it; `null` of what is none. */
function clean(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.length <= textMaxCharacters ? value : value.slice(0, textMaxCharacters);
  if (text.isWellFormed() && !text.includes("\0")) return text;
  return text.replace(/[\0\p{Cs}]/gu, "\u{fffd}");
}

/** For `jsonb`, which refuses what `text` refuses. */
function cleanTree(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleanTree);
  if (!isRecord(value)) return typeof value === "string" ? clean(value) : (value ?? null);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [clean(key) ?? "", cleanTree(member)]),
  );
}

function cleanAll(value: unknown): readonly (string | null)[] {
  return Array.isArray(value) ? value.map(clean) : [];
}
