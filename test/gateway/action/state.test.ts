/**
 * What a decision needs to know of the past, and what the future needs to know of it: without
 * either nothing is done.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "../fake-server.ts";
import { alice, legacyClient, openGateway, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = {
  tools: [tool("get"), tool("plain")],
  config: { tools: { get: { data_classes: ["customer_data"], labels: ["vetted"] } } },
};
const open = () => openGateway({ servers: { crm }, policies });
const conversations = (stateDir: string) => join(stateDir, "conversations");

function journalOf(stateDir: string): string {
  const folder = join(conversations(stateDir), alice.key);
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
}

describe("the conversation of a principal", () => {
  test("knows what an action brings before its request leaves", async () => {
    const { call, stateDir, servers } = open();
    const fake = servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    let known = "";
    fake.answer = () => {
      known = journalOf(stateDir);
      return undefined;
    };
    await call("crm__get");
    expect(known).toContain("customer_data");
    expect(known).toContain("vetted");
    await call("crm__plain");
    expect(known).toContain("untrusted_content");
  });

  test("is in the input of the next decision, and in nobody else's", async () => {
    const { call, admissions } = open();
    await call("crm__get");
    await call("crm__get");
    await call("crm__get", { client: legacyClient({ principal: principal("bob") }) });
    const contexts = admissions.map(({ inputJson }) => JSON.parse(inputJson).context);
    expect(
      contexts.map(({ turn_count, data_classes_seen }) => [turn_count, data_classes_seen]),
    ).toEqual([
      [0, []],
      [1, ["customer_data"]],
      [0, []],
    ]);
  });

  test("counts what was sent in bytes, whatever its letters", async () => {
    const { act, admissions } = open();
    // 40 letters of 3 bytes, and the six bytes around them: 126 bytes are 32 tokens.
    const argumentsJson = JSON.stringify({ a: "\u20ac".repeat(40) });
    await act({ type: "tool_call", name: "crm__get", argumentsJson });
    await act({ type: "tool_call", name: "crm__nothing", argumentsJson });
    await act({ type: "tool_call", name: "crm__plain", argumentsJson: "{}" });
    const { context } = JSON.parse(admissions.at(-1)?.inputJson ?? "");
    const result = Buffer.byteLength('{"content":[{"type":"text","text":"done"}]}');
    const sent = Buffer.byteLength(argumentsJson);
    expect(context.cumulative_tokens).toBe(Math.ceil(sent / 4) + Math.ceil(result / 4));
  });

  test("learns nothing from what was denied", async () => {
    const denied = { ...crm, tools: [tool("denied_get")] };
    const { call, admissions } = openGateway({
      servers: { crm: { ...denied, config: { tools: { denied_get: { data_classes: ["x"] } } } } },
      policies,
    });
    await call("crm__denied_get");
    await call("crm__denied_get");
    const { context } = JSON.parse(admissions[1]?.inputJson ?? "");
    expect(context).toMatchObject({ turn_count: 1, data_classes_seen: [], servers_called: [] });
  });

  test("that cannot be read is a denial, on record", async () => {
    const { call, stateDir, servers, admissions, log } = open();
    mkdirSync(conversations(stateDir), { recursive: true });
    writeFileSync(join(conversations(stateDir), alice.key), "not a folder");
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("state_unavailable");
    expect(admissions).toMatchObject([{ answer: { reasons: ["state_unavailable"] } }]);
    expect(servers["crm"]?.sent).toEqual([]);
    expect(log.lines.some(({ level }) => level === "error")).toBe(true);
    const bob = legacyClient({ principal: principal("bob") });
    expect((await call("crm__get", { client: bob })).kind).toBe("result");
    rmSync(conversations(stateDir), { recursive: true });
  });
});

describe("a request that could not be read", () => {
  test("is recorded as the denial it is, for its principal", async () => {
    const { gateway, admissions, servers } = open();
    await gateway.refuseMalformed(legacyClient());
    expect(admissions).toMatchObject([
      {
        user: "alice",
        server: "",
        tool: null,
        answer: { allow: false, reasons: ["malformed_request"] },
      },
    ]);
    expect(servers["crm"]?.sent).toEqual([]);
  });
});
