/**
 * Many who wait for connections to one server at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { tool } from "../fake-server.ts";
import { modernClient, openGateway, principal } from "../open-gateway.ts";
import { compileTestPolicies } from "../test-policies.ts";

test("are not taken for a leak of listeners", async () => {
  const warnings: string[] = [];
  const warn = ({ name }: Error): number => warnings.push(name);
  process.on("warning", warn);
  onTestFinished(() => void process.off("warning", warn));
  const policies = await compileTestPolicies();
  const { gateway, servers } = openGateway({
    servers: { crm: { era: "modern", tools: [tool("get")] } },
    policies,
  });
  await gateway.ready;
  let open = (): void => {};
  const opening = new Promise<void>((resolve) => {
    open = resolve;
  });
  Object.assign(servers["crm"] ?? {}, { opening });
  const users = Array.from({ length: 20 }, (_, index) => principal(`user-${index}`));
  const waits = users.map((user) => gateway.awaitChanges(modernClient({ principal: user })));
  await delay(0);
  open();
  await Promise.all(waits);
  await delay(0);
  expect(servers["crm"]?.connections).toHaveLength(21);
  expect(warnings).toEqual([]);
}, 60_000);
