import { beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { ActionRequest, Subject } from "../../../src/gateway/gateway.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { result, tool } from "../fake-server.ts";
import { legacyClient, openGateway, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const link = { type: "resource_link", uri: "note://unlisted/7", name: "n" };
const notes: FakeServerSettings = {
  tools: [tool("search")],
  prompts: [{ name: "greet" }],
  resources: [{ uri: "note://listed", name: "l" }],
  resourceTemplates: [{ uriTemplate: "tpl://{id}", name: "t" }],
  answer: ({ method }) => (method === "tools/call" ? result({ content: [link] }) : undefined),
};
const crm: FakeServerSettings = {
  tools: [tool("get"), tool("a__b")],
  prompts: [{ name: "greet" }],
};

const read = (uri: string): Subject => ({ type: "resource_read", uri });
const complete = (ref: { prompt: string } | { uri: string }): Subject => ({
  type: "completion",
  ref,
  argumentsJson: '{"argument":{"name":"id","value":"b"},"context":{"arguments":{"n":1.50}}}',
});

function open(servers: Readonly<Record<string, FakeServerSettings>> = { notes, crm }) {
  const gateway = openGateway({ servers, policies });
  /** Where a request went, and as what policy judged it. */
  const trace = async (subject: Subject, more: Partial<ActionRequest> = {}) => {
    const { length } = gateway.admissions;
    const reply = await gateway.act(subject, more);
    const record = gateway.admissions[length];
    const { action }: { action: JsonObject } = JSON.parse(record?.inputJson ?? "{}");
    const sent = Object.values(gateway.servers).flatMap((fake) => fake.sent.splice(0));
    return { reply, server: record?.server, action, sent: sent[0] };
  };
  return { ...gateway, trace };
}

describe("a name", () => {
  test("of a tool is looked up whole, whatever separators it has", async () => {
    const { trace } = open();
    const subject = (name: string): Subject => ({ type: "tool_call", name, argumentsJson: "{}" });
    expect(await trace(subject("crm__a__b"))).toMatchObject({
      server: "crm",
      action: { tool: "a__b" },
    });
    for (const name of ["get", "crm__", "__get", "crm__get ", "CRM__get", "crm/get", "crm__a"]) {
      expect((await trace(subject(name))).reply).toMatchObject({ code: -32_602 });
    }
  });

  test("of a prompt is one server's", async () => {
    const { trace } = open();
    const subject = (name: string): Subject => ({ type: "prompt_get", name, argumentsJson: "{}" });
    expect(await trace(subject("notes__greet"))).toMatchObject({
      server: "notes",
      sent: { method: "prompts/get", params: { name: '"greet"' } },
    });
    expect((await trace(subject("notes__search"))).reply).toMatchObject({ kind: "error" });
  });
});

describe("a URI", () => {
  test("that was listed is judged with the digest of its definition", async () => {
    const { trace } = open();
    const { action } = await trace(read("note://listed"));
    expect(action).toMatchObject({ type: "resource_read", uri: "note://listed" });
    expect(action["definition_digest"]).toMatch(/^sha256:/);
  });

  test("that fits a template is its server's", async () => {
    const { trace } = open();
    expect(await trace(read("tpl://7"))).toMatchObject({
      server: "notes",
      action: { uri: "tpl://7" },
    });
  });

  test("that a result mentioned is for whom it was mentioned to, and for nobody else", async () => {
    const { trace, call } = open();
    expect((await trace(read(link.uri))).reply).toMatchObject({ kind: "error" });
    await call("notes__search");
    expect(await trace(read(link.uri))).toMatchObject({
      reply: { kind: "result" },
      server: "notes",
    });
    const bob = legacyClient({ principal: principal("bob") });
    expect((await trace(read(link.uri), { client: bob })).reply).toMatchObject({ kind: "error" });
  });

  test("of a server with a prefix is taken apart where the server is configured so", async () => {
    const prefixed = { ...notes, config: { resources: "prefix" } };
    const { trace, call } = open({ notes: prefixed, crm });
    expect(await trace(read("mcp-notes+note://any"))).toMatchObject({
      server: "notes",
      sent: { params: { uri: '"note://any"' } },
    });
    for (const uri of ["note://listed", "mcp-crm+note://any", "mcp-none+x:a"]) {
      expect((await trace(read(uri))).reply).toMatchObject({ kind: "error" });
    }
    const reply = readReply(await call("notes__search"));
    expect(reply).toMatchObject({ content: [{ uri: `mcp-notes+${link.uri}` }] });
  });

  test("that two servers list is nobody's", async () => {
    const { trace, gateway } = open({ notes, again: notes });
    await gateway.ready;
    expect((await trace(read("note://listed"))).reply).toMatchObject({ kind: "error" });
  });

  test("of one server alone is that server's, whatever it is", async () => {
    const { trace } = open({ notes });
    expect(await trace(read("any:thing"))).toMatchObject({ server: "notes" });
  });
});

describe("a completion", () => {
  test("is about a prompt that the agent may see, under the server's own name", async () => {
    const { trace } = open();
    expect(await trace(complete({ prompt: "notes__greet" }))).toMatchObject({
      action: { type: "completion", prompt: "greet" },
      sent: {
        method: "completion/complete",
        params: {
          ref: '{"type":"ref/prompt","name":"greet"}',
          argument: '{"name":"id","value":"b"}',
          context: '{"arguments":{"n":1.5}}',
        },
      },
    });
  });

  test("is about a template, exact, or about a resource", async () => {
    const { trace } = open();
    expect(await trace(complete({ uri: "tpl://{id}" }))).toMatchObject({
      action: { type: "completion", uri_template: "tpl://{id}" },
      sent: { params: { ref: '{"type":"ref/resource","uri":"tpl://{id}"}' } },
    });
    expect(await trace(complete({ uri: "note://listed" }))).toMatchObject({
      action: { type: "completion", uri: "note://listed" },
    });
    expect((await trace(complete({ uri: "none://{id}" }))).reply).toMatchObject({
      message: "Unknown reference: none://{id}",
    });
  });
});
