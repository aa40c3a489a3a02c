/**
 * What detectors find: in arguments it is a floor for the decision, in an answer it is in the
 * conversation before anybody has the answer.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { UpstreamReply } from "../../../src/mcp/upstream/upstream-connection.ts";
import { text, tool } from "../fake-server.ts";
import { alice, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = {
  tools: [tool("get"), tool("plain")],
  config: { tools: { get: { data_classes: ["internal"], labels: ["vetted"] } } },
};

function answering(reply: UpstreamReply, more: object = {}, settings: object = {}) {
  const opened = openGateway({
    servers: { crm: { ...crm, config: { ...crm.config, ...more }, answer: () => reply } },
    policies,
    settings,
  });
  const contextOf = (index: number) =>
    JSON.parse(opened.admissions[index]?.inputJson ?? "").context;
  return { ...opened, contextOf };
}

function journalOf(stateDir: string): string {
  const folder = join(stateDir, "conversations", alice.key);
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return texts.join("");
}

describe("what a result holds", () => {
  test("is in the next decision, with the server that it came from", async () => {
    const { call, contextOf } = answering(text("card 4111 1111 1111 1111"));
    await call("crm__get");
    await call("crm__get");
    expect(contextOf(0).data_classes_seen).toEqual([]);
    expect(contextOf(1)).toMatchObject({
      data_classes_seen: ["internal", "payment_data"],
      data_class_sources: { payment_data: ["crm"] },
      labels_seen: ["vetted"],
    });
  });

  test("is on the disk before the client has it", async () => {
    const { call, stateDir } = answering(text("write to ann@example.com"));
    const reply = await call("crm__get");
    expect(readReply(reply)).toMatchObject({ content: [{ text: "write to ann@example.com" }] });
    expect(journalOf(stateDir)).toContain("contact_data");
  });

  test("counts in the message and data of an error as well", async () => {
    const error = { code: -32_000, message: "no", data: { mail: "ann@example.com" } };
    const { call, contextOf } = answering({ kind: "error", error });
    await call("crm__get");
    await call("crm__get");
    expect(contextOf(1).data_classes_seen).toContain("contact_data");
  });

  test("is told as what the operator calls it, for this server or for all", async () => {
    const detectors = { email: "personal_data", payment_card: false };
    const reply = text("ann@example.com pays with 4111 1111 1111 1111");
    for (const [more, settings] of [
      [{ classification: { detectors } }, {}],
      [{}, { classification: { detectors } }],
    ] as const) {
      const { call, contextOf } = answering(reply, more, settings);
      await call("crm__get");
      await call("crm__get");
      expect(contextOf(1).data_classes_seen).toEqual(["internal", "personal_data"]);
    }
  });

  test("that was not looked at to its end is said to be so", async () => {
    const { call, contextOf } = answering(text(`${"x ".repeat(100_000)}ann@example.com`));
    await call("crm__get");
    await call("crm__get");
    expect(contextOf(1)).toMatchObject({
      data_classes_seen: ["internal"],
      labels_seen: ["unscanned_content", "vetted"],
    });
  });

  test("that cannot be remembered is withheld, and the answer says that it ran", async () => {
    const { call, stateDir } = answering(text("done"));
    await call("crm__get");
    const folder = join(stateDir, "conversations", alice.key);
    const breakJournal = (): UpstreamReply => {
      const [name = ""] = readdirSync(folder);
      rmSync(join(folder, name));
      mkdirSync(join(folder, name));
      return text("write to ann@example.com");
    };
    // A second process has no file open, and nothing new to write before its call leaves.
    const again = openGateway({
      servers: { crm: { ...crm, answer: breakJournal } },
      policies,
      stateDir,
    });
    const reply = await again.call("crm__get");
    expect(JSON.stringify(reply)).not.toContain("ann@example.com");
    expect(reply).toMatchObject({
      kind: "error",
      code: -32_603,
      message: expect.stringContaining("the request ran"),
      data: { code: "state_unavailable" },
    });
    expect(again.outcomes).toMatchObject([{ outcome: "completed_withheld" }]);
    expect(again.log.lines.some(({ level }) => level === "error")).toBe(true);
  });
});

describe("what arguments hold", () => {
  const args = { argumentsJson: '{"to":"ann@example.com"}' };
  const asked = (admissions: readonly { readonly inputJson: string }[]) =>
    JSON.parse(admissions[0]?.inputJson ?? "").action.data_classes_referenced;

  test("is added to what the operator says", async () => {
    const { act, admissions } = answering(text("done"));
    await act({ type: "tool_call", name: "crm__get", ...args });
    expect(asked(admissions)).toEqual(["contact_data", "internal"]);
  });

  test("does not make a call classified that nobody classified", async () => {
    const { act, admissions } = answering(text("done"));
    await act({ type: "tool_call", name: "crm__plain", ...args });
    expect(asked(admissions)).toEqual(["contact_data", "unclassified"]);
  });
});

test("what the operator says of a result is known before its request leaves", async () => {
  const result = { data_classes: ["customer_data"], labels: ["first_party"] };
  const { call, stateDir, servers } = answering(text("done"), { tools: { plain: { result } } });
  const fake = servers["crm"];
  if (fake === undefined) throw new Error("expected a server");
  let known = "";
  fake.answer = () => {
    known = journalOf(stateDir);
    return undefined;
  };
  await call("crm__plain");
  expect(known).toContain("customer_data");
  expect(known).toContain("first_party");
  expect(known).not.toContain("untrusted_content");
});
