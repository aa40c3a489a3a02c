/**
 * What of a recorded decision can be said in words. Read leniently: what an older version wrote, or
 * masking has taken away, is not said.
 */
import * as z from "zod";

const text = z.string().nullish().catch(undefined);
const texts = z.array(z.string()).nullish().catch(undefined);

const match = z.object({
  rule: z.string().catch("a rule"),
  code: text,
  title: text,
  description: text,
  message: text,
  remediation: text,
  appeal: text,
  owner: text,
  alternatives: texts,
  approvers: texts,
  overridable: z.boolean().nullish().catch(undefined),
});

const matches = z.array(match).nullish().catch(undefined);

const layer = z.object({
  name: z.string().catch("?"),
  kind: text,
  revision: text,
  error: z.object({ code: text, message: text }).nullish().catch(undefined),
  allow: matches,
  deny: matches,
  require_approval: matches,
});

const waiver = z.object({
  bundle: text,
  rule: text,
  justification: text,
  expires: text,
  ticket: text,
});

const waivers = z.array(waiver).nullish().catch(undefined);

const record = z.object({
  timestamp: text,
  agent: text,
  user: text,
  server: text,
  tool: text,
  exposed_name: text,
  action_type: text,
  posture: text,
  result: z.object({
    allow: z.boolean().catch(false),
    effect: z.string().catch("deny"),
    enforced: z.boolean().catch(true),
    reasons: texts,
    metadata: z
      .object({
        matched_rules: texts,
        rate_limit_remaining: z.number().nullish().catch(undefined),
        rate_limit_resets_at: text,
      })
      .nullish()
      .catch(undefined),
  }),
  layers: z.array(layer).catch([]),
  waivers: z.object({ used: waivers, expired: waivers }).nullish().catch(undefined),
});

export type ExplainedRecord = z.output<typeof record>;
export type ExplainedLayer = z.output<typeof layer>;
export type ExplainedMatch = z.output<typeof match>;
export type ExplainedWaiver = z.output<typeof waiver>;

/** The parts of a record that can be explained; `undefined` where it is none. */
export function readExplained(admission: unknown): ExplainedRecord | undefined {
  return record.safeParse(admission).data;
}
