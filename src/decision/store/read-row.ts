/**
 * Turns one record of the spool into the row that the store keeps. The header's texts are cut and
 * cleaned of what `text` and its indexes refuse (NUL, lone surrogates, great length); the record
 * itself goes along untouched.
 */
import { isRecord } from "../../contract/json.ts";
import type { DecisionRecord } from "../../contract/record.ts";
import { isUuid } from "./uuid-time.ts";

const textMaxCharacters = 512;
/** Far above what the wire lets in; PGlite's parser has no guard of its own and breaks for good. */
const documentMaxDepth = 512;

type Members = Readonly<Record<string, unknown>>;

/** One element of the JSON array that `insertDecisions` gets; names are the columns'. */
export interface DecisionRow {
  readonly decision_id: string;
  readonly kind: DecisionRecord["kind"];
  readonly record: string;
  readonly [column: string]: unknown;
}

/** The row of a record's text, `undefined` where it is no record that a header can be made of. */
export function readRow(text: string): DecisionRow | undefined {
  const record = parse(text);
  const id = record?.["decision_id"];
  if (record === undefined || typeof id !== "string" || !isUuid(id)) return undefined;
  const envelope = {
    decision_id: id,
    recorded_at: clean(record["timestamp"]),
    writer: clean(record["writer"]),
    seq: record["seq"],
    is_queryable: isShallow(record, documentMaxDepth),
    record: text,
  };
  if (record["kind"] === "admission") return { ...envelope, ...readAdmission(record) };
  if (record["kind"] === "outcome") return { ...envelope, ...readOutcome(record) };
  if (record["kind"] === "activation") return { ...envelope, ...readActivation(record) };
  if (record["kind"] === "approval") return { ...envelope, ...readApproval(record) };
  if (record["kind"] === "admin") return { ...envelope, ...readAdmin(record) };
  if (record["kind"] === "shadow") return { ...envelope, ...readShadow(record) };
  return undefined;
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
    bundles: JSON.stringify(record["bundles"] ?? null),
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
    expires_at: clean(record["expires_at"]),
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
    details: JSON.stringify(record["details"] ?? null),
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
    policy_ms: would["policy_ms"],
    was_effect: clean(was["effect"]),
    was_reasons: cleanAll(was["reasons"]),
    was_policy_ms: was["policy_ms"],
  };
}

function parse(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function membersOf(value: unknown): Members {
  return isRecord(value) ? value : {};
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isShallow(member, depth - 1));
}

function toMilliseconds(nanoseconds: unknown): number | null {
  return typeof nanoseconds === "number" ? nanoseconds / 1_000_000 : null;
}

function clean(value: unknown): string | null {
  if (typeof value !== "string") return null;
  return value.slice(0, textMaxCharacters).replace(/[\0\p{Cs}]/gu, "\u{fffd}");
}

function cleanAll(value: unknown): readonly (string | null)[] {
  return Array.isArray(value) ? value.map(clean) : [];
}
