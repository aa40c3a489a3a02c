/**
 * What an agent hears of servers whose tools nobody knows yet: enough not to take a tool for gone,
 * and nothing from which it learns what is hidden.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { FakeServerSettings } from "./fake-server.ts";
import { tool } from "./fake-server.ts";
import { legacyClient, openGateway, principal, readReply } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = { tools: [tool("get"), tool("hidden_tool")] };
const away = {
  tools: [tool("send")],
  config: { command: "none", start_timeout_ms: 1000 },
};

/** A gateway with servers that never answer their greeting. */
function open(more: Readonly<Record<string, FakeServerSettings>> = { mail: away }) {
  const gateway = openGateway({ servers: { crm, ...more }, policies });
  for (const id of Object.keys(more)) {
    const fake = gateway.servers[id];
    if (fake !== undefined) fake.opening = new Promise(() => {});
  }
  const ask = async (name: string, servers?: ReadonlySet<string>): Promise<string> => {
    const client = legacyClient({ principal: principal("alice", { servers }) });
    const { message } = readReply(await gateway.call(name, { client }));
    return typeof message === "string" ? message : "";
  };
  return { ...gateway, ask };
}

describe("an unknown tool", () => {
  test("is said to be unknown while a server is not available, which is named", async () => {
    const { ask } = open();
    expect(await ask("mail__send")).toBe(
      "Unknown tool: mail__send (not available now, so their tools are not known: mail; try again later)",
    );
  });

  test("and a hidden one are one answer to the letter, whatever is not available", async () => {
    const { ask } = open();
    const hidden = await ask("crm__hidden_tool");
    expect(hidden).toContain("mail");
    expect(hidden.replaceAll("hidden_tool", "X")).toBe(
      (await ask("crm__nothing_tool")).replaceAll("nothing_tool", "X"),
    );
  });

  test("says nothing of servers that are all listed", async () => {
    const { ask } = open({});
    expect(await ask("crm__nothing")).toBe("Unknown tool: crm__nothing");
  });

  test("says nothing of a server that a token, or policy, does not let the agent see", async () => {
    const { ask } = open({ mail: away, hidden: away });
    const outside = await ask("crm__nothing", new Set(["crm"]));
    expect(outside).toBe("Unknown tool: crm__nothing");
    const inside = await ask("crm__nothing");
    expect(inside).toContain("known: mail;");
  });

  test("says nothing of a server whose names do not tell it from the gateway", async () => {
    const bare = { ...away, config: { ...away.config, naming: "bare" } };
    const { ask } = open({ mail: bare });
    expect(await ask("nothing")).toBe("Unknown tool: nothing");
  });

  test("names a few of many", async () => {
    const ids = Array.from({ length: 10 }, (_, at) => `s${at}`);
    const { ask } = open(Object.fromEntries(ids.map((id) => [id, away])));
    expect(await ask("nothing")).toContain("s6, s7 and 2 more;");
  });
});
