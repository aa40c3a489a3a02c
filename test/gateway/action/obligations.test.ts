import { beforeAll, describe, expect, test } from "vitest";
import type { Subject } from "../../../src/gateway/gateway.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import type { Answer } from "../fake-server.ts";
import { askIn, result, text, tool } from "../fake-server.ts";
import { collect, legacyClient, modernClient, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

const mail = "bob@example.com";

/** Of a call that is named after it. */
const server = `
# METADATA
# scope: rule
# custom:
#   actions: [prompt_get, resource_read, resource_subscribe, completion, task_get, task_result, task_cancel, task_update, sampling, elicitation, roots_list]
allow contains {"rule": rego.metadata.rule()} if input.action.server

obligations contains {"id": "no_mail", "type": "redact", "properties": {"kinds": ["email"]}} if {
	input.action.tool != "plain"
	not contains(input.action.tool, "odd")
}

obligations contains {"id": "no_mail", "type": "redact", "properties": {"kinds": ["email"]}} if input.action.uri

obligations contains {"id": "tell", "type": "notify", "properties": {"channel": "pager"}} if startswith(input.action.tool, "told")

obligations contains {"id": "types", "type": "mask_fields", "properties": {"fields": ["age"], "keep_type": true}} if input.action.tool == "typed"

obligations contains {"id": "untyped", "type": "mask_fields", "properties": {"fields": ["age"]}} if input.action.tool == "untyped"

obligations contains {"id": "odd", "type": "encrypt", "properties": {}} if input.action.tool == "odd_type"

obligations contains {"id": "odd", "type": "redact", "properties": {"kind": "email"}} if input.action.tool == "odd_properties"
`;

const outputSchema = {
  type: "object",
  properties: { who: { type: "string" }, age: { type: "number" } },
  required: ["who", "age"],
  additionalProperties: false,
};

let policies: TestPolicies;
beforeAll(async () => {
  const own = await compileBundle({ name: "std", kind: "server", rego: server });
  const identity = await compileBundle({
    name: "identity",
    kind: "identity",
    rego: 'capabilities := {"servers": ["*"], "tools": ["*", "*/*"], "scopes": ["*"]}',
  });
  policies = { server: (name) => ({ ...own, name }), identity };
});

const crm = (answer: Answer, config: object = {}) => ({
  tools: ["get", "plain", "odd_type", "odd_properties", "told"]
    .map((name) => tool(name))
    .concat(["typed", "untyped"].map((name) => tool(name, { outputSchema }))),
  resources: [{ uri: "x:1", name: "x" }],
  answer,
  config,
});

const open = (answer: Answer, config: object = {}) =>
  openGateway({ servers: { crm: crm(answer, config) }, policies });

const read: Subject = { type: "resource_read", uri: "x:1" };

describe("an obligation of a call", () => {
  test("changes its result, and is in the record with a number and no contents", async () => {
    const { call, outcomes } = open(() => text(`write to ${mail}`));
    const reply = readReply(await call("crm__get"));
    expect(reply).toMatchObject({ content: [{ text: "write to [redacted]" }] });
    expect(outcomes).toMatchObject([
      { outcome: "completed", obligations: [{ id: "no_mail", type: "redact", changed: 1 }] },
    ]);
    expect(JSON.stringify(outcomes)).not.toContain(mail);
  });

  test("leaves the bytes of a result in which there is nothing to do", async () => {
    const came = '{ "content":[ {"type":"text","text":"n\\u006fthing"} ], "x": 1.0 }';
    const { call } = open(() => result(came));
    const reply = await call("crm__get");
    expect(reply.kind === "result" && reply.bytes.toString()).toBe(came);
  });

  test("is not carried out for a call that has none", async () => {
    const { call, outcomes } = open(() => text(mail));
    expect(readReply(await call("crm__plain"))).toMatchObject({ content: [{ text: mail }] });
    expect(outcomes[0]?.obligations).toBeUndefined();
  });

  test("changes an error result and a JSON-RPC error with its data", async () => {
    const failed = open(() =>
      result({ content: [{ type: "text", text: `no ${mail}` }], isError: true }),
    );
    expect(JSON.stringify(readReply(await failed.call("crm__get")))).not.toContain(mail);
    const broken = open(() => ({
      kind: "error",
      error: { code: -32_000, message: `no ${mail}`, data: { who: [mail] } },
    }));
    expect(readReply(await broken.call("crm__get"))).toMatchObject({
      kind: "error",
      code: -32_000,
      message: "no [redacted]",
      data: { who: ["[redacted]"] },
    });
    expect(broken.outcomes[0]?.obligations?.[0]?.changed).toBe(2);
  });

  test("changes what a resource holds", async () => {
    const { act } = open(() => result({ contents: [{ uri: "x:1", text: mail }] }));
    expect(readReply(await act(read))).toMatchObject({ contents: [{ text: "[redacted]" }] });
  });

  test("changes progress and log messages while it runs", async () => {
    const { heard, hear } = collect();
    const progress: unknown[] = [];
    const { call } = open((wanted) => {
      wanted.onProgress?.({ progress: 1, total: 2, message: `at ${mail}` });
      wanted.onNotification?.({
        method: "notifications/message",
        params: { level: "info", data: { to: mail } },
      });
      return text("done");
    });
    await call("crm__get", { onNotification: hear, onProgress: (told) => progress.push(told) });
    expect(progress).toEqual([{ progress: 1, total: 2, message: "at [redacted]" }]);
    expect(heard).toMatchObject([{ params: { data: { to: "[redacted]" } } }]);
  });

  test("changes a structured result that stays what the output schema says", async () => {
    const structuredContent = { who: mail, age: 4 };
    const { call, outcomes } = open(() => result({ content: [], structuredContent }));
    expect(readReply(await call("crm__typed"))).toMatchObject({
      structuredContent: { who: "[redacted]", age: 0 },
    });
    expect(outcomes[0]?.obligations).toHaveLength(2);
  });

  test("withholds a structured result that would not be valid any more, and says that it ran", async () => {
    const structuredContent = { who: "Bob", age: 4 };
    const { call, outcomes, log } = open(() => result({ content: [], structuredContent }));
    const reply = readReply(await call("crm__untyped"));
    expect(reply).toMatchObject({ isError: true });
    expect(reply["structuredContent"]).toBeUndefined();
    expect(JSON.stringify(reply)).toContain("do not make it again");
    expect(JSON.stringify(reply)).not.toContain("Bob");
    expect(outcomes).toMatchObject([
      { outcome: "completed_withheld", withheld: ["result_withheld"] },
    ]);
    expect(JSON.stringify(log.lines)).toContain("output schema");
  });

  test("withholds what it cannot change, with an error where there is no isError", async () => {
    const { act, outcomes } = open(() =>
      result({ contents: [{ uri: "x:1", text: "x", mimeType: `a/${mail}` }] }),
    );
    const reply = readReply(await act(read));
    expect(reply).toMatchObject({ kind: "error", code: 40_300 });
    expect(JSON.stringify(reply)).not.toContain(mail);
    expect(outcomes).toMatchObject([{ outcome: "completed_withheld" }]);
  });

  test("keeps what its task says out of notices: its result is asked for", async () => {
    const { heard, hear } = collect();
    const { call, gateway, servers } = open((wanted) =>
      wanted.method === "tools/call"
        ? result({ task: { taskId: "t1", status: "working", statusMessage: mail } })
        : undefined,
    );
    const client = legacyClient();
    gateway.listen(client, { hear, ask: undefined });
    const reply = readReply(await call("crm__get", { client, taskJson: "{}" }));
    expect(JSON.stringify(reply)).not.toContain(mail);
    servers["crm"]?.say({
      method: "notifications/tasks/status",
      params: { taskId: "t1", status: "completed", statusMessage: mail, result: { content: mail } },
    });
    expect(heard).toHaveLength(1);
    expect(heard[0]?.params).toMatchObject({ status: "completed" });
    expect(JSON.stringify(heard)).not.toContain(mail);
  });

  test("changes the result of a call that its client was asked in the middle of", async () => {
    const ask = async () => ({ kind: "result", resultJson: '{"action":"accept"}' }) as const;
    const { call } = open(
      async (wanted) => {
        await askIn(wanted, "roots/list", {});
        return text(mail);
      },
      { to_client: ["roots"] },
    );
    expect(readReply(await call("crm__get", { ask }))).toMatchObject({
      content: [{ text: "[redacted]" }],
    });
  });

  test("changes the questions of a modern server and those of its result", async () => {
    const inputRequests = {
      a: {
        method: "elicitation/create",
        params: { message: `Is it ${mail}?`, requestedSchema: {} },
      },
    };
    const { call } = open(() => result({ resultType: "input_required", inputRequests }), {
      to_client: ["elicitation"],
    });
    const client = modernClient({ capabilities: { elicitation: {} } });
    const reply = JSON.stringify(readReply(await call("crm__get", { client })));
    expect(reply).not.toContain(mail);
  });
});

describe("the obligation notify", () => {
  const channels = [
    { name: "pager", url: "https://hooks.example/x", secret: `whsec_${"a".repeat(32)}` },
  ];

  test("tells its channel who called what, signed, and nothing of arguments and results", async () => {
    const sent: { readonly url: unknown; readonly init: RequestInit | undefined }[] = [];
    const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
      sent.push({ url, init });
      return new Response();
    };
    const { act, outcomes } = openGateway({
      servers: { crm: crm(() => text("the result")) },
      policies,
      settings: { notify: { channels } },
      deps: { fetch },
    });
    await act({ type: "tool_call", name: "crm__told", argumentsJson: '{"x":"the argument"}' });
    expect(outcomes).toMatchObject([
      { obligations: [{ changed: 0 }, { id: "tell", type: "notify", changed: 1 }] },
    ]);
    expect(sent).toHaveLength(1);
    const { url, init } = sent[0] ?? {};
    expect(url).toBe("https://hooks.example/x");
    const body = typeof init?.body === "string" ? init.body : "";
    expect(body).not.toMatch(/the (argument|result)/);
    expect(JSON.parse(body)).toMatchObject({
      type: "decision.notice",
      data: { obligation: "tell", user: "alice", server: "crm", tool: "told" },
    });
    expect(new Headers(init?.headers).get("webhook-signature")).toMatch(/^v1,/);
  });

  test("does not hold up a call whose channel hangs", async () => {
    const fetch = async (): Promise<Response> => await new Promise(() => {});
    const { call } = openGateway({
      servers: { crm: crm(() => text("done")) },
      policies,
      settings: { notify: { channels } },
      deps: { fetch },
    });
    expect(readReply(await call("crm__told"))).toMatchObject({ content: [{ text: "done" }] });
  });
});

describe("before a call leaves, it is denied with unknown_obligation", () => {
  test.each(["crm__odd_type", "crm__odd_properties", "crm__told"])("%s", async (name) => {
    const { call, servers, log } = open(() => text("done"));
    const reply = readReply(await call(name));
    expect(reply).toMatchObject({ isError: true });
    expect(JSON.stringify(reply)).toContain("unknown_obligation");
    expect(servers["crm"]?.sent).toEqual([]);
    expect(JSON.stringify(log.lines)).toContain("an obligation cannot be carried out");
  });

  test("a question of a server, whose answer no obligation changes", async () => {
    const refused: unknown[] = [];
    const { call } = open(
      async (wanted) => {
        refused.push(
          await askIn(wanted, "elicitation/create", { message: "?", requestedSchema: {} }),
        );
        return text("done");
      },
      { to_client: ["elicitation"] },
    );
    const ask = async () => ({ kind: "result", resultJson: '{"action":"accept"}' }) as const;
    await call("crm__get", { ask });
    expect(JSON.stringify(refused)).toContain("unknown_obligation");
  });
});
