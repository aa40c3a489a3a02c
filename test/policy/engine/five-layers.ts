/**
 * A server and all four layers of an organisation, small enough to see what each of them looks at.
 */
import type { Bundle } from "../../../src/contract/bundle.ts";
import type { Json } from "../../../src/contract/json.ts";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import type { InputParts } from "../../../src/contract/policy-input.ts";
import type { Decision, PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { callParts, compileBundle } from "./policies.ts";

const crm = `
# METADATA
# title: Reading
# custom: {id: crm.read, audit: true}
allow contains {"rule": rego.metadata.rule()} if input.action.tool == "get"

# METADATA
# title: Seen alone
# custom: {id: crm.alone, code: sees_too_much}
deny contains {"rule": rego.metadata.rule()} if input.context.servers_called != ["crm"]

# METADATA
# title: Slow
# custom: {id: crm.slow, code: slow}
deny contains {"rule": rego.metadata.rule()} if {
	some up in input.action.args.ups
	some down in input.action.args.downs
	up == down
}

# METADATA
# title: Throws
# custom: {id: crm.throws}
labels contains twice if input.action.args.twice

twice := "a" if input.action.args.twice

twice := "b" if input.action.args.twice

data_classes contains "customer_data"

labels contains "from_crm" if input.action.args.label
`;
const identity = `
capabilities := {"servers": ["crm"], "tools": ["*"], "scopes": ["support"]}
`;
const workflow = `
deny contains "identity_first" if not input.layers.identity.capabilities.servers == ["crm"]

deny contains "sees_too_little" if count(input.context.servers_called) != 2

deny contains sprintf("class_%s", [name]) if {
	some name in input.action.data_classes_referenced
	name == "secret"
}
`;
const compliance = `
# METADATA
# title: Strict
# custom: {id: compliance.strict, code: strict, overridable: true}
deny contains {"rule": rego.metadata.rule(), "details": {"classes": input.action.data_classes_referenced, "labels": input.action.labels}} if input.action.args.strict

warn contains sprintf("%d", [time.now_ns()])

hide contains "hidden" if input.action.tool == "hidden"
`;
const overrides = `
waive contains {
	"bundle": denial.bundle, "rule": denial.rule,
	"justification": denial.code, "expires": "2030-01-01T00:00:00Z",
} if {
	some denial in input.denials
	denial.overridable
}
`;

/** Compiles the five, the server `crm` first. */
export async function compileFiveLayers(): Promise<readonly Bundle[]> {
  return [
    await compileBundle({ name: "crm", kind: "server", rego: crm }),
    await compileBundle({ name: "identity", kind: "identity", rego: identity }),
    await compileBundle({ name: "workflow", kind: "workflow", rego: workflow }),
    await compileBundle({ name: "compliance", kind: "compliance", rego: compliance }),
    await compileBundle({ name: "overrides", kind: "overrides", rego: overrides }),
  ];
}

/** Arguments that keep the server's policy busy for about 15 ns × rounds², its memory small. */
export function busyArgs(rounds: number): Json {
  const ups = Array.from({ length: rounds }, (_, place) => place + 1);
  return { ups, downs: ups.map((up) => -up) };
}

export type Decide = (
  args?: Json,
  part?: Partial<InputParts>,
  server?: string,
) => Promise<Decision>;

/** Calls with arguments as the only thing that changes. */
export function deciderOf(engine: PolicyEngine): Decide {
  return async (args = {}, part = {}, server = "crm") => {
    const parts = callParts(server, JSON.stringify(args), part);
    return await engine.decide({ server, parts, timeMs: 1_764_000_000_123 });
  };
}

export function verdictOf(verdicts: readonly LayerVerdict[], name: string): LayerVerdict {
  const found = verdicts.find(({ layer }) => layer.name === name);
  if (found === undefined) throw new Error(`no verdict of ${name}`);
  return found;
}

/** `ok`, or the code of the failure, of each layer. */
export function codesOf({ verdicts }: Decision): readonly string[] {
  return verdicts.map((verdict) => (verdict.ok ? "ok" : verdict.code));
}
