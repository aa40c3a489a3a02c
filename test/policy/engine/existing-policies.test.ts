/**
 * Policies that were written for other projects, as these write them, compiled by the gateway's
 * toolchain and asked by its engine; what they said is combined as the gateway does.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openBundle } from "../../../src/bundle/open-bundle.ts";
import type { Bundle } from "../../../src/contract/bundle.ts";
import { encodeLayer } from "../../../src/decision/encode-layer.ts";
import { combine } from "../../../src/policy/combine.ts";
import type {
  EngineLayer,
  PolicyEngine,
  PolicyEngineOptions,
} from "../../../src/policy/engine/policy-engine.ts";
import { buildPolicyFolder } from "../../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../../src/rego/create-rego-toolchain.ts";
import { request } from "../combine/verdicts.ts";
import { assembleModule, constant, op } from "./hostile-module.ts";
import { bundleOf, callParts, compileBundle, testEngine } from "./policies.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/policies", import.meta.url));
const toolchain = createRegoToolchain();
const engines: PolicyEngine[] = [];
afterAll(async () => {
  await toolchain.close();
  await Promise.all(engines.map((engine) => engine.close()));
});

const about = {
  name: "k8s",
  kind: "server",
  reference: "oci-layout:/dist:k8s",
  digest: `sha256:${"1".repeat(64)}`,
  origin: "layout",
} as const;

/** The files of a built fixture. */
async function filesOf(name: string): Promise<Map<string, Buffer>> {
  const { files } = await buildPolicyFolder(toolchain, join(fixtures, name));
  return new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes)]));
}

async function fixture(name: string): Promise<Bundle> {
  return await openBundle(await filesOf(name), about, undefined);
}

/** The same module as `opa build -t wasm` ships it: without sources, with an entrypoint of its own. */
async function compiledAlone(rego: string): Promise<Bundle> {
  const bundle = await compileBundle({ name: "k8s", kind: "server", rego });
  const wasm = [{ entrypoint: "p/k8s/decision", module: "/policy.wasm" }];
  const files = new Map([
    [".manifest", Buffer.from(JSON.stringify({ wasm, roots: ["p/k8s"] }))],
    ["policy.wasm", Buffer.from(bundle.wasm)],
  ]);
  return await openBundle(files, { ...about, opaque: "accept" }, undefined);
}

/** Decides calls of one server with this bundle; gives the answer and the verdict. */
async function decider(
  bundle: Bundle,
  layer: Partial<EngineLayer> = {},
  options: Partial<PolicyEngineOptions> = {},
) {
  const engine = testEngine(options);
  engines.push(engine);
  const [result] = await engine.activate([{ name: "k8s", kind: "server", bundle, ...layer }]);
  if (result?.ok !== true) throw new Error(result?.error.code);
  return async (tool: string, args: object = {}, ceiling?: readonly string[]) => {
    const parts = callParts("k8s", JSON.stringify(args));
    const open = parts.open.replace('"tool":"get"', `"tool":"${tool}"`);
    const asked = { server: "k8s", parts: { ...parts, open }, timeMs: 0 };
    const { verdicts } = await engine.decide(asked);
    const action = { type: "tool_call", server: "k8s", tool };
    const { answer, denials } = combine(request(verdicts, { action, serverCeiling: ceiling }));
    const messages: readonly string[] = denials.map(({ match }) => match.message ?? "").toSorted();
    return { effect: answer.effect, reasons: answer.reasons, messages, answer, verdicts };
  };
}

const allow = { defaultEffect: "allow" } as const;
const sound = {
  kind: "Deployment",
  metadata: { labels: { gatekeeper: "yes" } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: { spec: { securityContext: { runAsNonRoot: true } } },
  },
};

describe("a conftest policy", () => {
  it("judges the object of a call and refuses with its own sentences", async () => {
    const decide = await decider(await fixture("conftest"), allow);
    expect(await decide("apply", { manifest: { kind: "Deployment" } })).toMatchObject({
      effect: "deny",
      reasons: ["main.deny"],
      messages: [
        "Containers must not run as root",
        "Containers must provide app label for pod selectors",
      ],
    });
    expect(await decide("apply", { manifest: sound })).toMatchObject({ effect: "allow" });
    expect(await decide("logs")).toMatchObject({ effect: "allow" });
    const warned = await decide("apply", { manifest: { spec: { replicas: 1 } } });
    expect(warned.verdicts[0]).toMatchObject({
      output: { warn: [{ message: "one replica is none", details: { replicas: 1 } }] },
    });
  });

  it.each([
    ["left out", {}],
    ["a text", { manifest: "kind: Deployment" }],
    ["a list", { manifest: [sound] }],
  ])("refuses an object that is %s", async (_, args) => {
    const decide = await decider(await fixture("conftest"), allow);
    expect(await decide("apply", args)).toMatchObject({
      effect: "deny",
      messages: ["The arguments hold no object where the policy judges one."],
    });
  });

  it("may judge the gateway's own input", async () => {
    const decide = await decider(await fixture("conftest-input"), allow);
    const refused = await decide("logs", { namespace: "vault" });
    expect(refused).toMatchObject({ effect: "deny", messages: ["vault is not for agents"] });
    expect(await decide("logs", { namespace: "web" })).toMatchObject({ effect: "allow" });
  });
});

describe("a gatekeeper policy", () => {
  it("gets its review and its parameters, in the syntax of its time", async () => {
    const decide = await decider(await fixture("gatekeeper"), allow);
    const refused = await decide("apply", { manifest: { kind: "Namespace" } });
    expect(refused).toMatchObject({
      effect: "deny",
      messages: ['you must provide labels: {"gatekeeper"}'],
    });
    expect(refused.verdicts[0]).toMatchObject({
      output: { deny: [{ details: { missing_labels: ["gatekeeper"] } }] },
    });
    expect(await decide("apply", { manifest: sound })).toMatchObject({ effect: "allow" });
  });
});

describe("an envoy policy", () => {
  it("sees the request, grants by itself and refuses with its body", async () => {
    const decide = await decider(await fixture("envoy"));
    const granted = await decide("get");
    expect(granted).toMatchObject({ effect: "allow" });
    expect(granted.verdicts[0]).toMatchObject({
      output: { warn: [{ message: "Headers of the policy's answer are not passed on." }] },
    });
    expect(await decide("purge")).toMatchObject({
      effect: "deny",
      messages: ["Unauthorized Request"],
    });
  });

  it("is not helped by a default", async () => {
    const decide = await decider(await fixture("envoy"), allow);
    expect(await decide("purge")).toMatchObject({ effect: "deny" });
  });
});

describe("what no rule refuses", () => {
  const denyOnly = 'deny contains "no_purge" if input.action.tool == "purge"';

  it("is denied by default, and granted where the operator says so, on record", async () => {
    const bundle = await compileBundle({ name: "k8s", kind: "server", rego: denyOnly });
    const strict = await decider(bundle);
    expect(await strict("get")).toMatchObject({ effect: "deny", reasons: ["no_rule_allows"] });
    const lenient = await decider(bundle, allow);
    const granted = await lenient("get");
    expect(granted.effect).toBe("allow");
    expect(granted.answer.metadata.matched_rules).toEqual(["gateway.default_allow"]);
    expect(await lenient("purge")).toMatchObject({ effect: "deny", reasons: ["no_purge"] });
  });

  it("is not granted outside the ceiling", async () => {
    const bundle = await compileBundle({ name: "k8s", kind: "server", rego: denyOnly });
    const decide = await decider(bundle, allow);
    expect(await decide("get", {}, ["list_*"])).toMatchObject({
      effect: "deny",
      reasons: ["no_rule_allows"],
    });
    expect(await decide("get", {}, ["get"])).toMatchObject({ effect: "allow" });
  });

  it("is not granted where the policy has a rule that grants", async () => {
    for (const rule of ['allow contains "x" if', "allow if"]) {
      const rego = `${rule} input.action.tool == "list"`;
      const decide = await decider(
        await compileBundle({ name: "k8s", kind: "server", rego }),
        allow,
      );
      expect(await decide("get")).toMatchObject({ effect: "deny", reasons: ["no_rule_allows"] });
    }
  });

  it("is not granted where the policy fails or has no decision", async () => {
    const own = await compiledAlone('decision := {"deny": []} if input.action.tool == "list"');
    const undefinedHere = await decider(own, allow);
    expect(await undefinedHere("get")).toMatchObject({ effect: "deny", reasons: ["no_decision"] });
    const broken = await decider(await compiledAlone('decision := {"denies": []}'), allow);
    expect(await broken("get")).toMatchObject({ effect: "deny", reasons: ["policy_error"] });
  });

  it("is granted for tool calls alone", async () => {
    const bundle = await compileBundle({ name: "k8s", kind: "server", rego: denyOnly });
    const { verdicts } = await (await decider(bundle, allow))("get");
    const action = { type: "resource_read", server: "k8s", tool: "resource_read:a" };
    expect(combine(request(verdicts, { action })).answer.reasons).toEqual(["no_rule_allows"]);
  });
});

describe("a compiled policy without sources", () => {
  it("remembers nothing from one question to the next", async () => {
    const evaluate = [...op.foreverLater, ...constant(0)];
    const bundle = bundleOf({ name: "k8s", wasm: assembleModule("k8s", { evaluate }) });
    const forgetful = await decider({ ...bundle, isOpaque: true });
    for (const _ of [1, 2, 3]) expect(await forgetful("get")).toMatchObject({ effect: "allow" });
    // The same module with the memory of its last run does not end.
    const patience = { deadlineMs: 1000, activationDeadlineMs: 1000, spare: false };
    const remembering = await decider(bundle, {}, patience);
    expect(await remembering("get")).toMatchObject({ reasons: ["policy_timeout"] });
  });

  it("answers with Envoy's object", async () => {
    const decide = await decider(
      await compiledAlone(
        `decision := {"allowed": input.action.tool == "get", "body": "no", "http_status": 403}`,
      ),
    );
    expect(await decide("get")).toMatchObject({ effect: "allow" });
    expect(await decide("purge")).toMatchObject({ effect: "deny", messages: ["no"] });
  });

  it("is named as opaque in the record of each decision, and no other is", async () => {
    const opaque = await decider(await compiledAlone('decision := {"allow": true}'));
    const [verdict] = (await opaque("get")).verdicts;
    expect(verdict && encodeLayer(verdict)).toMatchObject({ name: "k8s", opaque: true });
    const open = await decider(await fixture("envoy"));
    const [other] = (await open("get")).verdicts;
    expect(other && encodeLayer(other)).not.toHaveProperty("opaque");
  });
});
