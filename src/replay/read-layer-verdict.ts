/**
 * Reads one layer's verdict back from a record: the inverse of how records are encoded. Members that
 * were left out because they are empty are there again; those that later versions add are not heard.
 */
import * as z from "zod";
import { canonicalJson } from "../contract/canonical-json.ts";
import { layerKinds } from "../contract/bundle.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import type { LayerOutput, LayerVerdict } from "../contract/layer.ts";

const text = z.optional(z.string());
const texts = z.prefault(z.array(z.string()), []);
const json: z.ZodType<Json> = z.json();
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json);

const matchShape = {
  rule: z.string(),
  code: z.string(),
  title: text,
  description: text,
  severity: text,
  remediation: text,
  appeal: text,
  alternatives: texts,
  overridable: z.boolean(),
  disclose: z.enum(["text", "code", "none"]),
  audit: z.boolean(),
  owner: text,
  actions: texts,
  message: text,
  details: z.optional(json),
};
const matches = z.prefault(z.array(z.object(matchShape)), []);
const request = z.object({
  ...matchShape,
  approvers: texts,
  channels: texts,
  ttl_seconds: z.optional(z.number()),
});
const capabilities = z.object({
  servers: z.array(z.string()),
  tools: z.array(z.string()),
  scopes: z.array(z.string()),
});
const waiver = z.object({
  bundle: z.string(),
  rule: z.string(),
  justification: z.string(),
  expires: z.string(),
  ticket: text,
  problem: text,
});
const obligation = z.object({ id: z.string(), type: z.string(), properties: jsonObject });

const verdictSchema = z.object({
  name: z.string(),
  kind: z.enum(layerKinds),
  revision: z.string(),
  digest: z.string(),
  opaque: z.optional(z.boolean()),
  canaryOf: text,
  error: z.optional(
    z.object({
      code: z.enum(["policy_error", "policy_timeout", "no_decision", "no_policy"]),
      message: z.string(),
    }),
  ),
  allow: matches,
  deny: matches,
  require_approval: z.prefault(z.array(request), []),
  obligations: z.prefault(z.array(obligation), []),
  hide: matches,
  data_classes: texts,
  labels: texts,
  capabilities: z.optional(capabilities),
  parent_capabilities: z.optional(z.array(capabilities)),
  waive: z.prefault(z.array(waiver), []),
  warn: matches,
});

/**
 * The verdict that a record's layer stands for.
 *
 * @throws ZodError, SyntaxError where it is none
 */
export function readLayerVerdict(recorded: string): LayerVerdict {
  const read = verdictSchema.parse(JSON.parse(recorded));
  const { name, kind, revision, digest, opaque, canaryOf, error } = read;
  const isOpaque = opaque === true ? { opaque } : {};
  const layer = { name, kind, revision, digest, ...isOpaque, canaryOf };
  if (error !== undefined) return { ok: false, layer, ...error };
  return { ok: true, layer, output: outputOf(read) };
}

function outputOf(read: z.output<typeof verdictSchema>): LayerOutput {
  return {
    allow: read.allow.map(withAll),
    deny: read.deny.map(withAll),
    requireApproval: read.require_approval.map(({ ttl_seconds: ttlSeconds, ...match }) => {
      const { approvers, channels } = match;
      return { ...withAll(match), approvers, channels, ttlSeconds };
    }),
    obligations: read.obligations,
    hide: read.hide.map(withAll),
    dataClasses: read.data_classes,
    labels: read.labels,
    capabilities: read.capabilities,
    parentCapabilities: read.parent_capabilities,
    waive: read.waive.map((one) => ({ ...one, ticket: one.ticket })),
    warn: read.warn.map(withAll),
  };
}

type ReadMatch = z.output<typeof matches>[number];

/** Members that may be undefined are always there. */
function withAll(match: ReadMatch) {
  const { title, description, severity, remediation, appeal, owner, message, details } = match;
  const said = { title, description, severity, remediation, appeal, owner, message, details };
  const { rule, code, alternatives, overridable, disclose, audit, actions } = match;
  return { rule, code, alternatives, overridable, disclose, audit, actions, ...said };
}

/** Text by which two verdicts are compared: all that was said, and nothing of who said it. */
export function saidText(verdict: Pick<LayerVerdict, "ok"> & SaidParts): string {
  if (verdict.output === undefined) return `error ${verdict.code ?? ""}`;
  const { parentCapabilities: _, ...output } = verdict.output;
  return canonicalJson(output);
}

interface SaidParts {
  readonly output?: LayerOutput;
  readonly code?: string;
}
