import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, server } from "./support.ts";

const layer = { name: "extra", kind: "compliance", policy: "oci-layout:dist:extra" };
const withLayer = (more: object, file: object = {}) => ({
  ...minimal,
  servers: { crm: server, "crm-eu": server },
  ...file,
  layers: [{ ...layer, ...more }],
});
const trial = { profile: "trial" };

describe("when a layer is asked", () => {
  test("is always, unless it is said", () => {
    expect(load(withLayer({})).config.layers).toMatchObject([
      { name: "extra", when: undefined, observedUntilMs: undefined },
    ]);
  });

  test("is said by servers, agents, regions and production", () => {
    const when = {
      servers: ["crm*"],
      agents: ["bot", "x-*"],
      regions: ["eu-*"],
      is_production: true,
    };
    const { config } = load(withLayer({ when }, { environment: { region: "eu-west" } }));
    expect(config.layers[0]?.when).toEqual({
      servers: ["crm*"],
      agents: ["bot", "x-*"],
      regions: ["eu-*"],
      isProduction: true,
    });
  });

  test.each<[string, object, string]>([
    [
      "a server that is none",
      { servers: ["crn"] },
      'expected a server of servers (crm, crm-eu), found "crn"',
    ],
    ["a pattern that no server fits", { servers: ["mail*"] }, "expected a server of servers"],
    ["a star in the middle", { agents: ["sup*bot"] }, 'one with a "*" at its end'],
    ["a star in the middle of a server", { servers: ["c*m"] }, 'one with a "*" at its end'],
    ["regions where none is configured", { regions: ["eu-west"] }, "expected environment.region"],
    ["an empty list", { servers: [] }, "layers.0.when.servers"],
    ["an unknown key", { environments: ["x"] }, "environments"],
  ])("is refused with %s", (_, when, message) => {
    const problems = problemsOf(withLayer({ when }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });
});

describe("a layer that is only observed", () => {
  test("has an end, a date or a moment, and every record's posture names it", () => {
    const { config } = load(withLayer({ mode: "observe", until: "2026-12-31" }, trial));
    expect(config.layers[0]?.observedUntilMs).toBe(Date.UTC(2026, 11, 31));
    expect(config.posture).toBe("trial:layers.extra.mode=observe");
    const moment = { mode: "observe", until: "2026-12-31T12:00:00+02:00" };
    expect(load(withLayer(moment, trial)).config.layers[0]?.observedUntilMs).toBe(
      Date.UTC(2026, 11, 31, 10),
    );
  });

  test("is refused by the strict profile", () => {
    expect(problemsOf(withLayer({ mode: "observe", until: "2026-12-31" }))).toEqual([
      'layers.0.mode: profile "strict" refuses "observe"; use "enforce", or profile "trial", which every record then shows',
    ]);
  });

  test.each<[string, object, string]>([
    ["no end", { mode: "observe" }, "expected until, the end of observe"],
    ["an end that is no time", { mode: "observe", until: "soon" }, "expected a date"],
    ["an end without its offset", { mode: "observe", until: "2026-12-31T12:00:00" }, "offset"],
    ["an end and nothing to end", { until: "2026-12-31" }, 'expected mode "observe" beside it'],
    ["another mode", { mode: "audit", until: "2026-12-31" }, "layers.0.mode"],
  ])("is refused with %s", (_, more, message) => {
    const problems = problemsOf(withLayer(more, trial));
    expect(problems.join("\n")).toContain(message);
  });

  test("is enforced unless it says otherwise, and the posture is clean", () => {
    const { config } = load(withLayer({ mode: "enforce" }, trial));
    expect(config.layers[0]?.observedUntilMs).toBeUndefined();
    expect(config.posture).toBe("trial:none");
  });
});

describe("agents above others", () => {
  const sub = (parent: string) => ({ ...minimal, agent: { id: "support-bot", parent } });

  test("are those of agents, of the file and of its tokens; agents goes before", () => {
    const tokens = [
      { sha256: "0".repeat(64), agent: { id: "caller", scope: "x" }, user: { id: "bob" } },
      { sha256: "1".repeat(64), agent: { id: "planner", scope: "y" }, user: { id: "bob" } },
    ];
    const agents = { planner: { scope: "planning", parent: "caller" } };
    const { config } = load({ ...sub("planner"), agents, http: { authorization: { tokens } } });
    expect([...config.agents.keys()].toSorted()).toEqual(["caller", "planner", "support-bot"]);
    expect(config.agents.get("planner")).toMatchObject({
      id: "planner",
      scope: "planning",
      parent: "caller",
      authenticated: true,
    });
  });

  test.each<[string, object, string]>([
    [
      "that nobody knows",
      sub("planner"),
      'agent.parent: expected an agent of agents, found "planner"',
    ],
    ["above itself", sub("support-bot"), "agent.parent: expected at most 8 agents"],
    [
      "above an unknown one in agents",
      { ...minimal, agents: { a: { parent: "ghost" } } },
      'agents.a.parent: expected an agent of agents, found "ghost"',
    ],
  ])("are refused where one is %s", (_, file, message) => {
    expect(problemsOf(file)).toEqual([expect.stringContaining(message)]);
  });

  test("are refused in a circle and beyond eight above one another", () => {
    const circle = { a: { parent: "b" }, b: { parent: "a" } };
    expect(problemsOf({ ...minimal, agents: circle })).toHaveLength(2);
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, at) => [`a${at}`, at === 0 ? {} : { parent: `a${at - 1}` }]),
      );
    expect(load({ ...minimal, agents: chain(9) }).config.agents.size).toBe(10);
    expect(problemsOf({ ...minimal, agents: chain(10) })).toHaveLength(1);
  });
});

test("the number of waivers that count is 100, or what the file says", () => {
  expect(load(minimal).config.maxWaivers).toBe(100);
  expect(load({ ...minimal, policy: { max_waivers: 3 } }).config.maxWaivers).toBe(3);
});
