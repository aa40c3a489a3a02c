/**
 * The page about counters shows the example's own manifest and rules, and what the gateway answers.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import { buildPolicyFolder } from "../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { openGateway, readReply } from "../gateway/open-gateway.ts";
import { compileTestPolicies } from "../gateway/test-policies.ts";
import { root } from "../support/gateway-process.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

const folder = join(root, "examples", "policy", "payments");
const page = readFileSync(join(root, "docs", "count-calls.md"), "utf8");

async function examplePolicy() {
  const { files } = await buildPolicyFolder(toolchain, folder);
  const bytes = new Map([...files].map(([path, content]) => [path, Buffer.from(content)]));
  const about = { name: "payments", kind: "server", reference: "file:payments" } as const;
  return await openBundle(
    bytes,
    { ...about, digest: `sha256:${"0".repeat(64)}`, origin: "folder" },
    undefined,
  );
}

test("it shows what is in the example's manifest and in its policy", () => {
  const { metadata } = JSON.parse(readFileSync(join(folder, ".manifest"), "utf8"));
  const [, shown = ""] = /```json\n"counters": ([\s\S]*?)\n```/.exec(page) ?? [];
  expect(JSON.parse(shown)).toEqual(metadata.counters);
  const [, rule = ""] = /```rego\n([\s\S]*?)```/.exec(page) ?? [];
  expect(readFileSync(join(folder, "policy.rego"), "utf8")).toContain(rule);
});

test("it shows the counter of repetitions that the library's example declares", () => {
  const place = join(root, "examples", "library", "policies", "runaway", ".manifest");
  const { metadata } = JSON.parse(readFileSync(place, "utf8"));
  const shown = [...page.matchAll(/```json\n"counters": ([\s\S]*?)\n```/g)].map(([, text]) => text);
  expect(shown).toHaveLength(2);
  expect(metadata.counters).toMatchObject(JSON.parse(shown[1] ?? ""));
});

test("the example's limits hold, and the agent is told what the page says", async () => {
  const payments = await examplePolicy();
  const { identity } = await compileTestPolicies();
  const tools = [{ name: "refund", inputSchema: { type: "object" } }];
  const open = openGateway({
    servers: { payments: { tools } },
    policies: { identity, server: () => payments },
  });
  const refund = (amount: number) => {
    const argumentsJson = JSON.stringify({ amount });
    return open.act({ type: "tool_call", name: "payments__refund", argumentsJson });
  };
  for (const amount of [390, 90]) await refund(amount);
  expect(open.admissions.map(({ answer }) => answer.allow)).toEqual([true, true]);
  const said = JSON.stringify(readReply(await refund(30))["content"]);
  const [line = ""] = /^\[budget_exhausted\].*$/m.exec(page) ?? [];
  const when = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
  expect(line).not.toBe("");
  expect(said.replaceAll(when, "TIME")).toContain(line.replaceAll(when, "TIME"));
}, 90_000);
