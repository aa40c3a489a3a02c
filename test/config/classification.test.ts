import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, server } from "./support.ts";

function detectorsOf(everywhere: object | undefined, ofServer: object | undefined) {
  const classification = (detectors: object | undefined) =>
    detectors === undefined ? {} : { classification: { detectors } };
  const crm = { ...server, ...classification(ofServer) };
  const { config } = load({ ...minimal, ...classification(everywhere), servers: { crm } });
  return Object.fromEntries(config.servers.get("crm")?.detectors ?? []);
}

describe("what detectors stand for", () => {
  const defaults = {
    email: "contact_data",
    phone: "contact_data",
    payment_card: "payment_data",
    national_id: "national_id",
    credential: "credential",
    private_key: "credential",
  };

  test("all of them look where nobody says otherwise", () => {
    expect(detectorsOf(undefined, undefined)).toEqual(defaults);
    expect(detectorsOf({}, {})).toEqual(defaults);
  });

  test("the file goes before the defaults, and the server before the file", () => {
    const everywhere = { email: "personal_data", phone: false };
    const { phone: _, ...others } = defaults;
    expect(detectorsOf(everywhere, undefined)).toEqual({ ...others, email: "personal_data" });
    expect(detectorsOf(everywhere, { phone: "contact_data", email: false })).toEqual(
      Object.fromEntries(Object.entries(defaults).filter(([kind]) => kind !== "email")),
    );
  });

  test("nothing else is a detector or a class", () => {
    const problems = problemsOf({
      ...minimal,
      classification: { detectors: { iban: "payment_data", email: true, phone: "" } },
    });
    expect(problems).toHaveLength(3);
    expect(problems.join()).toContain("iban");
  });
});

test("what a result brings is kept beside what the call touches", () => {
  const tools = { get: { labels: ["egress"], result: { data_classes: ["pii"] } } };
  const { config } = load({ ...minimal, servers: { crm: { ...server, tools } } });
  expect(config.servers.get("crm")?.tools.get("get")).toEqual({
    dataClasses: [],
    labels: ["egress"],
    result: { dataClasses: ["pii"], labels: [] },
  });
});

test("conversations are shared where there is a store to share them in", () => {
  const state = { conversations: "shared" };
  const store = "postgres://u@db/x";
  const shared = load({ ...minimal, state, decisions: { store } }).config;
  expect(shared.state.sharesConversations).toBe(true);
  expect(load({ ...minimal, decisions: { store } }).config.state.sharesConversations).toBe(false);
  const inRedis = load({ ...minimal, state: { ...state, redis_url: "redis://r" } }).config;
  expect(inRedis.state.sharesConversations).toBe(true);
  for (const decisions of [{}, { store: "embedded" }]) {
    expect(problemsOf({ ...minimal, state, decisions })).toEqual([
      expect.stringMatching(
        /^state\.conversations: "shared" needs state\.redis_url or a postgres:\/\/ URL/,
      ),
    ]);
  }
});
