/**
 * Two replicas, each with a disk of its own, and one Postgres: what one's results bring decides the
 * calls of the other.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { text, tool } from "../fake-server.ts";
import { legacyClient, openGateway, principal, readReply } from "../open-gateway.ts";
import type { OpenGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";

const postgres = await startTestPostgres();
let policies: TestPolicies;
let url = "";
beforeAll(async () => {
  policies = await compileTestPolicies();
  url = (await postgres?.createDatabase()) ?? "";
}, 60_000);
afterAll(() => postgres?.close());

const own = { data_classes: ["internal"], labels: ["first_party"] };

function open(conversations = "shared"): OpenGateway {
  const config = { tools: { get: own, send: own } };
  return openGateway({
    servers: { crm: { tools: [tool("get"), tool("send")], config, answer: () => text("done") } },
    policies,
    settings: { decisions: { store: url }, state: { conversations } },
  });
}

function answer({ servers }: OpenGateway, words: string): void {
  const [fake] = Object.values(servers);
  if (fake !== undefined) fake.answer = () => text(words);
}

const lastContext = ({ admissions }: OpenGateway) =>
  JSON.parse(admissions.at(-1)?.inputJson ?? "{}").context;

describe.runIf(postgres)("conversations that replicas share", () => {
  test("are known to the next decision of any replica, for this principal alone", async () => {
    const [one, other] = [open(), open()];
    await other.call("crm__get");
    answer(one, "card 4111 1111 1111 1111");
    await one.call("crm__get");
    await other.call("crm__send");
    expect(lastContext(other)).toMatchObject({
      data_classes_seen: ["internal", "payment_data"],
      data_class_sources: { payment_data: ["crm"] },
    });
    const started = JSON.parse(other.admissions[0]?.inputJson ?? "{}").context.conversation_id;
    expect(lastContext(other).conversation_id).toBe(started);
    const bob = legacyClient({ principal: principal("bob") });
    await other.call("crm__send", { client: bob });
    expect(lastContext(other).data_classes_seen).toEqual([]);
  }, 60_000);

  test("are not those of a gateway that keeps its own", async () => {
    const [one, other] = [open("local"), open("local")];
    answer(one, "card 4111 1111 1111 1111");
    await one.call("crm__get");
    await other.call("crm__send");
    expect(lastContext(other).data_classes_seen).toEqual([]);
  }, 60_000);

  test("that cannot be reached deny calls and withhold answers until they can", async (context) => {
    if (postgres?.canStop !== true) return context.skip();
    const one = open();
    await one.call("crm__get");
    const [fake] = Object.values(one.servers);
    if (fake === undefined) throw new Error("expected a server");
    fake.answer = async () => {
      await postgres.stop();
      return text("write to ann@example.com");
    };
    const withheld = await one.call("crm__get");
    expect(withheld).toMatchObject({ kind: "error", data: { code: "state_unavailable" } });
    expect(JSON.stringify(withheld)).not.toContain("ann@example.com");
    expect(one.outcomes.at(-1)).toMatchObject({ outcome: "completed_withheld" });

    const sent = fake.sent.length;
    expect(JSON.stringify(readReply(await one.call("crm__get")))).toContain("state_unavailable");
    expect(fake.sent).toHaveLength(sent);

    await postgres.start();
    fake.answer = () => text("done");
    await eventually(async () => {
      const reply = JSON.stringify(readReply(await one.call("crm__get")));
      return reply.includes("done");
    });
  }, 120_000);
});
