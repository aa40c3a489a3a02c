/**
 * A whole gateway with a shadow, for tests: really compiled policies, and what came of them.
 */
import type { Bundle, Digest } from "../../../src/contract/bundle.ts";
import type { NotedRecord } from "../../../src/contract/record.ts";
import type { ShadowRecord } from "../../../src/contract/shadow-record.ts";
import type { PolicyHands } from "../../../src/gateway/policies/start-keeper.ts";
import type { ShadowStanding } from "../../../src/gateway/shadow/shadow-counts.ts";
import { load } from "../../config/support.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { eventually } from "../../support/eventually.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

/** The same rule as that of the policy beside it. */
const grant = `
# METADATA
# scope: rule
# custom:
#   id: test.anything
allow contains {"rule": rego.metadata.rule()} if input.action.type == "tool_call"`;
const tools = ["look", "idle", "write_denied", "ask_approved", "hidden_tool"].map((name) => ({
  name,
  inputSchema: { type: "object" },
}));

let policies: TestPolicies;
/** Bundles that a server or layer may have as its shadow, by name. */
export const shadows: Record<string, Bundle> = {};

/** Compiles what is there beside and what decides; once for each file. */
export async function compileShadows(): Promise<TestPolicies> {
  policies = await compileTestPolicies();
  const sources = {
    strict: `${grant}\n\ndeny contains "too_late" if input.action.tool == "look"`,
    lax: grant,
    // Every pair of these is looked at, and there are too many.
    endless: `${grant}

ups := numbers.range(1, 30000)

downs := numbers.range(-30000, -1)

deny contains "never" if {
	input.action.tool == "look"
	some up in ups
	some down in downs
	up == down
}`,
    broken: `${grant}\n\nlimit := 1 if input.action.tool\n\nlimit := 2 if input.action.tool == "look"\n\ndeny contains "never" if limit > 5`,
  };
  for (const [name, rego] of Object.entries(sources)) {
    const bundle = await compileBundle({ name, kind: "server", rego });
    shadows[name] = { ...bundle, digest: digestOf(name), revision: name };
  }
  const rego = `capabilities := {"servers": ["*"], "tools": ["*"], "scopes": ["*"]}\n\nhide contains "gone" if input.action.tool == "look"`;
  shadows["hiding"] = await compileBundle({ name: "hiding", kind: "identity", rego });
  return policies;
}

/** Digest of such a bundle. */
export function digestOf(name: string): Digest {
  return `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;
}

export interface Shadowed extends OpenGateway {
  readonly hands: Map<string, PolicyHands>;
  readonly differences: () => readonly ShadowRecord[];
  readonly standing: () => ShadowStanding | undefined;
  /** Resolves when so many decisions were dealt with. */
  readonly settled: (count: number) => Promise<void>;
  readonly calling: (tool: string, args?: object) => Promise<unknown>;
}

/** A gateway whose server, or identity layer, has this shadow. */
export function openShadowed(
  shadow: string | undefined,
  setting: { deadlineMs?: number; identity?: boolean } = {},
) {
  const { deadlineMs = 20_000, identity = false } = setting;
  const hands = new Map<string, PolicyHands>();
  const beside = { shadow: "oci-layout:none:shadow" };
  const entry = { command: "none", cwd: "/", policy: "oci-layout:none:crm" };
  const { config } = load({
    agent: { id: "bot", scope: "test" },
    user: { id: "alice" },
    policy: { deadline_ms: deadlineMs },
    approvals: { wait: "1s" },
    servers: { crm: identity ? entry : { ...entry, ...beside }, mail: entry },
    layers: [
      {
        name: "identity",
        kind: "identity",
        policy: "oci-layout:none:identity",
        ...(identity ? beside : {}),
      },
    ],
  });
  const opened = openGateway({
    servers: { crm: { tools }, mail: { tools } },
    policies,
    deps: {
      config,
      openKeeper: async ({ name, base, role, kind }, given) => {
        hands.set(name, given);
        const own = kind === "server" ? policies.server(base) : policies.identity;
        const bundle = role === "shadow" ? shadows[shadow ?? "none"] : own;
        return { start: async () => void (await given.activate(bundle)), close: async () => {} };
      },
    },
  });
  const standing = (): ShadowStanding | undefined => opened.gateway.shadows()[0];
  return {
    ...opened,
    hands,
    standing,
    differences: () => opened.notes.filter(isShadow),
    settled: async (count) =>
      await eventually(() => {
        const { evaluated = 0, dropped = 0 } = standing() ?? {};
        return evaluated + dropped >= count;
      }),
    calling: async (tool, args = {}) =>
      readReply(
        await opened.act({
          type: "tool_call",
          name: `crm__${tool}`,
          argumentsJson: JSON.stringify(args),
        }),
      ),
  } satisfies Shadowed;
}

/** True for the note of a shadow. */
export function isShadow(note: NotedRecord): note is ShadowRecord {
  return note.kind === "shadow";
}

/** Resolves when the shadow is there. */
export async function ready({ standing }: Pick<Shadowed, "standing">): Promise<void> {
  await eventually(() => typeof standing()?.digest === "string");
}
