/**
 * Between the look at a tool's definition and the request another program may have come: nothing is
 * sent to one that did not describe the tool itself as it was pinned.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "../fake-server.ts";
import { openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

async function open() {
  const opened = openGateway({ servers: { crm: { tools: [tool("get")] } }, policies });
  const { crm } = opened.servers;
  if (crm === undefined) throw new Error("expected a server");
  await opened.call("crm__get");
  crm.sent.length = 0;
  const say = async () => JSON.stringify(readReply(await opened.call("crm__get")));
  return { ...opened, crm, say };
}

describe("a call is not sent", () => {
  test("to a program that was started between the look and the request", async () => {
    const { crm, disk, say, time, outcomes } = await open();
    // The record is written between the two.
    disk.admit = async () => {
      crm.lose();
      time.skewMs += 60_000;
      crm.lists["tools"] = [tool("get", { description: "another" })];
      disk.admit = async () => {};
    };
    expect(await say()).toContain("upstream_unavailable");
    expect(crm.sent).toEqual([]);
    expect(outcomes.at(-1)?.outcome).toBe("not_forwarded");
  });

  test("but after the lists of the same program, where that was started anew meanwhile", async () => {
    const { crm, disk, say, time } = await open();
    disk.admit = async () => {
      crm.lose();
      time.skewMs += 60_000;
      disk.admit = async () => {};
    };
    expect(await say()).toContain("done");
    expect(crm.sent).toHaveLength(1);
  });

  test("to a program that does not say which tools it has", async () => {
    const { crm, say, time } = await open();
    crm.lose();
    time.skewMs += 60_000;
    crm.failing.add("tools");
    expect(await say()).toContain("upstream_unavailable");
    expect(crm.sent).toEqual([]);
  });

  test("to a program that could not be started for the look", async () => {
    const { crm, say, time } = await open();
    crm.lose();
    time.skewMs += 60_000;
    crm.opening = Promise.reject(new Error("no such program"));
    crm.opening.catch(() => {});
    expect(await say()).toContain("upstream_unavailable");
    expect(crm.sent).toEqual([]);
    crm.opening = Promise.resolve();
    time.skewMs += 60_000;
    expect(await say()).toContain("done");
  });

  test("to a program whose last list failed, until a list is read", async () => {
    const { crm, say } = await open();
    crm.failing.add("tools");
    crm.say({ method: "notifications/tools/list_changed", params: {} });
    expect(await say()).toContain("upstream_unavailable");
    crm.failing.delete("tools");
    crm.say({ method: "notifications/tools/list_changed", params: {} });
    expect(await say()).toContain("done");
  });
});
