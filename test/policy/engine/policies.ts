/**
 * Really compiled policies for tests of the engine: Rego in, bundles out, by the gateway's own
 * toolchain.
 */
import { afterAll } from "vitest";
import type { Bundle, LayerKind } from "../../../src/contract/bundle.ts";
import type { Json, JsonObject } from "../../../src/contract/json.ts";
import type { InputParts } from "../../../src/contract/policy-input.ts";
import { createPolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import type {
  EngineLayer,
  PolicyEngine,
  PolicyEngineOptions,
} from "../../../src/policy/engine/policy-engine.ts";
import { createRegoToolchain } from "../../../src/rego/create-rego-toolchain.ts";
import type { PolicySources } from "../../../src/rego/create-rego-toolchain.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

export interface PolicySource {
  readonly name: string;
  readonly kind: LayerKind;
  /** Rego below the `package` line. */
  readonly rego: string;
  readonly data?: JsonObject;
}

/** Compiles one policy of package `p.NAME`. */
export async function compileBundle(source: PolicySource): Promise<Bundle> {
  const { name, kind } = source;
  const policyPackage = `p.${name}`;
  const root = `p/${name}`;
  const built = await toolchain.build(sourcesOf(source));
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join("\n"));
  const { files, entrypoints } = built.value;
  const entrypoint = (last: string): string | undefined =>
    entrypoints.find((path) => path.endsWith(`/${last}`));
  return bundleOf({
    name,
    kind,
    policyPackage,
    wasm: files.get("policy.wasm") ?? new Uint8Array(),
    dataJson: Buffer.from(files.get("data.json") ?? "{}").toString(),
    entrypoints: {
      decision: `${root}/decision`,
      classify: entrypoint("classify"),
      visibility: entrypoint("visibility"),
    },
  });
}

/** What OPA's own evaluator makes of the decision. */
export async function evalDecision(source: PolicySource, input: Json): Promise<unknown> {
  const evaluated = await toolchain.eval({ ...sourcesOf(source), input });
  if (!evaluated.ok) throw new Error(evaluated.problems.map(({ message }) => message).join("\n"));
  return evaluated.value.value;
}

function sourcesOf({ name, kind, rego, data }: PolicySource): PolicySources {
  return {
    modules: { "policy.rego": `package p.${name}\n\n${rego}\n` },
    data: { p: { [name]: data ?? {} } },
    manifest: {
      revision: "1.0.0",
      roots: [`p/${name}`],
      metadata: { name, layer: kind, policy_package: `p.${name}` },
    },
    layer: kind,
  };
}

/** A bundle around any module. */
export function bundleOf(part: Partial<Bundle> & Pick<Bundle, "name" | "wasm">): Bundle {
  return {
    reference: `file:${part.name}`,
    digest: `sha256:${part.name}`,
    revision: "1.0.0",
    kind: "server",
    policyPackage: `p.${part.name}`,
    entrypoints: {
      decision: `p/${part.name}/decision`,
      classify: undefined,
      visibility: undefined,
    },
    dataJson: "{}",
    sources: new Map(),
    metadata: {},
    origin: "layout",
    ...part,
  };
}

/** An engine that waits for a slow machine; a test of a deadline brings one of its own. */
export function testEngine(options: Partial<PolicyEngineOptions> = {}): PolicyEngine {
  const patience = { deadlineMs: 20_000, activationDeadlineMs: 20_000 };
  const limits = { inputMaxBytes: 1024 ** 2, memoryMaxMb: 64 };
  return createPolicyEngine({ ...patience, ...limits, ...options });
}

/** A layer of the set, as the gateway hands it to the engine. */
export function layerOf(bundle: Bundle, fallback?: Bundle): EngineLayer {
  const { name, kind } = bundle;
  return { name, kind, bundle, fallback };
}

/** A call of `server` in parts; `args` is JSON text. */
export function callParts(server: string, args = "{}", part: Partial<InputParts> = {}): InputParts {
  const tool = `"server":"${server}","tool":"get","args":${args}`;
  return {
    open: `{"version":1,"phase":"call","agent":{"id":"bot"},"action":{"type":"tool_call",${tool}`,
    dataClasses: [],
    labels: [],
    contextJson: '{"servers_called":["crm","mail"]}',
    serverContextJson: `{"servers_called":["${server}"]}`,
    close: ',"environment":{"region":"us-east"},"approval":null',
    ...part,
  };
}
