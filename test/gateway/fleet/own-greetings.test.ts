/**
 * What a server says of itself on one connection is for whoever shares that connection: it may name
 * what nobody else should know, and a model takes it for instructions.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { FakeServerSettings } from "../fake-server.ts";
import { tool } from "../fake-server.ts";
import type { OpenOptions } from "../open-gateway.ts";
import { alice, legacyClient, openGateway, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

/** Shares the gateway's own connection. */
const owner = legacyClient({ principal: alice });
const bob = legacyClient({ principal: principal("bob"), session: "s2" });
const carol = legacyClient({ principal: principal("carol"), session: "s3" });

/** A server that says something else on each connection. */
function open(more: Partial<OpenOptions> = {}) {
  let count = 0;
  const crm: FakeServerSettings = {
    tools: [tool("get")],
    get capabilities() {
      count += 1;
      return { tools: {}, extensions: { "vendor/x": { said: count } } };
    },
    get instructions() {
      return `said ${count}`;
    },
  };
  const opened = openGateway({ servers: { crm }, policies, ...more });
  const told = (client = owner) => {
    const { capabilities, instructions } = opened.gateway.greet(client);
    return [instructions.split("\n").at(-1), capabilities["extensions"]];
  };
  return { ...opened, told };
}

const said = (count: number) => [`crm: said ${count}`, { "vendor/x": { said: count } }];

describe("what a server says of itself", () => {
  test("on the connection of one principal is told to no other", async () => {
    const { gateway, call, told, servers } = open();
    await gateway.ready;
    expect(told(carol)).toEqual(said(1));
    await call("crm__get", { client: bob });
    expect(told(bob)).toEqual(said(2));
    expect([told(carol), told(owner)]).toEqual([said(1), said(1)]);
    await call("crm__get", { client: carol });
    expect([told(bob), told(carol), told(owner)]).toEqual([said(2), said(3), said(1)]);
    servers["crm"]?.lose();
    expect(told(carol)).toEqual(said(1));
  });

  test("in the last run is what its own connection said there, whoever called last", async () => {
    const first = open();
    await first.gateway.ready;
    await first.call("crm__get", { client: bob });
    await first.gateway.close();
    const { gateway, told } = open({ stateDir: first.stateDir });
    await gateway.recalled;
    expect(told(carol)).toEqual(said(1));
  });

  test("is told to nobody else where its own connection never opened", async () => {
    let start = (): void => {};
    const mayStart = new Promise<void>((resolve) => {
      start = resolve;
    });
    const { gateway, told, servers } = open({ deps: { mayStart } });
    await gateway.awaitChanges(bob);
    expect(servers["crm"]?.connections).toHaveLength(1);
    expect(told(bob)).toEqual(said(1));
    const nothing = open({ deps: { mayStart } });
    expect(told(carol)).toEqual(nothing.told(carol));
    start();
  });
});
