import { beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { ClientQuestion, ClientReply } from "../../../src/gateway/gateway.ts";
import type { ClientAnswer } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { askIn, text, tool } from "../fake-server.ts";
import { legacyClient, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const all = { to_client: ["sampling", "elicitation", "roots"] };
const able = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };

interface Asking {
  readonly method?: string;
  readonly params?: JsonObject;
  readonly config?: object;
  readonly capabilities?: JsonObject;
  readonly reply?: ClientReply;
  readonly disk?: () => Promise<void>;
  /** Aborts when the server takes its question back. */
  readonly signal?: AbortSignal;
}

/** A legacy server that asks once in the middle of a call of a legacy client. */
async function ask({
  method = "elicitation/create",
  params = { message: "which one?", requestedSchema: { type: "object", properties: {} } },
  config = all,
  capabilities = able,
  reply = { kind: "result", resultJson: '{"action":"accept","content":{"n":1.50}}' },
  disk,
  signal,
}: Asking) {
  const answers: ClientAnswer[] = [];
  const asked: ClientQuestion[] = [];
  const crm: FakeServerSettings = {
    tools: [tool("get")],
    config,
    answer: async (wanted) => {
      if (disk !== undefined) gateway.disk.admit = disk;
      answers.push(await askIn(wanted, method, params, signal));
      return text("done");
    },
  };
  const gateway = openGateway({ servers: { crm }, policies });
  const ended = await gateway.call("crm__get", {
    client: legacyClient({ capabilities }),
    ask: async (question) => {
      asked.push(question);
      gateway.events.push("asked");
      return reply;
    },
  });
  const sentTo = asked.map(({ paramsJson }): JsonObject => JSON.parse(paramsJson));
  return { ...gateway, answer: answers[0], asked, sentTo, ended };
}

const methodNotFound = { kind: "error", error: { code: -32_601, message: "Method not found" } };

describe("a question of a server", () => {
  test.each([
    ["sampling/createMessage", "sampling", { messages: [], maxTokens: 5 }],
    ["elicitation/create", "elicitation", { message: "which?" }],
    ["roots/list", "roots_list", {}],
  ])("%s is decided and on record before the client sees it", async (method, type, params) => {
    const { answer, admissions, events, outcomes } = await ask({ method, params });
    expect(answer).toEqual({
      kind: "result",
      resultJson: '{"action":"accept","content":{"n":1.50}}',
    });
    expect(events).toEqual([
      "admit",
      "sent tools/call",
      "admit",
      "asked",
      "settle completed",
      // The answer, before the server gets it; then the call itself.
      "admit",
      "settle completed",
      "settle completed",
    ]);
    const { action } = JSON.parse(admissions[1]?.inputJson ?? "");
    expect(action).toMatchObject({ type, direction: "to_client", tool: "get", message: params });
    expect(admissions[1]).toMatchObject({ actionType: type, server: "crm", exposedName: method });
    expect(outcomes[0]?.decisionId).toBe(admissions[1]?.decisionId);
  });

  test.each([
    ["sampling/createMessage", ["elicitation", "roots"]],
    ["elicitation/create", ["sampling", "roots"]],
    ["roots/list", ["sampling", "elicitation"]],
  ])(
    "%s that the operator does not list is denied, whatever policy grants",
    async (method, to_client) => {
      const { answer, asked, admissions } = await ask({ method, config: { to_client } });
      expect(answer).toMatchObject({ kind: "error", error: { code: 40_300 } });
      expect(JSON.stringify(answer)).toContain("not_offered_to_client");
      expect(asked).toEqual([]);
      expect(admissions[1]?.answer.reasons).toEqual(["not_offered_to_client"]);
    },
  );

  test("that the operator does not list is on record without its words", async () => {
    const params = { message: "a secret", pad: "x".repeat(20_000) };
    const { admissions } = await ask({ params, config: {} });
    const { inputJson = "", exposedName } = admissions[1] ?? {};
    expect(exposedName).toBe("elicitation/create");
    expect(inputJson).not.toContain("secret");
    expect(inputJson.length).toBeLessThan(2000);
    const { action } = JSON.parse(inputJson);
    expect(action).toMatchObject({ type: "elicitation" });
    expect(action).not.toHaveProperty("message");
  });

  test("that policy refuses is answered with the reason and asked of nobody", async () => {
    const { answer, asked, ended } = await ask({ params: { message: "forbidden" } });
    expect(JSON.stringify(answer)).toContain("question_refused");
    expect(asked).toEqual([]);
    expect(readReply(ended)).toMatchObject({ kind: "result" });
  });

  test("that cannot be recorded is asked of nobody", async () => {
    const { answer, asked } = await ask({ disk: () => Promise.reject(new Error("disk full")) });
    expect(JSON.stringify(answer)).toContain("audit_unavailable");
    expect(asked).toEqual([]);
  });

  test.each([
    ["a password in a form", { requestedSchema: { properties: { userPassword: {} } } }],
    ["an API key by its title", { requestedSchema: { properties: { a: { title: "API key" } } } }],
    ["a PIN", { requestedSchema: { properties: { pin: {} } } }],
    ["a visit to an unprotected page", { mode: "url", url: "http://evil.example/" }],
    ["a visit to a page with credentials", { mode: "url", url: "https://a:b@evil.example/" }],
    ["a visit to nowhere", { mode: "url", url: "no url" }],
    ["a script", { mode: "url", url: "javascript:alert(1)" }],
  ])("for %s is unsafe", async (_, more) => {
    const { answer, asked, admissions } = await ask({ params: { message: "m", ...more } });
    expect(JSON.stringify(answer)).toContain("unsafe_elicitation");
    expect(asked).toEqual([]);
    expect(admissions[1]?.answer.reasons).toEqual(["unsafe_elicitation"]);
  });

  test.each([
    ["a form of harmless fields", { requestedSchema: { properties: { shipping: {} } } }],
    ["a protected page", { mode: "url", url: "https://pay.example/x" }],
    ["a page of this machine", { mode: "url", url: "http://127.0.0.1:8080/x" }],
  ])("for %s is asked", async (_, more) => {
    const { asked } = await ask({ params: { message: "m", ...more } });
    expect(asked).toHaveLength(1);
  });

  test("says which server asks, and carries no progress token of its own", async () => {
    const { sentTo } = await ask({
      params: { message: "which?", _meta: { progressToken: 7, "vendor/x": 1 } },
    });
    expect(sentTo).toEqual([{ message: "[crm] which?", _meta: { "vendor/x": 1 } }]);
    const alone = await ask({ params: { message: "which?", _meta: { progressToken: 7 } } });
    expect(alone.sentTo).toEqual([{ message: "[crm] which?" }]);
  });

  test("of a server with bare names keeps its words", async () => {
    const crm: FakeServerSettings = {
      tools: [tool("get")],
      config: { ...all, naming: "bare" },
      answer: async (wanted) => {
        await askIn(wanted, "elicitation/create", { message: "which?" });
        return text("done");
      },
    };
    const gateway = openGateway({ servers: { crm }, policies });
    const sentTo: string[] = [];
    await gateway.call("get", {
      client: legacyClient({ capabilities: able }),
      ask: async ({ paramsJson }) => {
        sentTo.push(paramsJson);
        return { kind: "result", resultJson: "{}" };
      },
    });
    expect(sentTo).toEqual(['{"message":"which?"}']);
  });

  test("that no server may ask is answered as unknown and not on record", async () => {
    const { answer, admissions } = await ask({ method: "vendor/ask" });
    expect(answer).toEqual(methodNotFound);
    expect(admissions).toHaveLength(1);
  });

  test.each(["sampling/createMessage", "elicitation/create", "roots/list"])(
    "%s that the client did not declare is not asked, and that is on record",
    async (method) => {
      const { answer, asked, outcomes } = await ask({ method, capabilities: {} });
      expect(answer).toEqual(methodNotFound);
      expect(asked).toEqual([]);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(["not_forwarded", "completed"]);
    },
  );

  test("for roots is answered with the configured ones, whatever the client has", async () => {
    const config = { ...all, roots: [{ uri: "file:///work", name: "work" }] };
    const { answer, asked, outcomes } = await ask({ method: "roots/list", config });
    expect(answer).toEqual({
      kind: "result",
      resultJson: '{"roots":[{"uri":"file:///work","name":"work"}]}',
    });
    expect(asked).toEqual([]);
    expect(outcomes[0]?.outcome).toBe("completed");
    const undeclared = await ask({ method: "roots/list", config, capabilities: {} });
    expect(undeclared.answer).toMatchObject({ kind: "result" });
  });

  test("that the client refuses to answer is a tool error on record", async () => {
    const { answer, outcomes } = await ask({
      reply: { kind: "error", code: -1, message: "user rejected" },
    });
    expect(answer).toEqual({ kind: "error", error: { code: -1, message: "user rejected" } });
    expect(outcomes[0]?.outcome).toBe("tool_error");
  });

  test("hands on the signal with which the server takes it back", async () => {
    const { signal } = new AbortController();
    const { asked } = await ask({ signal });
    expect(asked[0]?.signal).toBe(signal);
  });
});

describe("an error that asks a person to open a page", () => {
  async function fail(url: string, config: object = all, count = 1) {
    const crm: FakeServerSettings = {
      tools: [tool("get")],
      config,
      answer: () => ({
        kind: "error",
        error: {
          code: -32_042,
          message: "open it",
          data: {
            elicitations: Array.from({ length: count }, () => ({
              url,
              message: "pay",
              elicitationId: "1",
            })),
          },
        },
      }),
    };
    const gateway = openGateway({ servers: { crm }, policies });
    const client = legacyClient({ capabilities: able });
    const reply = await gateway.call("crm__get", {
      client,
      ask: async () => ({ kind: "error", code: 1, message: "" }),
    });
    return { ...gateway, reply };
  }

  test("passes where the elicitation would, and is on record as one", async () => {
    const { reply, admissions } = await fail("https://pay.example/");
    expect(reply).toMatchObject({ kind: "error", code: -32_042 });
    expect(admissions.map(({ actionType }) => actionType)).toEqual(["tool_call", "elicitation"]);
  });

  test("does not where it names more pages than 64, and none is decided", async () => {
    const { reply, admissions } = await fail("https://pay.example/", all, 65);
    expect(reply).toMatchObject({ kind: "error", code: -32_603, data: { code: "input_refused" } });
    expect(admissions).toHaveLength(1);
  });

  test.each([
    ["the operator does not list elicitation", "https://pay.example/", {}],
    ["the page is not protected", "http://pay.example/", all],
    ["policy refuses it", "https://forbidden.example/", all],
  ])("does not where %s", async (_, url, config) => {
    const { reply } = await fail(url, config);
    expect(reply).toMatchObject({ kind: "error", code: -32_603, data: { code: "input_refused" } });
    expect(JSON.stringify(reply)).not.toContain("example");
  });
});
