/**
 * A shadow answers for the set that decided, or not at all.
 */
import { expect, test } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import { noCanaries } from "../../../src/gateway/canaries/canaries.ts";
import { ShadowPolicy } from "../../../src/gateway/shadow/shadow-policy.ts";
import type { ShadowedAction } from "../../../src/gateway/shadow/shadow-policy.ts";
import { Visibility } from "../../../src/gateway/visibility.ts";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { combine } from "../../../src/policy/combine.ts";
import { systemClock } from "../../../src/config/ambient.ts";
import { load } from "../../config/support.ts";
import { says, request } from "../../policy/combine/verdicts.ts";
import { bundleOf, callParts, testEngine } from "../../policy/engine/policies.ts";
import { alice } from "../open-gateway.ts";

const { config } = load({
  agent: { id: "bot" },
  user: { id: "alice" },
  servers: { crm: { command: "none", cwd: "/", policy: "oci-layout:none:crm" } },
});
const next: Bundle = bundleOf({ name: "crm", wasm: new Uint8Array(), digest: "sha256:next" });

function stamped(verdict: LayerVerdict, digest: string): LayerVerdict {
  return { ...verdict, layer: { ...verdict.layer, digest } };
}

const compliance = says("compliance", {});
const server = says("server", {});

/** A shadow whose engine says this, and that has its bundle. */
async function open(verdicts: readonly LayerVerdict[]) {
  const parts = callParts("crm");
  const engine: PolicyEngine = {
    ...testEngine(),
    activate: async () => [{ layer: "crm", ok: true, bundle: next }],
    visibility: async ({ inputs }) => inputs.map(() => ({ verdicts: [], canaries: [] })),
    decide: async () => ({
      verdicts,
      inputJson: "{}",
      dataClasses: [],
      labels: [],
      evalMs: 1,
      ndBuiltinCacheJson: undefined,
      canaries: [],
      argumentCheck: undefined,
    }),
  };
  const canaries = noCanaries(config);
  const visibility = new Visibility({ config, clock: systemClock, engine, canaries });
  const shadow = new ShadowPolicy(
    {
      layer: "crm",
      openEngine: () => engine,
      partsFor: (one) => ({ config, engine: one, visibility, canaries }),
    },
    [],
  );
  const asked = async (was: readonly LayerVerdict[]) =>
    await shadow.ask({ ...subject, decided: { ...decidedOn(was), input: parts } });
  return { shadow, asked };
}

const about = {
  type: "tool_call",
  direction: "to_server",
  server: "crm",
  about: { tool: "get" },
  destination: { region: null, external: false },
} as const;
const subject: Pick<ShadowedAction, "action" | "target"> = {
  action: {
    type: "tool_call",
    principal: alice,
    claim: { name: "test", version: "1" },
    protocolVersion: "2025-11-25",
    asked: "crm__get",
    sent: {},
    dropped: [],
    decisionId: "d",
    timeMs: 0,
    startedMs: 0,
  },
  target: {
    server: [...config.servers.values()][0] ?? raise(),
    name: "get",
    tool: undefined,
    action: about,
    seenAs: about,
  },
};

function raise(): never {
  throw new Error("expected a server");
}

function decidedOn(verdicts: readonly LayerVerdict[]) {
  const brings = { dataClasses: [], labels: [] };
  return { combined: combine(request(verdicts)), verdicts, inputJson: "{}", brings, policyMs: 1 };
}

const was = [stamped(server, "sha256:now"), compliance];

test("where all others are what they were, it answers", async () => {
  const { shadow, asked } = await open([stamped(server, "sha256:next"), compliance]);
  expect(await asked(was)).toBeUndefined();
  await shadow.use(next);
  expect(await asked(was)).toMatchObject({ bundle: { digest: "sha256:next" } });
});

test.each([
  ["another layer is another", [stamped(server, "sha256:next"), stamped(compliance, "sha256:b")]],
  ["another layer is not there", [stamped(server, "sha256:next")]],
  ["another bundle of its own answered", [stamped(server, "sha256:old"), compliance]],
])("where %s, it says nothing", async (_, now) => {
  const { shadow, asked } = await open(now);
  await shadow.use(next);
  expect(await asked(was)).toBeUndefined();
});
