/**
 * What somebody sent stands in a test as a document, and as nothing else.
 */
import { expect, test } from "vitest";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { RecordReader } from "../../src/replay/recorded-decision.ts";
import { regoTest } from "../../src/replay/rego-test.ts";

const args = {
  quoted: '"}\n\ntest_own if true\n',
  'name"\n}': "`raw` ${x} %s",
  unseen: "\u{feff}a\u{202e}b\u{2028}\u{200b}\u{0}\u{7f}\u{85}",
  astral: "\u{1f600}",
};

test("whatever was sent, the test is Rego, shows what is hidden in it, and passes", async () => {
  const layer = { name: "crm", kind: "server", revision: "1", digest: "sha256:aa" };
  const text = JSON.stringify({
    decision_id: "019ab3c2-0000-7000-8000-000000000001",
    timestamp: "2026-11-23T06:50:31.504Z",
    input: { phase: "call", action: { type: "tool_call", args } },
    result: { allow: true, effect: "allow", enforced: true, reasons: [] },
    layers: [
      {
        ...layer,
        allow: [{ rule: "x", code: "x", overridable: false, disclose: "code", audit: false }],
      },
    ],
  });
  const recorded = new RecordReader().read(text);
  const [first] = recorded.layers;
  if (first === undefined) throw new Error("no layer was read");
  const policyPackage = "mcp.crm";
  const written = regoTest({ recorded, layer: first, policyPackage, rules: ["allow"] }) ?? "";
  expect(written).toContain("\\ufeffa\\u202eb\\u2028\\u200b");
  expect(written.match(/^test_/gm)).toHaveLength(1);

  const policy = `package mcp.crm

allow contains "same" if input.action.args == ${JSON.stringify(args).replaceAll("\u{feff}", "\\ufeff")}
`;
  const toolchain = createRegoToolchain();
  try {
    const metadata = { name: "crm", layer: "server", policy_package: policyPackage };
    const tested = await toolchain.test({
      modules: { "policy.rego": policy, "recorded_test.rego": written },
      manifest: { revision: "1", roots: ["mcp/crm"], metadata },
    });
    expect(tested).toMatchObject({ ok: true, value: { tests: [{ outcome: "pass" }] } });
  } finally {
    await toolchain.close();
  }
}, 120_000);
