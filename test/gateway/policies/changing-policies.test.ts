/**
 * Bundles that are replaced while calls go on: each call is decided by one set, and its record names
 * the bundle that answered. `ACTIVATIONS=1000` makes it as long as it should be by hand.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import type { GatewayDeps } from "../../../src/gateway/create-gateway.ts";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { bundleOf, compileBundle, testEngine } from "../../policy/engine/policies.ts";
import { eventually } from "../../support/eventually.ts";
import { tool } from "../fake-server.ts";
import { collect, legacyClient, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

const activations = Number(process.env["ACTIVATIONS"] ?? 25);
const patience = { timeout: 60_000 };
const hides = 'hide contains "gone" if input.action.tool == "other"';

let policies: TestPolicies;
let bundles: readonly Bundle[];
let hiding: Bundle;
let broken: Bundle;

beforeAll(async () => {
  policies = await compileTestPolicies();
  const versions = ["one", "two"].map(async (word) => {
    const rego = `allow contains "any"\n\ndeny contains "from_${word}" if input.action.tool == "get"`;
    const own = await compileBundle({ name: "crm", kind: "server", rego });
    return { ...own, digest: `sha256:${word}`, revision: word } as const;
  });
  bundles = await Promise.all(versions);
  hiding = await compileBundle({
    name: "crm",
    kind: "server",
    rego: `allow contains "any"\n\n${hides}`,
  });
  broken = bundleOf({ name: "crm", wasm: new Uint8Array([0, 97, 115, 109]) });
});

function open(deps: Partial<GatewayDeps> = {}) {
  const opened = openGateway({
    servers: { crm: { tools: [tool("get"), tool("other")] } },
    policies,
    deps,
  });
  const hands = async () => {
    await opened.gateway.ready;
    const found = opened.places.get("crm");
    if (found === undefined) throw new Error("expected a keeper");
    return found;
  };
  const names = async () => {
    const { items } = await opened.gateway.list(legacyClient(), "tools");
    return items.map(({ name }) => name);
  };
  return { ...opened, hands, names };
}

/** A gateway in which something happens between the look at a tool and the decision. */
function openBetween() {
  const engine = testEngine();
  const deps: { between: (() => Promise<void>) | undefined } = { between: undefined };
  const watched: PolicyEngine = {
    ...engine,
    decide: async (request) => {
      await deps.between?.();
      return await engine.decide(request);
    },
  };
  return { ...open({ engine: watched }), deps };
}

describe("bundles that change under load", () => {
  test(
    "fail no call, and every record names the bundle that answered",
    { timeout: 60_000 + activations * 2000 },
    async () => {
      const { hands, call, admissions } = open();
      const { activate } = await hands();
      const [first] = bundles;
      await activate(first);
      admissions.length = 0;
      const run = { isOver: false };
      const replies: string[] = [];
      const caller = async (): Promise<void> => {
        while (!run.isOver) replies.push(JSON.stringify(readReply(await call("crm__get"))));
      };
      const callers = [caller(), caller(), caller()];
      for (let at = 1; at <= activations; at += 1) {
        expect(await activate(bundles[at % 2])).toEqual({ ok: true });
        // At least one call is answered under each of them.
        await eventually(() => replies.length > at);
      }
      run.isOver = true;
      await Promise.all(callers);
      expect(replies.length).toBeGreaterThan(activations);
      expect(replies.filter((reply) => !/from_(?:one|two)/.test(reply))).toEqual([]);
      const told = new Set<string>();
      for (const { answer } of admissions) {
        const digest = answer.metadata.bundles["crm"]?.digest ?? "none";
        told.add(digest);
        expect(answer.reasons).toEqual([`from_${digest.slice("sha256:".length)}`]);
      }
      expect([...told].toSorted()).toEqual(["sha256:one", "sha256:two"]);
      expect(admissions).toHaveLength(replies.length);
    },
  );

  test("and cannot be used leave the one before", async () => {
    const { hands, call } = open();
    const { activate } = await hands();
    await activate(bundles[0]);
    expect(await activate(broken)).toMatchObject({ ok: false, code: "policy_module_invalid" });
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("from_one");
  });

  test("and were refused are not tried again in a set that others make", async () => {
    const { hands, call, places } = open();
    const { activate } = await hands();
    await activate(undefined);
    expect(await activate(broken)).toMatchObject({ ok: false });
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("policy_error");
    await places.get("identity")?.activate(policies.identity);
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("no_policy");
  });

  test("between two questions of one decision have both asked again", async () => {
    const { hands, call, deps } = openBetween();
    const { activate } = await hands();
    await activate(bundles[0]);
    deps.between = async () => {
      deps.between = undefined;
      await activate(hiding);
    };
    // Seen by the first set and decided by the second, it would be denied as the first says.
    expect(await call("crm__other")).toMatchObject({ kind: "error", code: -32_602 });
  });

  test("are taken away: calls are denied, and come back with the next", async () => {
    const { hands, call } = open();
    const { activate } = await hands();
    await activate(undefined);
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("no_policy");
    await activate(bundles[1]);
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("from_two");
  });

  test("show other tools at once, and clients are told", async () => {
    const { gateway, hands, names } = open();
    const { heard, hear } = collect();
    gateway.listen(legacyClient(), { hear, ask: undefined });
    expect(await names()).toEqual(["crm__get", "crm__other"]);
    const { activate } = await hands();
    await activate(hiding);
    expect(await names()).toEqual(["crm__get"]);
    await expect
      .poll(() => heard.map(({ method }) => method), patience)
      .toContain("notifications/tools/list_changed");
    await activate(bundles[0]);
    expect(await names()).toEqual(["crm__get", "crm__other"]);
  });
});

describe("the record of a change", () => {
  test("says what, who and why", async () => {
    const { hands, notes } = open();
    const { record } = await hands();
    await record({
      event: "activated",
      digest: "sha256:b",
      previous: "sha256:a",
      revision: "2",
      by: "alice",
      why: "it denies too much",
      code: null,
      signers: ["release"],
    });
    expect(notes).toMatchObject([
      {
        kind: "activation",
        layer: "crm",
        layerKind: "server",
        event: "activated",
        previous: "sha256:a",
        by: "alice",
      },
    ]);
  });
});

describe("a source that is slow", () => {
  test("keeps nobody waiting for ever: its calls are denied until it has a bundle", async () => {
    let bring = (): void => {};
    const opened = openGateway({
      servers: { crm: { tools: [tool("get")] }, mail: { tools: [tool("send")] } },
      policies,
      deps: {
        openKeeper: async ({ name, kind }, hands) => ({
          start: async () => {
            if (name === "mail") await new Promise<void>((resolve) => (bring = resolve));
            await hands.activate(kind === "server" ? policies.server(name) : policies.identity);
          },
          close: async () => bring(),
        }),
      },
    });
    expect((await opened.call("crm__get")).kind).toBe("result");
    const text = async (name: string) => JSON.stringify(readReply(await opened.call(name)));
    expect(await text("crm__get")).toContain("done");
    expect(await text("mail__send")).toContain("no_policy");
    bring();
    await expect.poll(() => text("mail__send"), patience).toContain("done");
  });
});
