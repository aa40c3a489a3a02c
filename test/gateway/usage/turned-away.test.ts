/**
 * Calls that a server turned away when it had seen them: it may have done what they ask, so they count.
 */
import { beforeAll, expect, test } from "vitest";
import { openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
}, 60_000);

const tools = [{ name: "pay", inputSchema: { type: "object" } }];
const counters = { calls: { key: ["user"], limit: 3 } };

test.each(["upstream_busy", "upstream_unauthorized"] as const)(
  "a call that its server turned away after it saw it counts, and says so (%s)",
  { timeout: 60_000 },
  async (code) => {
    const turnedAway = { kind: "failed", code, message: "no", wasSent: true } as const;
    const open = openGateway({
      servers: { bank: { tools, answer: () => turnedAway } },
      policies: {
        ...policies,
        server: (name) => ({ ...policies.server(name), metadata: { counters } }),
      },
    });
    const { outcomes, servers } = open;
    const first = await open.call("bank__pay");
    expect(first).toMatchObject({ message: expect.stringContaining("has seen the request") });
    for (let call = 0; call < 3; call += 1) await open.call("bank__pay");
    expect(JSON.stringify(readReply(await open.call("bank__pay")))).toContain("budget_exhausted");
    expect(servers["bank"]?.sent).toHaveLength(3);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["unknown", "unknown", "unknown"]);
  },
);
