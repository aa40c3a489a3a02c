import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Json } from "../../../src/contract/json.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import type {
  ArgumentCheckRequest,
  Decision,
  PolicyEngine,
} from "../../../src/policy/engine/policy-engine.ts";
import { busyArgs } from "./five-layers.ts";
import { callParts, compileBundle, layerOf, testEngine } from "./policies.ts";

const rego = `
allow contains "yes" if input.action.tool == "get"

deny contains "slow" if {
	some up in input.action.args.ups
	some down in input.action.args.downs
	up == down
}
`;

let engine: PolicyEngine;
const deadlineMs = 2000;

beforeAll(async () => {
  const crm = await compileBundle({ name: "crm", kind: "server", rego });
  engine = testEngine({ deadlineMs });
  const results = await engine.activate([layerOf(crm)]);
  if (!results.every(({ ok }) => ok)) throw new Error(JSON.stringify(results));
});
afterAll(() => engine.close());

function checkOf(schema: Json, args: Json): ArgumentCheckRequest {
  const schemaJson = JSON.stringify(schema);
  return { schemaJson, schemaDigest: sha256Of(schemaJson), argumentsJson: JSON.stringify(args) };
}

async function decide(schema: Json, args: Json): Promise<Decision> {
  const parts = callParts("crm", JSON.stringify(args));
  return await engine.decide({ server: "crm", parts, timeMs: 0, check: checkOf(schema, args) });
}

const verdictsOf = ({ verdicts }: Decision): readonly string[] =>
  verdicts.map((verdict) => (verdict.ok ? "ok" : verdict.code));

const schema = {
  type: "object",
  properties: { id: { type: "string", maxLength: 4 } },
  required: ["id"],
};

describe("the check of arguments", () => {
  it("comes with the verdicts, in one message to the worker", async () => {
    const sent = vi.spyOn(Worker.prototype, "postMessage");
    const decision = await decide(schema, { id: "C-17" });
    expect(sent).toHaveBeenCalledOnce();
    sent.mockRestore();
    expect(decision.argumentCheck).toEqual({ ok: true });
    expect(verdictsOf(decision)).toEqual(["ok"]);
  });

  it("that fails names pointers and keywords and leaves the verdicts as they are", async () => {
    const decision = await decide(schema, { id: "secret-value" });
    expect(decision.argumentCheck).toEqual({
      ok: false,
      code: "arguments_invalid",
      message:
        'expected arguments that the tool\'s input schema allows, found: "/id" breaks maxLength',
    });
    expect(verdictsOf(decision)).toEqual(["ok"]);
    expect((await decide(schema, {})).argumentCheck).toMatchObject({
      message: expect.stringContaining('"" breaks required "id"'),
    });
  });

  it("that nobody asked for is not there", async () => {
    const parts = callParts("crm");
    const decision = await engine.decide({ server: "crm", parts, timeMs: 0 });
    expect(decision.argumentCheck).toBeUndefined();
  });

  it("against a schema that cannot be used fails", async () => {
    const decision = await decide({ $ref: "https://evil.example/x" }, {});
    expect(decision.argumentCheck).toMatchObject({ ok: false, code: "schema_unusable" });
    expect(verdictsOf(decision)).toEqual(["ok"]);
  });

  it("of text that is no JSON fails", async () => {
    const check = { schemaJson: "{}", schemaDigest: "x", argumentsJson: "{" };
    const decision = await engine.decide({
      server: "crm",
      parts: callParts("crm"),
      timeMs: 0,
      check,
    });
    expect(decision.argumentCheck).toMatchObject({ ok: false, code: "policy_error" });
  });
});

/** Each level asks the next one twice: 2^depth steps. */
function doubling(depth: number): Json {
  const levels = Array.from({ length: depth }, (_, level) => {
    const next = { $ref: `#/$defs/l${level + 1}` };
    return [`l${level}`, { allOf: [next, next] }] as const;
  });
  return { $ref: "#/$defs/l0", $defs: { ...Object.fromEntries(levels), [`l${depth}`]: true } };
}

describe("B24: a check that runs on", () => {
  const aMany = "a".repeat(40);
  const cases: readonly (readonly [string, Json, Json])[] = [
    ["a pattern", { properties: { a: { pattern: "^(a+)+$" } } }, { a: `${aMany}!` }],
    ["a pattern of names", { patternProperties: { "^(a|a)*$": true } }, { [`${aMany}!`]: 1 }],
    ["references that double at each step", doubling(40), {}],
    [
      "a huge oneOf on a long list",
      {
        properties: {
          l: {
            items: {
              oneOf: Array.from({ length: 3000 }, (_, place) => ({
                type: "object",
                properties: { k: { enum: [place, { deep: [place] }] } },
                required: ["k"],
              })),
            },
          },
        },
      },
      { l: Array.from({ length: 4000 }, (_, place) => ({ k: { deep: [place % 3000] } })) },
    ],
  ];

  it.each(cases)(
    "by %s is ended at the deadline, and only its own call is lost",
    async (...[, hostile, args]) => {
      const startedMs = performance.now();
      const [lost, ...others] = await Promise.all([
        decide(hostile, args),
        decide(schema, { id: "a" }),
        decide(schema, {}),
      ]);
      expect(performance.now() - startedMs).toBeGreaterThan(deadlineMs - 1);
      expect(performance.now() - startedMs).toBeLessThan(deadlineMs * 10);
      expect(lost.argumentCheck).toEqual({
        ok: false,
        code: "policy_timeout",
        message: `the arguments could not be checked: deciding had ${deadlineMs} ms`,
      });
      expect(lost.verdicts).toMatchObject([
        {
          ok: false,
          code: "policy_timeout",
          message: `all layers together had ${deadlineMs} ms; the check of arguments was running`,
        },
      ]);
      expect(others.map(({ argumentCheck }) => argumentCheck?.ok)).toEqual([true, false]);
      expect(others.map(verdictsOf)).toEqual([["ok"], ["ok"]]);
    },
  );

  it("does not come to its turn where a policy runs on, and is no pass", async () => {
    const { argumentCheck, verdicts } = await decide({}, busyArgs(20_000));
    expect(argumentCheck).toMatchObject({ ok: false, code: "policy_timeout" });
    expect(verdicts).toMatchObject([{ message: expect.stringContaining('layer "crm"') }]);
  });

  it("is no pass where no worker can be asked", async () => {
    const closed = testEngine();
    const check = checkOf({}, {});
    const decision = await closed.decide({
      server: "crm",
      parts: callParts("crm"),
      timeMs: 0,
      check,
    });
    expect(decision.argumentCheck).toMatchObject({ ok: false, code: "policy_error" });
  });
});
