import { beforeAll, describe, expect, test } from "vitest";
import type { BlockKind } from "../../../src/gateway/blocks/block.ts";
import type { Blocks } from "../../../src/gateway/blocks/blocks.ts";
import type { ActionRequest, Subject } from "../../../src/gateway/gateway.ts";
import { eventually } from "../../support/eventually.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { result, text, tool } from "../fake-server.ts";
import {
  collect,
  legacyClient,
  modernClient,
  openGateway,
  readReply,
  stateOf,
} from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm: FakeServerSettings = {
  tools: [tool("get"), tool("put"), tool("hidden_tool")],
  prompts: [{ name: "greet" }],
  resources: [{ uri: "file:///a", name: "a" }],
};
const mail: FakeServerSettings = { tools: [tool("send")] };

const open = (more: Partial<FakeServerSettings> = {}) =>
  openGateway({ servers: { crm: { ...crm, ...more }, mail }, policies });

async function block({ blocks }: { readonly blocks: Blocks }, kind: BlockKind, id: string) {
  return await blocks.block({ subject: { kind, id }, by: "carol", reason: null }, undefined);
}

async function lift({ blocks }: { readonly blocks: Blocks }, kind: BlockKind, id: string) {
  return await blocks.lift({ subject: { kind, id }, by: "carol", reason: "done" });
}

const subjects: readonly (readonly [BlockKind, string])[] = [
  ["agent", "bot"],
  ["user", "alice"],
  ["server", "crm"],
  ["tool", "crm/get"],
];

describe.each(subjects)("a blocked %s %s", (kind, id) => {
  test("is refused before its policy is asked, on record, and nothing leaves", async () => {
    const gateway = open();
    expect((await gateway.call("crm__get")).kind).toBe("result");
    await block(gateway, kind, id);
    const before = gateway.servers["crm"]?.sent.length;
    const reply = readReply(await gateway.call("crm__get"));
    expect(reply).toMatchObject({ isError: true });
    expect(JSON.stringify(reply)).toContain("blocked");
    expect(gateway.servers["crm"]?.sent).toHaveLength(before ?? -1);
    const denial = gateway.admissions.at(-1);
    expect(denial).toMatchObject({ server: "crm", tool: "get", layers: [] });
    expect(denial?.answer).toMatchObject({ allow: false, reasons: ["blocked"] });
  });

  test("answers like an unknown tool where policy hides it", async () => {
    const gateway = open();
    await block(gateway, kind, kind === "tool" ? "crm/hidden_tool" : id);
    const [hidden, unknown] = [
      await gateway.call("crm__hidden_tool"),
      await gateway.call("crm__nothing_tool"),
    ];
    expect(hidden).toMatchObject({ kind: "error", code: -32_602 });
    const named = JSON.stringify(hidden).replaceAll("hidden_tool", "nothing_tool");
    expect(JSON.parse(named)).toEqual(readReply(unknown));
    expect(gateway.admissions.at(0)?.answer.reasons).not.toContain("blocked");
  });

  test("works again when the block is lifted", async () => {
    const gateway = open();
    await block(gateway, kind, id);
    expect(readReply(await gateway.call("crm__get"))).toMatchObject({ isError: true });
    await lift(gateway, kind, id);
    expect(readReply(await gateway.call("crm__get"))).not.toHaveProperty("isError");
  });

  test("tells a client whom, and neither by whom nor why", async () => {
    const gateway = open();
    const subject = { kind, id };
    await gateway.blocks.block({ subject, by: "carol", reason: "it leaks" }, undefined);
    const said = JSON.stringify(readReply(await gateway.call("crm__get")));
    expect(said).toContain(`${kind} ${id}`);
    expect(said).not.toMatch(/carol|leaks/);
  });
});

describe("a block names one thing", () => {
  test.each([
    ["agent", "bo"],
    ["agent", "alice"],
    ["user", "bot"],
    ["server", "mail"],
    ["tool", "crm/put"],
    ["tool", "mail/get"],
  ] as const)("and %s %s is another", async (kind, id) => {
    const gateway = open();
    await block(gateway, kind, id);
    expect(readReply(await gateway.call("crm__get"))).not.toHaveProperty("isError");
  });

  test("and stops prompts, resources and completions as well as tools", async () => {
    const gateway = open();
    await block(gateway, "server", "crm");
    const others: readonly Subject[] = [
      { type: "prompt_get", name: "crm__greet", argumentsJson: "{}" },
      { type: "resource_read", uri: "file:///a" },
      { type: "resource_subscribe", uri: "file:///a" },
      { type: "completion", ref: { prompt: "crm__greet" }, argumentsJson: "{}" },
    ];
    for (const subject of others) {
      expect(await gateway.act(subject)).toMatchObject({ kind: "error", code: 40_300 });
      expect(gateway.admissions.at(-1)?.answer.reasons).toEqual(["blocked"]);
    }
    expect(gateway.servers["crm"]?.sent).toEqual([]);
  });
});

describe("lists of a client", () => {
  test.each(["agent", "user"] as const)("are empty while its %s is blocked", async (kind) => {
    const gateway = open();
    const client = legacyClient();
    const count = async () => (await gateway.gateway.list(client, "tools")).items.length;
    const ear = collect();
    gateway.gateway.listen(client, { hear: ear.hear, ask: undefined });
    const before = await count();
    expect(before).toBeGreaterThan(0);
    await block(gateway, kind, kind === "agent" ? "bot" : "alice");
    expect(await count()).toBe(0);
    expect(ear.heard.map(({ method }) => method)).toContain("notifications/tools/list_changed");
    await lift(gateway, kind, kind === "agent" ? "bot" : "alice");
    expect(await count()).toBe(before);
  });

  test("go on to show a blocked tool: it is refused, not gone", async () => {
    const gateway = open();
    const names = async () => {
      const { items } = await gateway.gateway.list(legacyClient(), "tools");
      return items.map(({ name }) => name);
    };
    const before = await names();
    await block(gateway, "tool", "crm/get");
    expect(await names()).toEqual(before);
  });
});

describe("what is under way", () => {
  const waiting = () => {
    let arrived = (): void => {};
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const answer: FakeServerSettings["answer"] = ({ method, signal }) => {
      if (method !== "tools/call") return undefined;
      arrived();
      return new Promise((resolve) => {
        const give = (): void => resolve({ kind: "failed", code: "cancelled", message: "" });
        signal?.addEventListener("abort", give);
      });
    };
    return { isThere, answer };
  };

  test.each(subjects)("is cancelled when its %s %s is blocked", async (kind, id) => {
    const { isThere, answer } = waiting();
    const gateway = open({ answer });
    const reply = gateway.call("crm__get");
    await isThere;
    await block(gateway, kind, id);
    const said = JSON.stringify(readReply(await reply));
    expect(said).toContain("it may have run");
    expect(said).toContain("blocked");
    expect(gateway.outcomes).toMatchObject([{ outcome: "cancelled" }]);
  });

  test("goes on when something else is blocked, and is cancelled by its client as ever", async () => {
    const { isThere, answer } = waiting();
    const gateway = open({ answer });
    const course = new AbortController();
    const reply = gateway.call("crm__get", { signal: course.signal });
    await isThere;
    await block(gateway, "agent", "another");
    expect(gateway.outcomes).toEqual([]);
    course.abort();
    expect(await reply).toEqual({ kind: "cancelled" });
  });

  test("is not sent where it was blocked while its decision was written", async () => {
    const gateway = open();
    gateway.disk.admit = async () => {
      await block(gateway, "agent", "bot");
    };
    const said = JSON.stringify(readReply(await gateway.call("crm__get")));
    expect(said).toContain("it was not sent");
    expect(gateway.servers["crm"]?.sent).toEqual([]);
    expect(gateway.outcomes).toMatchObject([{ outcome: "not_forwarded" }]);
  });

  test("of a subscription ends, and what a server says is not passed on", async () => {
    const gateway = open();
    const client = legacyClient();
    const ear = collect();
    gateway.gateway.listen(client, { hear: ear.hear, ask: undefined });
    await gateway.act({ type: "resource_subscribe", uri: "file:///a" }, { client });
    await block(gateway, "user", "alice");
    const server = gateway.servers["crm"];
    await eventually(
      () => server?.sent.some(({ method }) => method === "resources/unsubscribe") ?? false,
    );
    ear.heard.length = 0;
    const method = "notifications/resources/updated";
    server?.say({ method, params: { uri: "file:///a" } });
    server?.say({ method: "notifications/message", params: { level: "error", data: "x" } });
    expect(ear.heard).toEqual([]);
  });
});

describe("a server that asks in the middle of a call", () => {
  const asking: FakeServerSettings = {
    ...crm,
    config: { to_client: ["elicitation"] },
    answer: ({ method, onRequest, signal }) => {
      if (method !== "tools/call" || onRequest === undefined) return undefined;
      const question = {
        method: "elicitation/create",
        params: { message: "Sure?", requestedSchema: { type: "object", properties: {} } },
        isAttributed: true,
        signal: signal ?? new AbortController().signal,
      };
      return onRequest(question).then((said) =>
        signal?.aborted === true
          ? { kind: "failed", code: "cancelled", message: "" }
          : text(said.kind),
      );
    },
  };
  const client = modernClient({ capabilities: { elicitation: {} } });

  test.each(subjects)(
    "is given up when its %s %s is blocked, and so is a return",
    async (...of) => {
      const gateway = open(asking);
      const first = await gateway.call("crm__get", { client });
      const requestState = stateOf(first);
      await block(gateway, ...of);
      // At once, and not with the client's return.
      await eventually(() => gateway.servers["crm"]?.sent.at(-1)?.signal?.aborted === true);
      const inputResponsesJson = '{"elicitation_create_1":{"action":"accept","content":{}}}';
      const back: Partial<ActionRequest> = { client, requestState, inputResponsesJson };
      const said = JSON.stringify(readReply(await gateway.call("crm__get", back)));
      expect(said).toContain("blocked");
    },
  );

  test("goes on when another tool of its server is blocked", async () => {
    const gateway = open(asking);
    const first = await gateway.call("crm__get", { client });
    await block(gateway, "tool", "crm/put");
    const inputResponsesJson = '{"elicitation_create_1":{"action":"accept","content":{}}}';
    const back = { client, requestState: stateOf(first), inputResponsesJson };
    expect(readReply(await gateway.call("crm__get", back))).not.toHaveProperty("isError");
  });

  test("is refused unprompted questions to a blocked client", async () => {
    const gateway = open({ ...asking, answer: () => result({}) });
    const asked: unknown[] = [];
    const questioned = legacyClient({ capabilities: { elicitation: {} } });
    await gateway.call("crm__get", { client: questioned });
    gateway.gateway.listen(questioned, {
      hear: () => {},
      ask: async (question) => {
        asked.push(question);
        return { kind: "result", resultJson: '{"action":"accept"}' };
      },
    });
    await block(gateway, "user", "alice");
    const connection = gateway.servers["crm"]?.connections.at(-1);
    const answer = await connection?.events.onRequest?.({
      method: "elicitation/create",
      params: { message: "Sure?", requestedSchema: { type: "object", properties: {} } },
      isAttributed: false,
      signal: new AbortController().signal,
    });
    expect(answer).toMatchObject({ kind: "error", error: { code: 40_300 } });
    expect(asked).toEqual([]);
  });
});
