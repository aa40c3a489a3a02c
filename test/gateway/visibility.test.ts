import { beforeAll, describe, expect, test } from "vitest";
import type { PolicyEngine } from "../../src/policy/engine/policy-engine.ts";
import { testEngine } from "../policy/engine/policies.ts";
import { tool } from "./fake-server.ts";
import { legacyClient, modernClient, openGateway, principal } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = {
  tools: [tool("get"), tool("hidden_tool"), tool("staff_tool"), tool("denied_tool")],
  prompts: [{ name: "greet" }, { name: "denied_prompt" }],
  resources: [{ uri: "file:///a", name: "a" }],
  resourceTemplates: [{ uriTemplate: "note://{id}", name: "n" }],
};
const hidden = {
  tools: [tool("a")],
  prompts: [{ name: "b" }],
  resources: [{ uri: "x:c", name: "c" }],
};

/** A gateway that counts what its engine is asked about visibility. */
function open(servers: Parameters<typeof openGateway>[0]["servers"] = { crm, hidden }) {
  const engine = testEngine();
  const asked: string[] = [];
  const broken = { isBroken: false };
  const counting: PolicyEngine = {
    ...engine,
    visibility: async (request) => {
      asked.push(...request.inputs);
      if (!broken.isBroken) return await engine.visibility(request);
      const layer = { name: "identity", kind: "identity", revision: "1", digest: "" } as const;
      const verdict = { ok: false, layer, code: "policy_timeout", message: "slow" } as const;
      return request.inputs.map(() => ({ verdicts: [verdict], canaries: [] }));
    },
  };
  const gateway = openGateway({ servers, policies, deps: { engine: counting } });
  const names = async (
    kind: "tools" | "prompts" | "resources" | "resourceTemplates",
    client = legacyClient(),
  ) => {
    const { items } = await gateway.gateway.list(client, kind);
    return items.map(({ name, uri, uriTemplate }) => uri ?? uriTemplate ?? name);
  };
  return { ...gateway, asked, broken, names };
}

const staff = (groups: readonly string[], more: object = {}) =>
  legacyClient({
    principal: principal("alice", {
      user: { id: "alice", groups, data_classifications_authorized: [] },
      ...more,
    }),
  });

describe("a list", () => {
  test("has what policy lets the agent see, under the names that clients use", async () => {
    const { names } = open();
    expect(await names("tools")).toEqual(["crm__get", "crm__denied_tool"]);
    expect(await names("prompts")).toEqual(["crm__greet", "crm__denied_prompt"]);
    expect(await names("resources")).toEqual(["file:///a"]);
    expect(await names("resourceTemplates")).toEqual(["note://{id}"]);
  });

  test("has what the servers have that the token names", async () => {
    const { names } = open({ crm, mail: { tools: [tool("send")] } });
    const narrow = staff([], { servers: new Set(["mail"]) });
    expect(await names("tools", narrow)).toEqual(["mail__send"]);
    for (const kind of ["prompts", "resources", "resourceTemplates"] as const) {
      expect(await names(kind, narrow)).toEqual([]);
    }
    expect(await names("tools", staff([], { servers: new Set([]) }))).toEqual([]);
  });

  test("is one version as long as nothing changes, in both eras", async () => {
    const { gateway } = open();
    const versions = [];
    for (const client of [legacyClient(), modernClient(), staff(["staff"])]) {
      versions.push((await gateway.list(client, "tools")).version);
    }
    expect(new Set(versions).size).toBe(1);
  });

  test("shows a tool's schema in the words of the client's era", async () => {
    const odd = tool("odd", { execution: { taskSupport: "optional" } });
    const { gateway } = open({ crm: { tools: [odd] } });
    const [modern] = (await gateway.list(modernClient(), "tools")).items;
    const [legacy] = (await gateway.list(legacyClient(), "tools")).items;
    expect(modern).not.toHaveProperty("execution");
    expect(legacy).toHaveProperty("execution");
  });
});

describe("what an agent may see", () => {
  test("is asked once for each thing, for lists and for actions together", async () => {
    const { names, call, asked } = open();
    await names("tools");
    expect(asked).toHaveLength(5);
    await names("tools");
    await call("crm__get");
    await call("crm__hidden_tool");
    expect(asked).toHaveLength(5);
  });

  test("is asked on an input without arguments, client, conversation and time", async () => {
    const { call, asked } = open();
    await call("crm__get");
    const input = JSON.parse(asked[0] ?? "");
    expect(input).toMatchObject({ version: 1, phase: "list", action: { tool: "get" } });
    expect(input.action).not.toHaveProperty("args");
    expect(input.agent).not.toHaveProperty("client");
    expect(input).not.toHaveProperty("context");
    expect(input.environment).not.toHaveProperty("time");
  });

  test("is asked anew for the same ids with other groups, classes or agent", async () => {
    const { names, asked } = open({ crm });
    expect(await names("tools", staff([]))).not.toContain("crm__staff_tool");
    const before = asked.length;
    expect(await names("tools", staff(["staff"]))).toContain("crm__staff_tool");
    expect(asked.length).toBe(2 * before);
    expect(await names("tools", staff([]))).not.toContain("crm__staff_tool");
    expect(asked.length).toBe(2 * before);
    const authorized = { id: "alice", groups: [], data_classifications_authorized: ["secret"] };
    await names("tools", staff([], { user: authorized }));
    expect(asked.length).toBe(3 * before);
    await names("tools", staff([], { agent: { ...principal("alice").agent, scope: "other" } }));
    expect(asked.length).toBe(4 * before);
  });

  test("is nothing where a layer fails, and asked again the next time", async () => {
    const { names, broken, call, admissions } = open({ crm });
    broken.isBroken = true;
    expect(await names("tools")).toEqual([]);
    expect(await call("crm__get")).toMatchObject({ kind: "error", code: -32_602 });
    expect(admissions).toMatchObject([{ answer: { allow: false } }]);
    broken.isBroken = false;
    expect(await names("tools")).toContain("crm__get");
  });

  test("is asked in portions, each within one deadline, and answered in order", async () => {
    const tools = Array.from({ length: 120 }, (_, at) =>
      tool(at % 3 === 0 ? `hidden_${at}` : `t${at}`),
    );
    const { names } = open({ crm: { tools } });
    const seen = await names("tools");
    expect(seen).toHaveLength(80);
    expect(seen.every((name) => !String(name).includes("hidden"))).toBe(true);
  });
});
