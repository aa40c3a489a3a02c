/**
 * B22, B23, B24, B35: what is called is what was listed and pinned: a tool that is gone, a tool that changed while nobody
 * looked, cursors that somebody made, schemas that argue, decisions while definitions change.
 */
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { modernClient, reasonsOf, textOf } from "./clients.ts";
import type { HostileServer, HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import { answerLine, noticeLine, script, words } from "./scripts.ts";

let layout = "";

beforeAll(async () => {
  layout = await buildHostileLayout(["h"]);
});

const open = { type: "object" };
const named = (...names: readonly string[]) => names.map((name) => ({ name, inputSchema: open }));

async function serve(server: HostileServer = {}) {
  const setting = writeHostileConfig(layout, { h: server }, withTokens());
  const gateway = await startFor(setting);
  return { setting, gateway, alice: modernClient(gateway, "alice") };
}

async function startFor(setting: HostileSetting): Promise<HttpGateway> {
  const gateway = await startHttpGateway(setting);
  onTestFinished(gateway.close);
  return gateway;
}

/** The fixture's tool says what it was called with. */
const hasRun = (said: string): boolean => said.includes('\\"turn\\"');
/** Says that the tools changed, in the course of a call. */
const changed = script(noticeLine("notifications/tools/list_changed", {}), answerLine(words));

describe("a tool", () => {
  test("B22 that was taken away between list and call is unknown, and is not called", async () => {
    const { setting, alice } = await serve();
    expect(JSON.stringify(await alice.request("tools/list"))).toContain("h__echo");
    setting.setLists("h", { tools: named("script") });
    await alice.call("h__script", changed);
    await expect
      .poll(async () => await alice.call("h__echo"), { timeout: 20_000, interval: 200 })
      .toHaveProperty("error.message", "Unknown tool: h__echo");
    const count = acts(setting.received("h")).length;
    await alice.call("h__echo");
    expect(acts(setting.received("h"))).toHaveLength(count);
  });

  test("B22 that changed while its server was away is denied at its first call, before that server's list is asked for", async () => {
    const { setting, gateway, alice } = await serve();
    expect(textOf(await alice.call("h__echo", { a: 1 }))).toContain('"a":1');
    await gateway.close();
    const [echo, ...others] = named("echo", "script");
    setting.setLists("h", {
      tools: [{ ...echo, description: "Now sends it elsewhere" }, ...others],
    });
    const bob = modernClient(await startFor(setting), "bob");
    expect(reasonsOf(await bob.call("h__echo", { a: 2 }))).toEqual(["tool_changed"]);
    const calls = acts(setting.received("h")).map(({ params }) => Object(params).arguments);
    expect(calls).toEqual([{ a: 1 }]);
    expect(JSON.stringify(await bob.request("tools/list"))).not.toContain("h__echo");
  });

  test("B35 is judged by the definition that its server has when it is called, while that changes all the time", async () => {
    const { setting, alice } = await serve();
    const texts: string[] = [];
    const echo = async (turn: number): Promise<string> => {
      const answer = await alice.call("h__echo", { turn });
      const said = reasonsOf(answer)[0] ?? JSON.stringify(answer);
      texts.push(said);
      return said;
    };
    for (let turn = 0; turn < 8; turn += 1) {
      const description = turn % 2 === 0 ? undefined : `changed ${turn}`;
      const [first, ...others] = named("echo", "script");
      setting.setLists("h", {
        tools: [{ ...first, ...(description === undefined ? {} : { description }) }, ...others],
      });
      await Promise.all([alice.call("h__script", changed), echo(turn)]);
    }
    // As it was left, however fast the turns were.
    await expect.poll(() => echo(8)).toBe("tool_changed");
    // One that changed after the look at it is not sent either.
    const isFine = (said: string): boolean =>
      said === "tool_changed" || said.includes("upstream_unavailable") || hasRun(said);
    const odd = texts.filter((said) => !isFine(said));
    expect(odd).toEqual([]);
    const sent = acts(setting.received("h")).filter((line) =>
      JSON.stringify(line).includes('"turn"'),
    );
    expect(sent).toHaveLength(texts.filter(hasRun).length);
  });

  test("B24 whose schema argues is denied in time, and the next call is none the worse", async () => {
    const patterned = { type: "object", properties: { x: { type: "string", pattern: "^(a+)+$" } } };
    const outside = {
      type: "object",
      properties: { x: { $ref: "http://127.0.0.1:1/schema.json" } },
    };
    const tools = [
      { name: "slow_pattern", inputSchema: patterned },
      { name: "outside", inputSchema: outside },
      ...named("echo"),
    ];
    const { setting, alice } = await serve({ lists: { tools } });
    const [argued, led, fine] = await Promise.all([
      alice.call("h__slow_pattern", { x: `${"a".repeat(40)}!` }),
      alice.call("h__outside", { x: "y" }),
      alice.call("h__echo", { fine: 1 }),
    ]);
    expect(reasonsOf(argued)).toHaveLength(1);
    expect(reasonsOf(led)).toHaveLength(1);
    expect(textOf(fine)).toContain('"fine":1');
    const names = acts(setting.received("h")).map(({ params }) => Object(params).name);
    expect(names).toEqual(["echo"]);
  });
});

describe("a cursor", () => {
  test("B23 that this list did not give is refused, in every list", async () => {
    const many = Array.from({ length: 450 }, (_, at) => `t${at}`);
    const { alice } = await serve({ lists: { tools: named(...many) } });
    const first = await alice.request("tools/list");
    const { nextCursor } = Object(first["result"]);
    expect(nextCursor).toBeTypeOf("string");
    expect(await alice.request("tools/list", { cursor: nextCursor })).toHaveProperty(
      "result.tools",
    );
    const told = Buffer.from(nextCursor, "base64url").toString("latin1");
    const made = Buffer.from(told.replaceAll(/\d+/g, "1"), "latin1").toString("base64url");
    for (const cursor of [made, "", "0", "-1", "rest", 7, null, { at: 1 }]) {
      expect(await alice.request("tools/list", { cursor })).toHaveProperty("error.code", -32_602);
    }
    for (const method of ["prompts/list", "resources/list", "resources/templates/list"]) {
      const foreign = await alice.request(method, { cursor: nextCursor });
      expect(foreign).toHaveProperty("error.code", -32_602);
    }
  });

  test("B23 leads to no tool that is hidden, on whatever page it would stand", async () => {
    const names = Array.from({ length: 450 }, (_, at) => (at % 3 === 0 ? `hidden${at}` : `t${at}`));
    const { alice } = await serve({ lists: { tools: named(...names) } });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { result } = await alice.request("tools/list", cursor === undefined ? {} : { cursor });
      seen.push(...Object(result).tools.map(({ name }: { name: string }) => name));
      cursor = Object(result).nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(300);
    expect(seen.join(" ")).not.toContain("hidden");
  });
});
