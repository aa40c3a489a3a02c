/**
 * A gateway with canaries beside whatever layers a test writes: server `crm` allows all that its
 * layers and canaries do not refuse.
 */
import type { Bundle, LayerKind } from "../../../src/contract/bundle.ts";
import type { GatewayDeps } from "../../../src/gateway/create-gateway.ts";
import type { CanaryAbort, CanaryAborts } from "../../../src/gateway/canaries/running-canary.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { load } from "../../config/support.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { tool } from "../fake-server.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, openGateway, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

export interface Tried {
  readonly kind: LayerKind;
  /** Of its policy; a server's allows everything by default. */
  readonly rego?: string;
  /** Of its canary; `undefined`: configured, and never there. Not said: it has none. */
  readonly canary?: string | undefined;
  /** Members of its canary's setting. */
  readonly setting?: object;
  /** Other members of its entry. */
  readonly config?: object;
}

export interface OpenCanaries extends OpenGateway {
  /** Has another bundle in a place; `undefined`: none. */
  readonly put: (place: string, bundle: Bundle | undefined) => Promise<void>;
  /** Calls a tool as a user; what the record says of it. */
  readonly as: (user: string, name?: string) => Promise<OpenGateway["admissions"][number]>;
}

const grantAll = 'allow contains "any"';

/** The bundle of a place, of another digest for another text. */
export async function canaryBundle(name: string, kind: LayerKind, rego: string): Promise<Bundle> {
  const bundle = await compileBundle({ name, kind, rego });
  const sources = new Map([["policy.rego", rego]]);
  return { ...bundle, sources, digest: sha256Of(rego), revision: "2" };
}

/** Opens it; `crm` stands in `tried`, or has a policy that allows everything. */
export async function openCanaries(
  policies: TestPolicies,
  tried: Readonly<Record<string, Tried>>,
  deps: Partial<GatewayDeps> = {},
  server: FakeServerSettings = { tools: [tool("get"), tool("put")] },
): Promise<OpenCanaries> {
  const plain: Tried = { kind: "server" };
  const { crm = plain, ...layers } = tried;
  const all: Readonly<Record<string, Tried>> = { crm, ...layers };
  const bundles = new Map<string, Bundle>();
  for (const [name, { kind, rego = grantAll, canary }] of Object.entries(all)) {
    bundles.set(name, await compileBundle({ name, kind, rego }));
    if (canary === undefined) continue;
    bundles.set(`${name}~canary`, await canaryBundle(name, kind, canary));
  }
  const entryOf = ([name, one]: readonly [string, Tried]) => ({
    policy: `oci-layout:none:${name}`,
    ...("canary" in one
      ? { canary: { policy: `oci-layout:none:${name}-2`, percent: 100, ...one.setting } }
      : {}),
    ...one.config,
  });
  const { config } = load({
    agent: { id: "bot", scope: "test" },
    user: { id: "alice" },
    servers: { crm: { command: "none", cwd: "/", ...entryOf(["crm", crm]) } },
    layers: Object.entries(layers).map(([name, one]) => {
      return { name, kind: one.kind, ...entryOf([name, one]) };
    }),
  });
  const hands = new Map<string, (bundle: Bundle | undefined) => Promise<void>>();
  const opened = openGateway({
    servers: { crm: server },
    policies,
    deps: {
      config,
      openKeeper: async ({ name }, { activate }) => {
        const put = async (bundle: Bundle | undefined): Promise<void> =>
          void (await activate(bundle));
        hands.set(name, put);
        return { start: async () => put(bundles.get(name)), close: async () => {} };
      },
      ...deps,
    },
  });
  const put: OpenCanaries["put"] = async (place, bundle) => {
    await opened.gateway.ready;
    await hands.get(place)?.(bundle);
  };
  const as: OpenCanaries["as"] = async (user, name = "crm__get") => {
    await opened.call(name, { client: legacyClient({ principal: principal(user) }) });
    const last = opened.admissions.at(-1);
    if (last === undefined) throw new Error("expected a record");
    return last;
  };
  await opened.gateway.ready;
  await Promise.all([...hands].map(async ([name, activate]) => activate(bundles.get(name))));
  return { ...opened, put, as };
}

/** What a state folder keeps of canaries, for as many gateways as a test has. */
export function abortMemory() {
  const kept = new Map<string, CanaryAbort>();
  const failing = { isFailing: false };
  const aborts: CanaryAborts = {
    read: async ({ name }) => {
      if (failing.isFailing) throw new Error("the disk is away");
      return kept.get(name)?.digest;
    },
    keep: async ({ name }, abort) => {
      if (failing.isFailing) throw new Error("the disk is away");
      kept.set(name, abort);
    },
  };
  return { aborts, kept, failing };
}
