import { beforeAll, describe, expect, test } from "vitest";
import { compileBundle } from "../../policy/engine/policies.ts";
import type { Answer } from "../fake-server.ts";
import { result, text, tool } from "../fake-server.ts";
import { collect, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

const rego = `
# METADATA
# scope: rule
# custom:
#   actions: [resource_read]
allow contains {"rule": rego.metadata.rule()} if input.phase != "result"

words := concat(" ", [text | some text in [part.text | some part in input.result.content]])

# METADATA
# scope: rule
# title: What is secret stays where it is
# custom:
#   id: std.secret
#   code: secret_found
deny contains {"rule": rego.metadata.rule()} if contains(words, "secret")

deny contains "error_found" if contains(input.result.error.message, "secret")

deny contains "seen_before" if {
	input.phase == "call"
	input.action.tool == "send"
	"from_result" in input.context.labels_seen
}

deny contains "broken" if {
	input.phase == "result"
	contains(words, "crash")
	to_number(words) == to_number("x")
}

labels contains "from_result" if contains(words, "mark")

obligations contains {"id": "late", "type": "redact", "properties": {"literals": ["mark"]}} if contains(words, "mark")

obligations contains {"id": "odd", "type": "odd", "properties": {}} if contains(words, "strange")
`;

let policies: TestPolicies;
beforeAll(async () => {
  const own = await compileBundle({ name: "std", kind: "server", rego });
  const sources = new Map([["policy.rego", rego]]);
  const identity = await compileBundle({
    name: "identity",
    kind: "identity",
    rego: 'capabilities := {"servers": ["*"], "tools": ["*", "*/*"], "scopes": ["*"]}',
  });
  policies = { server: (name) => ({ ...own, sources, name }), identity };
});

const open = (answer: Answer) =>
  openGateway({
    servers: {
      crm: { tools: [tool("get"), tool("send")], resources: [{ uri: "x:1", name: "x" }], answer },
    },
    policies,
  });

describe("a policy with rules about results", () => {
  test("lets a result pass as it came, without any grant of it", async () => {
    const came = '{ "content":[ {"type":"text","text":"fine"} ] }';
    const { call, outcomes } = open(() => result(came));
    const reply = await call("crm__get");
    expect(reply.kind === "result" && reply.bytes.toString()).toBe(came);
    expect(outcomes).toMatchObject([{ outcome: "completed" }]);
  });

  test("refuses one: the client hears that the call ran, and the record why", async () => {
    const { call, outcomes, events } = open(() => text("a secret"));
    const reply = readReply(await call("crm__get"));
    expect(reply).toMatchObject({ isError: true });
    const told = JSON.stringify(reply);
    expect(told).toContain("secret_found");
    expect(told).toContain("What is secret stays where it is");
    expect(told).toContain("do not make it again");
    expect(told).not.toContain("a secret");
    expect(events.at(-1)).toBe("settle completed_withheld");
    expect(outcomes).toMatchObject([{ withheld: ["secret_found"] }]);
  });

  test("refuses an error of the server", async () => {
    const { call } = open(() => ({ kind: "error", error: { code: -1, message: "secret" } }));
    const reply = JSON.stringify(readReply(await call("crm__get")));
    expect(reply).toContain("error_found");
  });

  test("refuses what is read by other methods with an error", async () => {
    const { act } = open(() => result({ contents: [], content: [{ text: "secret" }] }));
    const reply = await act({ type: "resource_read", uri: "x:1" });
    expect(readReply(reply)).toMatchObject({ kind: "error", code: 40_300 });
  });

  test("changes one, and labels the conversation before it is answered", async () => {
    const { call, outcomes } = open(() => text("a mark"));
    expect(readReply(await call("crm__send"))).toMatchObject({
      content: [{ text: "a [redacted]" }],
    });
    expect(outcomes).toMatchObject([{ obligations: [{ id: "late", changed: 1 }] }]);
    expect(JSON.stringify(readReply(await call("crm__send")))).toContain("seen_before");
  });

  test.each([
    ["an obligation of it is unknown", text("strange"), "unknown_obligation"],
    [
      "a member stands in it twice",
      result('{"content":[{"text":"a","text":"b"}]}'),
      "result_withheld",
    ],
    ["it is larger than an input may be", text("x".repeat(1_200_000)), "policy_error"],
  ])("withholds a result where %s", async (_, answer, code) => {
    const { call, outcomes } = open(() => answer);
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain(code);
    expect(outcomes).toMatchObject([{ outcome: "completed_withheld", withheld: [code] }]);
  });

  test("has no words pass before the result, which nobody judged", async () => {
    const { heard, hear } = collect();
    const progress: unknown[] = [];
    const { call } = open((wanted) => {
      wanted.onProgress?.({ progress: 1, message: "secret" });
      wanted.onNotification?.({ method: "notifications/message", params: { data: "secret" } });
      return text("done");
    });
    await call("crm__get", { onNotification: hear, onProgress: (told) => progress.push(told) });
    expect(progress).toEqual([{ progress: 1 }]);
    expect(heard).toEqual([]);
  });
});
