/**
 * Verdicts for tests of combining: short to write where one thing matters, and random where all do.
 */
import * as fc from "fast-check";
import type { LayerKind } from "../../../src/contract/bundle.ts";
import { layerKinds } from "../../../src/contract/bundle.ts";
import type {
  ApprovalRequest,
  LayerOutput,
  LayerVerdict,
  Obligation,
  RuleMatch,
  Waiver,
} from "../../../src/contract/layer.ts";
import { emptyOutput } from "../../../src/contract/layer.ts";
import type { CombineRequest } from "../../../src/policy/combine.ts";

export const nowMs = Date.parse("2026-11-22T12:00:00Z");

export function match(rule: string, part: Partial<RuleMatch> = {}): RuleMatch {
  return {
    rule,
    code: rule,
    title: undefined,
    description: undefined,
    severity: undefined,
    remediation: undefined,
    appeal: undefined,
    alternatives: [],
    overridable: false,
    disclose: "text",
    audit: false,
    owner: undefined,
    actions: [],
    message: undefined,
    details: undefined,
    ...part,
  };
}

export function approval(rule: string, part: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return { ...match(rule), approvers: [], channels: [], ttlSeconds: undefined, ...part };
}

export function waiver(part: Partial<Waiver> = {}): Waiver {
  return {
    bundle: "compliance",
    rule: "c.deny",
    justification: "agreed with the data office",
    expires: "2026-12-01T00:00:00Z",
    ticket: undefined,
    ...part,
  };
}

export function says(
  kind: LayerKind,
  output: Partial<LayerOutput>,
  name: string = kind === "server" ? "crm" : kind,
): LayerVerdict {
  const layer = { name, kind, revision: `${name}-1`, digest: `sha256:${name}` };
  return { ok: true, layer, output: { ...emptyOutput, ...output } };
}

export function fails(
  kind: LayerKind,
  code: "policy_error" | "policy_timeout" | "no_decision" | "no_policy" = "policy_error",
  name: string = kind === "server" ? "crm" : kind,
): LayerVerdict {
  const layer = { name, kind, revision: "", digest: "" };
  return { ok: false, layer, code, message: "for the operator only" };
}

export function request(
  verdicts: readonly LayerVerdict[],
  part: Partial<CombineRequest> = {},
): CombineRequest {
  return {
    decisionId: "019aaaaa-0000-7000-8000-000000000000",
    action: { type: "tool_call", server: "crm", tool: "get_customer" },
    scope: "customer_support",
    verdicts,
    nowMs,
    serverCeiling: undefined,
    isApproved: () => false,
    canFulfil: () => false,
    ...part,
  };
}

export const grants = says("server", { allow: [match("crm.read")] });

const rules = fc.constantFrom("a.one", "a.two", "b.one", "c.deny");
const matches = fc.array(
  fc
    .record({ rule: rules, overridable: fc.boolean() })
    .map(({ rule, overridable }) => match(rule, { overridable })),
  { maxLength: 2 },
);
/** Up to two waivers, good and bad. */
export const waivers: fc.Arbitrary<readonly Waiver[]> = fc.array(
  fc
    .record({
      bundle: fc.constantFrom("crm", "compliance", "workflow", "identity"),
      rule: rules,
      justification: fc.constantFrom("agreed", "", "  "),
      expires: fc.constantFrom("2026-12-01T00:00:00Z", "2026-11-22T12:00:00Z", "soon"),
    })
    .map(waiver),
  { maxLength: 2 },
);
const obligations: fc.Arbitrary<readonly Obligation[]> = fc.array(
  fc.constantFrom("redact", "dance").map((type) => ({ id: type, type, properties: {} })),
  { maxLength: 1 },
);
const capabilities = fc.option(
  fc.record({
    servers: fc.constantFrom(["crm"], ["mail"], ["*"], []),
    tools: fc.constantFrom(["*"], ["crm/get_*"], ["delete_customer"]),
    scopes: fc.constantFrom(["customer_support"], ["*"], []),
  }),
  { nil: undefined, freq: 1 },
);
const sometimes = <T>(values: fc.Arbitrary<readonly T[]>): fc.Arbitrary<readonly T[]> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: values });

const outputs = fc.record({
  allow: matches,
  deny: sometimes(matches),
  requireApproval: sometimes(matches.map((all) => all.map(({ rule }) => approval(rule)))),
  obligations: sometimes(obligations),
  hide: sometimes(matches),
  warn: matches,
  waive: waivers,
  capabilities,
});

/** One layer's verdict: any kind, any output, now and then a failure. */
export const anyVerdict: fc.Arbitrary<LayerVerdict> = fc
  .record({
    kind: fc.constantFrom(...layerKinds),
    name: fc.constantFrom(undefined, undefined, "crm"),
    output: outputs,
    failure: fc.option(
      fc.constantFrom("policy_error", "policy_timeout", "no_decision", "no_policy"),
      { freq: 5 },
    ),
  })
  .map(({ kind, name, output, failure }) =>
    failure === null ? says(kind, output, name) : fails(kind, failure, name),
  );

/** Several layers in the order of a config, with a chance that all of them let the call go. */
export const anyVerdicts = fc.oneof(
  fc.array(anyVerdict, { maxLength: 6 }),
  fc.array(anyVerdict, { maxLength: 2 }).map((others) => [grants, ...others]),
);
