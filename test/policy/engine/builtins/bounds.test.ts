/**
 * Builtins whose answer could outgrow memory or time throw, and the decision fails: an undefined
 * answer would read as "no" to a rule that denies.
 */
import { expect, it } from "vitest";
import type { BuiltinContext } from "../../../../src/policy/engine/builtins/builtin.ts";
import { loadBuiltins } from "../../../../src/policy/engine/builtins/host-builtins.ts";
import { readOpaValue } from "../../../../src/policy/engine/opa-value.ts";

const context: BuiltinContext = { timeMs: 0, seed: "seed" };

async function ask(name: string, ...operands: readonly string[]): Promise<string | undefined> {
  const builtin = (await loadBuiltins([name])).get(name);
  if (builtin === undefined) throw new Error(`expected ${name}`);
  return builtin(operands.map(readOpaValue), context);
}

/** The answers of some are many times as long, and their parts many times larger than that. */
const long = "x".repeat(3_000_000);
const quoted = (text: string) => JSON.stringify(text);
const doubling = Array.from({ length: 40 }, () => '{"from": "", "op": "copy", "path": "/-"}');
/** Each node leads to all that come after it, so that every node doubles the number of paths. */
const nodes = Array.from({ length: 24 }, (_, node) => `"${node}"`);
const dense = nodes.map((node, place) => `${node}: [${nodes.slice(place + 1).join(", ")}]`);

it.each([
  ["numbers.range_step", ["0", "1000000000000", "1"]],
  ["net.cidr_expand", [quoted("10.0.0.0/8")]],
  ["net.cidr_expand", [quoted("2001:db8::/32")]],
  ["sprintf", [quoted("%1000000d".repeat(20)), `[${"1, ".repeat(19)}1]`]],
  ["strings.render_template", [quoted("{{range 1000000000}}xxxxxxxxxx{{end}}"), "{}"]],
  [
    "strings.render_template",
    [quoted(`{{define "t"}}{{template "t"}}{{end}}{{template "t"}}`), "{}"],
  ],
  ["json.patch", ["[1]", `[${doubling.join(", ")}]`]],
  ["regex.replace", [quoted("a".repeat(10_000)), quoted("a"), quoted("$0".repeat(5_000))]],
  ["regex.find_n", [quoted("."), quoted(long), "-1"]],
  ["regex.split", [quoted(""), quoted(long)]],
  ["indexof_n", [quoted(long), quoted("x")]],
  ["strings.split_n", [quoted(long), quoted(""), "9000000"]],
  ["urlquery.encode", [quoted("%".repeat(long.length))]],
  ["sprintf", [quoted("%x"), `[${quoted(long.repeat(2))}]`]],
  ["sprintf", [quoted("% #X"), `[${quoted(long)}]`]],
  ["graph.reachable_paths", [`{${dense.join(", ")}}`, '["0"]']],
  ["json.match_schema", ["{}", `{"$ref": "#"}`]],
] as const)("%s does not run away: %#", async (name, operands) => {
  await expect(ask(name, ...operands)).rejects.toThrow(/^expected /);
});

it("reads no amount with an exponent that OPA does not read either", async () => {
  expect(await ask("units.parse_bytes", quoted("1e9999999"))).toBeUndefined();
  expect(await ask("units.parse", quoted("1e-9999999"))).toBeUndefined();
});
