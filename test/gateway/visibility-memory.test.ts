import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import type { PolicyAction } from "../../src/contract/policy-input.ts";
import { noCanaries } from "../../src/gateway/canaries/canaries.ts";
import { Visibility } from "../../src/gateway/visibility.ts";
import type { PolicyEngine } from "../../src/policy/engine/policy-engine.ts";
import { load, minimal } from "../config/support.ts";
import { match } from "../policy/combine/verdicts.ts";
import { alice } from "./open-gateway.ts";

const layer = { name: "identity", kind: "identity", revision: "1", digest: "" } as const;
const hide = match("r");

/** A real engine is too slow for as many questions; this one hides every `hidden…`. */
function createEngine() {
  let asked = 0;
  const engine: PolicyEngine = {
    activate: async () => [],
    decide: () => Promise.reject(new Error("expected no decision")),
    visibility: async ({ inputs }) => {
      asked += inputs.length;
      return inputs.map((input) => {
        const output = {
          allow: [],
          deny: [],
          requireApproval: [],
          obligations: [],
          hide: input.includes("hidden") ? [hide] : [],
          dataClasses: [],
          labels: [],
          capabilities: undefined,
          waive: [],
          warn: [],
        };
        return { verdicts: [{ ok: true, layer, output }], canaries: [] };
      });
    },
    judgesResults: () => false,
    check: async () => ({ ok: true }),
    close: async () => {},
  };
  return { engine, asked: () => asked };
}

const action = (uri: string): PolicyAction => ({
  type: "resource_read",
  direction: "to_server",
  server: "crm",
  about: { uri },
  destination: { region: null, external: false },
});

describe("verdicts on more things than are remembered", () => {
  test("are in the order of the things, whichever is forgotten meanwhile", async () => {
    const { engine, asked } = createEngine();
    const { config } = load(minimal);
    const canaries = noCanaries(config);
    const about = { config, engine, clock: systemClock, canaries };
    const visibility = new Visibility({ ...about, maxCharacters: 5000 });
    await visibility.of(alice, action("hidden:0"));
    const others = Array.from({ length: 60 }, (_, at) => action(`open:${at}`));
    const sights = await visibility.ofAll(alice, [action("hidden:0"), ...others]);
    expect(sights.map(({ isVisible }) => isVisible)).toEqual([false, ...others.map(() => true)]);
    expect(asked()).toBe(61);
    await visibility.of(alice, action("hidden:0"));
    expect(asked()).toBe(62);
    await visibility.of(alice, action("hidden:0"));
    expect(asked()).toBe(62);
  });
});
