/**
 * What policy says of results holds in the shipped program, with bundles as they are published: one
 * that obliges, and one that judges what came back.
 */
import { beforeAll, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";

let layout = "";
beforeAll(async () => {
  layout = await buildLayout({
    ok: { rego: allowAll.rego },
    identity: {
      layer: "identity",
      rego: 'capabilities := {"servers": ["*"], "tools": ["*"], "scopes": ["*"]}',
    },
    obliging: {
      layer: "compliance",
      rego: `obligations contains {"id": "no_mail", "type": "redact", "properties": {"kinds": ["email"], "patterns": ["K-[0-9]+"]}} if input.action.type == "tool_call"`,
    },
    judging: {
      layer: "compliance",
      rego: `deny contains "secret_found" if {
	some part in input.result.content
	contains(part.text, "secret")
}`,
    },
  });
});

async function open(compliance: string) {
  const policy = (name: string) => `oci-layout:${layout}:${name}`;
  const layers = [
    { name: "identity", kind: "identity", policy: policy("identity") },
    { name: compliance, kind: "compliance", policy: policy(compliance) },
  ];
  const config = writeFixtureConfig({ ok: { policy: policy("ok") } }, { layers });
  return await startRawClient(serveCommand(config, freshEnvironment()));
}

test("an obligation changes what comes back, and nothing else", async () => {
  const client = await open("obliging");
  const changed = JSON.stringify(await client.call("ok__echo", { text: "bob@example.com K-12" }));
  expect(changed).toContain("[redacted] [redacted]");
  expect(changed).not.toContain("bob@example.com");
  expect(JSON.stringify(await client.call("ok__echo", { text: "plain" }))).toContain("plain");
  expect(await client.end()).toBe(0);
});

test("a policy refuses a result, and the answer says that the call ran", async () => {
  const client = await open("judging");
  const withheld = JSON.stringify(await client.call("ok__echo", { text: "a secret word" }));
  expect(withheld).toContain("secret_found");
  expect(withheld).toContain("do not make it again");
  expect(withheld).not.toContain("a secret word");
  expect(JSON.stringify(await client.call("ok__echo", { text: "plain" }))).toContain("plain");
  expect(await client.end()).toBe(0);
});
