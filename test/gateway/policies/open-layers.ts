/**
 * A gateway with whatever layers a test writes: a server `crm` that allows all it is asked, `mail`
 * too, and the organisation's layers as Rego.
 */
import type { Bundle, LayerKind } from "../../../src/contract/bundle.ts";
import type { JsonObject } from "../../../src/contract/json.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { load } from "../../config/support.ts";
import { tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

export interface TestLayer {
  readonly kind: Exclude<LayerKind, "server">;
  /** `undefined`: configured, and never there. */
  readonly rego: string | undefined;
  /** Its data, below `data.p.NAME`. */
  readonly data?: JsonObject;
  /** Other members of its entry in the configuration. */
  readonly config?: object;
}

/** Opens it; `file` goes into the configuration. */
export async function openLayers(
  policies: TestPolicies,
  layers: Readonly<Record<string, TestLayer>>,
  file: object = {},
): Promise<OpenGateway> {
  const bundles = new Map<string, Bundle>();
  for (const [name, { kind, rego, data = {} }] of Object.entries(layers)) {
    if (rego !== undefined) bundles.set(name, await compileBundle({ name, kind, rego, data }));
  }
  const server = { command: "none", cwd: "/", policy: "oci-layout:none:server" };
  const { config } = load({
    agent: { id: "bot", scope: "test" },
    user: { id: "alice" },
    servers: { crm: server, mail: server },
    layers: Object.entries(layers).map(([name, { kind, config: more }]) => {
      return { name, kind, policy: `oci-layout:none:${name}`, ...more };
    }),
    ...file,
  });
  const tools = [tool("get"), tool("put")];
  return openGateway({
    servers: { crm: { tools }, mail: { tools } },
    policies,
    deps: {
      config,
      openKeeper: async ({ name, kind }, { activate }) => ({
        start: async () => {
          const bundle = kind === "server" ? policies.server(name) : bundles.get(name);
          if (bundle === undefined) return;
          const activation = await activate(bundle);
          if (!activation.ok) throw new Error(activation.message);
        },
        close: async () => {},
      }),
    },
  });
}
