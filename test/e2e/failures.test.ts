/**
 * What goes wrong around a gateway, and what it then says: a clear reason, nothing lost.
 */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import type { TestPolicy } from "../support/policy-layout.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const policies: Readonly<Record<string, TestPolicy>> = {
  ok: allowAll,
  silent: { rego: 'deny contains "never" if input.action.tool == "no such tool"' },
  throws: {
    rego: `allow contains "anything"
deny contains "x" if conflict == 1
conflict := 1 if input.version == 1
conflict := 2 if input.phase == "call"`,
  },
  loops: {
    rego: `allow contains "anything"
ups := numbers.range(1, 30000)
downs := numbers.range(-30000, -1)
deny contains "x" if {
	input.action.tool == "echo"
	some up in ups
	some down in downs
	up == down
}`,
  },
  nonsense: { rego: `allow contains "anything"\ndeny contains 7 if input.version == 1` },
  reserved: { rego: `deny contains "policy_timeout" if input.version == 1` },
  hides: {
    rego: `allow contains "anything"\nhide contains "hidden" if input.action.tool == "slow"`,
  },
};

let layout = "";

beforeAll(async () => {
  layout = await buildLayout(policies);
});

const policyOf = (name: string) => `oci-layout:${layout}:${name}`;

/** A server that writes down what it receives. */
function receivingSetting() {
  const receivedFile = join(temporaryFolder(), "received.jsonl");
  writeFileSync(receivedFile, "");
  const ok = { policy: policyOf("ok"), env: { FIXTURE_RECEIVED: receivedFile } };
  const config = writeFixtureConfig({ ok });
  return { config, env: freshEnvironment(), received: () => readFileSync(receivedFile, "utf8") };
}

function decisionOf(answer: Record<string, unknown>) {
  return Object(Object(Object(answer["result"])._meta)["io.mcp-gateway/decision"]);
}

describe("a policy", () => {
  test.each([
    ["allows nothing", "silent", "no_rule_allows"],
    ["throws", "throws", "policy_error"],
    ["never ends", "loops", "policy_timeout"],
    ["answers nonsense", "nonsense", "policy_error"],
    ["uses a code of the gateway's own", "reserved", "policy_error"],
  ])("that %s denies, and the next server is none the worse", async (_, name, code) => {
    // The policy is that of a server with the same id; a bundle is bound to its name.
    const servers = { [name]: { policy: policyOf(name) }, ok: { policy: policyOf("ok") } };
    const config = writeFixtureConfig(servers, { policy: { deadline_ms: 5_000 } });
    const client = await startRawClient(serveCommand(config));
    const [denied, allowed] = await Promise.all([
      client.call(`${name}__echo`),
      client.call("ok__echo", { a: 1 }),
    ]);
    expect(decisionOf(denied).reasons).toEqual([code]);
    expect(Object(denied["result"]).isError).toBe(true);
    expect(Object(allowed["result"]).content).toEqual([{ type: "text", text: '{"a":1}' }]);
    expect(await client.end()).toBe(0);
  });

  test("that is missing denies with no_policy", async () => {
    const config = writeFixtureConfig({ bare: {} });
    const client = await startRawClient(serveCommand(config));
    expect(decisionOf(await client.call("bare__echo")).reasons).toEqual(["no_policy"]);
    await client.end();
  });

  test("of an organisation's layer that is missing denies every server", async () => {
    const layers = [{ name: "compliance", kind: "compliance", policy: policyOf("not-there") }];
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } }, { layers });
    const client = await startRawClient(serveCommand(config));
    expect(decisionOf(await client.call("ok__echo")).reasons).toEqual(["no_policy"]);
    expect(client.stderr()).toContain("policy bundle not loaded");
    await client.end();
  });

  test("of another server is not used", async () => {
    const config = writeFixtureConfig({ mine: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config));
    expect(decisionOf(await client.call("mine__echo")).reasons).toEqual(["no_policy"]);
    await client.end();
  });

  test("that hides a tool makes it the same as one that does not exist, but in the record", async () => {
    const env = freshEnvironment();
    const config = writeFixtureConfig({ hides: { policy: policyOf("hides") } });
    const client = await startRawClient(serveCommand(config, env));
    const listed = JSON.stringify(await client.request("tools/list"));
    expect(listed).toContain("hides__echo");
    expect(listed).not.toContain("hides__slow");
    const hidden = await client.call("hides__slow");
    const unknown = await client.call("hides__slot");
    const shape = (answer: object) =>
      JSON.stringify({ ...answer, id: 0 }).replaceAll(/hides__slo\w/g, "NAME");
    expect(shape(hidden)).toBe(shape(unknown));
    await client.end();
    const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
    expect(stdout).toContain('"tool_hidden"');
    expect(stdout).toContain('"unknown_tool"');
  });
});

describe("an upstream", () => {
  test("that does not start takes away only its own tools", async () => {
    const config = writeFixtureConfig({
      broken: { mode: "exit", policy: policyOf("ok") },
      ghost: { command: "/no/such/command", policy: policyOf("ok") },
      ok: { policy: policyOf("ok") },
    });
    const client = await startRawClient(serveCommand(config));
    const listed = JSON.stringify(await client.request("tools/list"));
    expect(listed).toContain("ok__echo");
    expect(listed).not.toContain("broken__");
    expect(client.stderr()).toContain("servers.ghost.command");
    expect(await client.call("broken__echo")).toMatchObject({ error: { code: -32_602 } });
    await client.end();
  });

  test("that dies in a call fails that call with what may have happened, and is started anew by the next", async () => {
    const env = freshEnvironment();
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config, env));
    const died = await client.call("ok__die");
    expect(died).toMatchObject({ error: { code: -32_603, data: { code: "upstream_lost" } } });
    expect(JSON.stringify(died)).toContain("may have run");
    expect(JSON.stringify(await client.request("tools/list"))).toContain("ok__echo");
    expect(await client.call("ok__echo")).toHaveProperty("result.content");
    await client.end();
    const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
    expect(stdout).toContain('"outcome":"upstream_lost"');
  });

  test("passes results byte for byte, errors as they are, and progress to who asked", async () => {
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config));
    const lines: string[] = [];
    client.child.stdout.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
    await client.call("ok__numbers");
    expect(lines.join("")).toContain('"n":12345678901234567890,"e":1.50}');
    const error = { code: -32_011, message: "no luck", data: { a: 1 } };
    expect(await client.call("ok__error")).toMatchObject({ error });
    const params = { name: "ok__progress", arguments: {}, _meta: { progressToken: "mine" } };
    await client.request("tools/call", params);
    const steps = client.received.filter((message) =>
      JSON.stringify(message).includes("notifications/progress"),
    );
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatchObject({ params: { progressToken: "mine", progress: 1, total: 2 } });
    await client.end();
  });

  test("that is slow to start or to list holds up no call of another, nor the end", async () => {
    // Whoever waited for one of the two would wait longer than this test may take.
    const settings = { start_timeout_ms: 600_000, call_timeout_ms: 600_000 };
    const config = writeFixtureConfig({
      silent: { mode: "silent", policy: policyOf("ok"), settings },
      slow: { mode: "never-list", policy: policyOf("ok"), settings },
      ok: { policy: policyOf("ok") },
    });
    const client = await startRawClient(serveCommand(config));
    expect(Object((await client.call("ok__echo"))["result"]).isError).toBeUndefined();
    expect(await client.end()).toBe(0);
  });

  test("that says 500 times that its tools changed is asked a few times", async () => {
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config));
    const { result } = await client.call("ok__storm");
    const lists = Number(Object(result).content[0].text);
    // Each list has two pages; one is under way and one waits at a time.
    expect(lists).toBeGreaterThan(0);
    expect(lists).toBeLessThan(100);
    await client.end();
  });

  test("that changes its tools changes the list, and the client is told", async () => {
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config));
    await client.call("ok__change");
    await expect.poll(() => JSON.stringify(client.received)).toContain("tools/list_changed");
    expect(JSON.stringify(await client.request("tools/list"))).toContain("ok__added");
    await client.end();
  });
});

describe("a client", () => {
  test("that sends what is no JSON-RPC is answered, and goes on", async () => {
    const env = freshEnvironment();
    const config = writeFixtureConfig({ ok: { policy: policyOf("ok") } });
    const client = await startRawClient(serveCommand(config, env));
    for (const line of [
      "{oops",
      "[]",
      '"x"',
      "\u0000",
      '{"jsonrpc":"2.0","id":90,"method":"tools/call","params":{"name":"ok__echo","name":"ok__die"}}',
    ]) {
      client.send(line);
    }
    client.send(
      `{"jsonrpc":"2.0","id":91,"method":"tools/call","params":{"x":"${"y".repeat(5 << 20)}"}}`,
    );
    expect(JSON.stringify(await client.call("ok__echo"))).toContain('"text":"{}"');
    const codes = () =>
      client.received.flatMap((message) => Object(Object(message).error).code ?? []);
    await expect.poll(codes).toHaveLength(6);
    expect(codes()).toEqual([-32_700, -32_600, -32_600, -32_700, -32_600, -32_600]);
    expect(client.received).toContainEqual(expect.objectContaining({ id: 90 }));
    expect(client.received).toContainEqual(expect.objectContaining({ id: 91 }));
    expect(await client.end()).toBe(0);
    const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
    expect(stdout.split("\n").filter((line) => line.includes("malformed_request"))).toHaveLength(6);
  });

  test("that goes away cancels its calls, which the record shows", async () => {
    const { config, env, received } = receivingSetting();
    const client = await startRawClient(serveCommand(config, env));
    void client.call("ok__never");
    await expect.poll(received).toContain("never");
    expect(await client.end()).toBe(0);
    expect(received()).toContain("notifications/cancelled");
    const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
    expect(stdout).toContain('"outcome":"cancelled"');
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "that ends the gateway with %s loses no outcome",
    async (signal) => {
      const { config, env, received } = receivingSetting();
      const client = await startRawClient(serveCommand(config, env));
      void client.call("ok__never");
      await client.call("ok__echo");
      await expect.poll(received).toContain("never");
      client.child.kill(signal);
      const [code] = await once(client.child, "exit");
      expect(code).toBe(0);
      const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
      expect(stdout).toContain('"outcome":"cancelled"');
      expect(stdout).toContain('"outcome":"completed"');
    },
  );

  test("sees nothing but JSON-RPC on stdout, whatever its servers print", async () => {
    const config = writeFixtureConfig({
      chatty: { mode: "chatty", policy: policyOf("ok") },
      ok: { policy: policyOf("ok") },
    });
    const env = freshEnvironment({ MCP_GATEWAY_LOG: "debug" });
    const client = await startRawClient(serveCommand(config, env));
    await client.call("ok__garbage");
    await client.call("ok__ask");
    await client.end();
    expect(client.received.length).toBeGreaterThan(2);
    for (const message of client.received) expect(message).toMatchObject({ jsonrpc: "2.0" });
  });
});

describe("the command line", () => {
  test("says where a configuration is wrong and what was meant", async () => {
    const path = join(temporaryFolder(), "mcp-gateway.config.json");
    writeFileSync(path, '{\n  "agnet": { "id": "a" },\n  "user": 7,\n  "servers": {}\n}\n', {
      mode: 0o600,
    });
    const args = ["serve", "--stdio", "--config", path];
    const { code, stdout, stderr } = await runBin(args, freshEnvironment());
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/:2:3:? .*"agnet".*did you mean "agent"/);
    expect(stderr).toMatch(/:3:11/);
  });

  test("says which ways to serve there are", async () => {
    const { code, stderr } = await runBin(["serve"], freshEnvironment());
    expect(code).toBe(2);
    expect(stderr).toContain("--stdio");
  });
});
