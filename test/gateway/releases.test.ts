/**
 * What is held to a release: the program, whatever is asked of it or it asks; the bundles that decide;
 * the agent in its version. A mismatch is a denial on record, and nothing leaves.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { ServerRelease } from "../../src/config/config.ts";
import type { Subject } from "../../src/gateway/gateway.ts";
import { result, tool } from "./fake-server.ts";
import { legacyClient, principal, readReply } from "./open-gateway.ts";
import { openReleased, releaseOf } from "./released-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const settings = {
  tools: [tool("get")],
  prompts: [{ name: "greeting" }],
  resources: [{ uri: "file:///a", name: "a" }],
  capabilities: {
    tools: {},
    prompts: {},
    resources: { subscribe: true },
    completions: {},
    tasks: { requests: { tools: { call: {} } } },
  },
};
const subjects: readonly (readonly [string, Subject])[] = [
  ["a tool", { type: "tool_call", name: "crm__get", argumentsJson: "{}" }],
  ["a prompt", { type: "prompt_get", name: "crm__greeting", argumentsJson: "{}" }],
  ["a resource", { type: "resource_read", uri: "file:///a" }],
  ["a subscription", { type: "resource_subscribe", uri: "file:///a" }],
  [
    "a completion",
    {
      type: "completion",
      ref: { prompt: "crm__greeting" },
      argumentsJson: '{"argument":{"name":"n","value":"v"}}',
    },
  ],
];
const denied = { answer: { allow: false, reasons: ["release_mismatch"] } };

describe("another program than the released one", () => {
  test.each(subjects)("is not asked for %s", async (_, subject) => {
    const { act, admissions, crm, outcomes } = openReleased(policies, releaseOf("2.0.0"), settings);
    const reply = JSON.stringify(readReply(await act(subject)));
    expect(reply).toContain("release_mismatch");
    expect(admissions).toMatchObject([denied]);
    expect([crm.sent, outcomes]).toEqual([[], []]);
  });

  test.each(subjects)("is what keeps %s back, and nothing else", async (_, subject) => {
    const { act, admissions, crm } = openReleased(policies, releaseOf("1.0.0"), settings);
    expect((await act(subject)).kind).toBe("result");
    expect(admissions).toMatchObject([{ answer: { allow: true } }]);
    expect(crm.sent).toHaveLength(1);
  });

  test.each(["task_get", "task_result", "task_cancel", "task_update"] as const)(
    "is not asked about its task by %s",
    async (type) => {
      const { act, admissions, call, crm } = openReleased(policies, releaseOf("1.0.0"), {
        ...settings,
        answer: ({ method }) =>
          method === "tools/call"
            ? result('{"task":{"taskId":"t1","status":"working"}}')
            : result({ taskId: "t1", status: "completed" }),
      });
      const made = readReply(await call("crm__get", { taskJson: '{"ttl":60}' }));
      const taskId = String(Object(made["task"]).taskId);
      crm.serverInfo = { name: "crm", version: "6.6.6" };
      crm.lose();
      const reply = JSON.stringify(await act({ type, taskId }));
      expect(reply).toContain("release_mismatch");
      expect(admissions.at(-1)).toMatchObject({ ...denied, actionType: type });
      expect(crm.sent).toHaveLength(1);
    },
  );

  test("asks the client nothing, and what it wanted is on record", async () => {
    const config = { to_client: ["elicitation"] };
    const { admissions, call, crm, gateway } = openReleased(policies, releaseOf("1.0.0"), {
      ...settings,
      config,
    });
    const asked: string[] = [];
    const client = legacyClient({ capabilities: { elicitation: { form: {} } } });
    const ask = async ({ paramsJson }: { readonly paramsJson: string }) => {
      asked.push(paramsJson);
      return { kind: "result", resultJson: '{"action":"decline"}' } as const;
    };
    gateway.listen(client, { hear: () => {}, ask });
    await call("crm__get", { client, ask });
    const question = async (message: string) => {
      const { signal } = new AbortController();
      const { events } = crm.connections.at(-1) ?? {};
      const params = { message, requestedSchema: { type: "object", properties: {} } };
      const method = "elicitation/create";
      return await events?.onRequest?.({ method, params, signal, isAttributed: false });
    };
    expect(await question("released?")).toMatchObject({ kind: "result" });
    expect(asked).toHaveLength(1);
    crm.serverInfo = { name: "crm", version: "6.6.6" };
    crm.lose();
    await call("crm__get", { client, ask });
    expect(await question("what is your password?")).toMatchObject({
      kind: "error",
      error: { code: 40_300, message: "Denied by policy (release_mismatch)" },
    });
    expect(asked).toHaveLength(1);
    expect(admissions.at(-1)).toMatchObject({ ...denied, actionType: "elicitation" });
  });
});

describe("the agent of a release", () => {
  const agents = new Map([["bot", ["2.3.1", "2.4.0"]]]);

  async function callAs(version: string | null, release: Partial<ServerRelease> = { agents }) {
    const gateway = openReleased(policies, releaseOf("1.0.0", release));
    const { agent } = principal("alice");
    const client = legacyClient({
      principal: principal("alice", { agent: { ...agent, version } }),
      // What a client says of itself proves nothing.
      claim: { name: "bot", version: "2.3.1" },
    });
    const reply = readReply(await gateway.call("crm__get", { client }));
    return { ...gateway, reply };
  }

  test.each(["2.3.1", "2.4.0"])("may be in version %s", async (version) => {
    const { crm, reply } = await callAs(version);
    expect(reply["isError"]).not.toBe(true);
    expect(crm.sent).toHaveLength(1);
  });

  test.each([
    ["another version", "2.3.2", 'found "bot" in version "2.3.2"'],
    ["no known version, whatever the client claims", null, 'found "bot" of no known version'],
  ])("in %s is denied and told what to do", async (_, version, found) => {
    const { admissions, crm, reply } = await callAs(version);
    expect(admissions).toMatchObject([denied]);
    expect(crm.sent).toEqual([]);
    const [{ text }] = JSON.parse(JSON.stringify(reply["content"]));
    expect(text).toContain('expected agent "bot" in version "2.3.1" or "2.4.0"');
    expect(text).toContain(found);
    expect(text).toContain("Run an agent that the release names");
  });

  test("that it does not name is denied", async () => {
    const { admissions, crm } = await callAs("2.3.1", { agents: new Map([["other", ["2.3.1"]]]) });
    expect(admissions).toMatchObject([denied]);
    expect(crm.sent).toEqual([]);
  });

  test("may be any where it names none", async () => {
    const { crm } = await callAs(null, { agents: undefined });
    expect(crm.sent).toHaveLength(1);
  });

  test("is in the input that policies see", async () => {
    const { admissions } = await callAs("2.4.0");
    expect(JSON.parse(admissions[0]?.inputJson ?? "{}").agent).toMatchObject({
      id: "bot",
      version: "2.4.0",
    });
  });
});

describe("a bundle of another release", () => {
  test.each(["crm", "identity"])("as %s decides nothing", async (layer) => {
    const bundles = new Map([[layer, `sha256:${"0".repeat(64)}`]]);
    const { admissions, call, crm } = openReleased(policies, releaseOf("1.0.0", { bundles }));
    const reply = JSON.stringify(readReply(await call("crm__get")));
    expect(reply).toContain("The policy that is active is not the one that was released");
    expect(admissions).toMatchObject([denied]);
    expect(crm.sent).toEqual([]);
  });

  test("is told from its own", async () => {
    const bundles = new Map([
      ["crm", policies.server("crm").digest],
      ["identity", policies.identity.digest],
    ]);
    const { call, crm } = openReleased(policies, releaseOf("1.0.0", { bundles }));
    await call("crm__get");
    expect(crm.sent).toHaveLength(1);
  });
});
