/**
 * The host builtins in a compiled policy beside the same policy in OPA's own evaluator, which is
 * the definition of what they mean.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as z from "zod";
import { compilePolicy } from "../../../../src/policy/engine/compiled-policy.ts";
import { createNdBuiltinCache } from "../../../../src/policy/engine/nd-builtin-cache.ts";
import { openPolicyInstance } from "../../../../src/policy/engine/policy-instance.ts";
import { compileBundle, evalDecision } from "../policies.ts";

const numbers = [
  "0",
  "1",
  "-1",
  "42",
  "65",
  "8364",
  "-123456",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775809",
  "123456789012345678901234567890",
  "1114112",
  "55296",
  "128512",
  "0.5",
  "1.5",
  "2.5",
  "-2.5",
  "0.1",
  "123456789.125",
  "1e21",
  "1e20",
  "1e6",
  "100000.0",
  "1e-5",
  "0.0001",
  "-0.0",
  "0.0",
  "3.0",
  "1e300",
  "5e-324",
  "1.7976931348623157e308",
  "1e400",
  "0.000012345",
  "12345678.9",
  "99.95",
  "0.045",
];
const others = [
  '"hi"',
  '""',
  '"é😀\\n\\"q\\""',
  '"日本語"',
  '"\\u0001\\u007f`"',
  '"\\ufeff\\u00a0\\u200b"',
  '"a`b"',
  "true",
  "null",
  "[]",
  "set()",
  "{}",
  '{1, 2.5, "b"}',
  '[1, 2.5, "a\\u0001b", set()]',
  '{"b": 1, "a": [true, null], "aa": {3, 20, 1.5, -1}}',
  '{[2], [1, 3], {"z": 1}, {"a": 2}, {3}, null, true, false, "é", "z", 10000000000000000000, 9}',
  '{1: {"x"}, {2}: "y"}',
  "{{{1}}}",
];
const flags = ["", "", "#", "0", "+", "-", " ", "+#", "0-", "# ", "+0", "-0+"];
const indexes = ["", "", "", "", "[1]", "[2]", "[3]", "[0]", "[x]", "["];
const widths = ["", "", "", "5", "10", "1", "*", "0", "30", "1000001000"];
const precisions = ["", "", "", ".", ".0", ".2", ".5", ".10", ".20", ".*", ".[1]*"];
const verbs = "v v d s q x X o b c t f e g T G E F U O z % é !".split(" ");

const verb = fc
  .tuple(
    fc.constantFrom("", "a", "é "),
    fc.constantFrom(...flags),
    fc.constantFrom(...indexes),
    fc.constantFrom(...widths),
    fc.constantFrom(...precisions),
    fc.constantFrom("", "", "", "", "[1]"),
    fc.constantFrom(...verbs),
  )
  .map(([before, ...parts]) => `${before}%${parts.join("")}`);
const format = fc
  .tuple(fc.array(verb, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "", "", "%", "!"))
  .map(([all, end]) => all.join("") + end);
const operands = fc.array(fc.constantFrom(...numbers, ...others), { maxLength: 3 });
const sprintfCall = fc
  .tuple(format, operands)
  .map(([text, values]) => `sprintf(${JSON.stringify(text)}, [${values.join(", ")}])`);

const part = (...values: readonly string[]) => fc.constantFrom(...values);
const moment = fc
  .tuple(
    part("2026", "2026", "1970", "2024", "1677", "2262", "0000", "9999", "26"),
    part("-01", "-02", "-12", "-11", "-06", "-13", "-00", "-1"),
    part("-01", "-28", "-29", "-30", "-31", "-00"),
    part("T", "T", "T", "T", "T", "T", "t"),
    part("00", "23", "12", "24", "7"),
    part(":00", ":59", ":30", ":60"),
    part(":00", ":59", ":30", ":60"),
    part("", "", ".1", ".123456789", ".1234567891234", ".", ",5"),
    part("Z", "Z", "Z", "+00:00", "-07:30", "+23:59", "+24:60", "+25:00", "+0700", "z", ""),
  )
  .map((parts) => `time.parse_rfc3339_ns(${JSON.stringify(parts.join(""))})`);

const affix = part('"ab"', '""', '["abc", "x"]', '{"b", "bc"}', "set()", "[]", '"bc"');
const affixCall = fc
  .tuple(part("prefix", "suffix"), affix, affix)
  .map(([end, search, base]) => `strings.any_${end}_match(${search}, ${base})`);

const context = { timeMs: 0, seed: "seed", ndBuiltinCache: createNdBuiltinCache() };

async function answersOf(
  calls: readonly string[],
): Promise<readonly ReadonlyMap<number, string>[]> {
  const rules = calls.map(
    (call, place) => `warn contains {"code": "c", "details": [${place}, sprintf("%v", [${call}])]}`,
  );
  const source = { name: "builtins", kind: "workflow", rego: rules.join("\n\n") } as const;
  const bundle = await compileBundle(source);
  const instance = await openPolicyInstance(
    await compilePolicy(bundle.wasm, 1024),
    Buffer.from(bundle.dataJson),
  );
  const id = instance.entrypoints.get(bundle.entrypoints.decision) ?? -1;
  const [{ result }] = JSON.parse(instance.evaluate(id, Buffer.from("{}"), context));
  return [textsOf(result), textsOf(await evalDecision(source, {}))];
}

const decision = z.object({
  warn: z.array(z.object({ details: z.tuple([z.number(), z.string()]) })),
});

/** Texts by the place of their call; a call that is undefined is not among them. */
function textsOf(answer: unknown): ReadonlyMap<number, string> {
  const texts = decision.parse(answer).warn.map(({ details }) => details);
  return new Map(texts.toSorted(([left], [right]) => left - right));
}

it.each([
  ["sprintf", sprintfCall, 250, 200],
  ["time.parse_rfc3339_ns", moment, 400, 12],
  ["strings.any_prefix_match and any_suffix_match", affixCall, 100, 50],
] as const)(
  "%s says what opa says",
  async (_, call, count, defined) => {
    const calls = fc.sample(call, { numRuns: count, seed: 20_261_122 });
    const [ours, opas] = await answersOf(calls);
    expect(ours).toEqual(opas);
    expect(opas?.size).toBeGreaterThan(defined);
  },
  120_000,
);
