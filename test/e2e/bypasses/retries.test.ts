/**
 * B14: retries. What a client hands back belongs to one principal and one request, is decided again,
 * and reaches the server only as it was judged. Both ways are attacked: the state of a modern server,
 * and the call that is held for a legacy one.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legacyClient, modernClient, modernPost, reasonsOf, textOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Message } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import {
  ableToAll,
  allQuestions,
  answerLine,
  asking,
  form,
  requestLine,
  words,
} from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m"]);
  setting = writeHostileConfig(
    layout,
    {
      h: { era: "legacy", settings: { to_client: allQuestions } },
      m: { era: "modern", settings: { to_client: allQuestions } },
    },
    withTokens(),
  );
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

let count = 0;
const answers = (name = "Ann") => ({ action: "accept", content: { name } });

/** A call that asks first; `key` is the one to answer by. */
async function begin(kind: "held" | "state", user = "alice") {
  const mark = `mark-${(count += 1)}`;
  const question = form({ name: { type: "string" } });
  const done = { ...words, content: [{ type: "text", text: `done ${mark}` }] };
  const { params } = Object(question);
  const args =
    kind === "held"
      ? {
          mark,
          lines: [
            requestLine(mark, "elicitation/create", params),
            { line: answerLine(done), onAnswer: mark },
          ],
        }
      : {
          mark,
          lines: [answerLine(asking({ q: question }, { requestState: `own ${mark}` }))],
          afterwards: [answerLine(done)],
        };
  const name = kind === "held" ? "h__script" : "m__script";
  const first = await modernClient(gateway, user).call(name, args, {}, ableToAll);
  const { requestState, inputRequests } = Object(first["result"]);
  const [key = ""] = Object.keys(inputRequests ?? {});
  const server = kind === "held" ? "h" : "m";
  const retry = (more: object = {}, as = user, called = name, given: object = args) =>
    modernClient(gateway, as).call(
      called,
      given,
      { inputResponses: { [key]: answers() }, requestState, ...more },
      ableToAll,
    );
  const arrived = () =>
    acts(setting.received(server)).filter((line) => JSON.stringify(line).includes(mark));
  const heard = () => setting.received(server).filter((line) => line.includes(`"id":"${mark}"`));
  return { args, name, key, mark, requestState, retry, arrived, heard };
}

function isRefused({ error }: Message): boolean {
  return Object(error).code === -32_602;
}

describe.each(["state", "held"] as const)("a retry (%s)", (kind) => {
  const server = kind === "held" ? "h" : "m";

  test("B14 with the answers that were asked for goes on, and the server gets them as they were judged", async () => {
    const { retry, mark, arrived, heard } = await begin(kind);
    expect(textOf(await retry())).toBe(`done ${mark}`);
    const sent = kind === "held" ? heard() : arrived().map((line) => JSON.stringify(line));
    expect(sent.at(-1)).toContain('"content":{"name":"Ann"}');
    const states = arrived().map(({ params }) => Object(params).requestState);
    expect(states).toEqual(kind === "held" ? [undefined] : [undefined, `own ${mark}`]);
  });

  test("B14 with other arguments and the same requestState is refused, and reaches no server", async () => {
    const { retry, args, arrived, name } = await begin(kind);
    expect(isRefused(await retry({}, "alice", name, { ...args, more: 1 }))).toBe(true);
    // The same members in another order are other bytes.
    const turned = Object.fromEntries(Object.entries(args).toReversed());
    expect(isRefused(await retry({}, "alice", name, turned))).toBe(true);
    expect(arrived()).toHaveLength(1);
  });

  test("B14 of another tool, or another method, with the same requestState is refused", async () => {
    const { retry, args, arrived, requestState } = await begin(kind);
    expect(isRefused(await retry({}, "alice", `${server}__echo`))).toBe(true);
    expect(isRefused(await retry({}, "alice", kind === "held" ? "m__script" : "h__script"))).toBe(
      true,
    );
    const prompt = { name: `${server}__greet`, arguments: args, requestState };
    const other = await modernClient(gateway, "alice").request("prompts/get", prompt, ableToAll);
    expect(isRefused(other)).toBe(true);
    expect(arrived()).toHaveLength(1);
  });

  test("B14 of another principal with the same requestState is refused", async () => {
    const { retry, arrived, mark } = await begin(kind);
    expect(isRefused(await retry({}, "bob"))).toBe(true);
    expect(arrived()).toHaveLength(1);
    expect(textOf(await retry())).toBe(`done ${mark}`);
  });

  test("B14 whose answers carry what policy denies is denied, and the server never gets them", async () => {
    const { retry, key, arrived, heard } = await begin(kind);
    const denied = await retry({ inputResponses: { [key]: answers("FORBIDDEN") } });
    expect(reasonsOf(denied)).toEqual(["forbidden"]);
    expect(JSON.stringify([arrived(), heard()])).not.toContain("FORBIDDEN");
  });

  test("B14 with a requestState that somebody changed or made is refused", async () => {
    const { retry, requestState, arrived, mark } = await begin(kind);
    const [payload = "", mac = ""] = String(requestState).split(".");
    const told = Buffer.from(payload, "base64url").toString("utf8");
    const longer = Buffer.from(told.replace(/"exp":\d+/, '"exp":99999999999999')).toString(
      "base64url",
    );
    const flipped = `${mac.startsWith("A") ? "B" : "A"}${mac.slice(1)}`;
    for (const state of [
      `${payload}.${flipped}`,
      `${longer}.${mac}`,
      `${payload}.`,
      payload,
      `${payload}.${mac}.x`,
      `${payload}.${mac}=`,
      ` ${payload}.${mac}`,
      "",
      `own ${mark}`,
      ".",
    ]) {
      expect(isRefused(await retry({ requestState: state }))).toBe(true);
    }
    expect(arrived()).toHaveLength(1);
  });

  test("B14 whose requestState is a task id, or the other way round, is refused", async () => {
    const { retry, requestState } = await begin(kind);
    const made = { resultType: "task", taskId: "t-9", status: "working", ttlMs: null };
    const alice = modernClient(gateway, "alice");
    const task = await alice.call("m__script", { lines: [answerLine(made)] }, {}, ableToAll);
    const { taskId } = Object(task["result"]);
    expect(isRefused(await retry({ requestState: taskId }))).toBe(true);
    const asTask = await alice.request("tasks/get", { taskId: requestState }, ableToAll);
    expect(asTask["error"]).toEqual({ code: -32_602, message: "Unknown task" });
  });
});

describe("a held call", () => {
  test("B14 that has ended cannot be come back to", async () => {
    const { retry, arrived, mark } = await begin("held");
    expect(textOf(await retry())).toBe(`done ${mark}`);
    expect(isRefused(await retry())).toBe(true);
    expect(arrived()).toHaveLength(1);
  });

  test("takes an answer once, and ignores answers to what was not asked", async () => {
    const { retry, key, heard, mark } = await begin("held");
    const strange = await retry({ inputResponses: { elicitation_create_99: answers("Eve") } });
    expect(Object.keys(Object(strange["result"]).inputRequests)).toEqual([key]);
    const [one, two] = await Promise.all([retry(), retry()]);
    expect([one, two].map(textOf)).toContain(`done ${mark}`);
    expect(heard()).toHaveLength(1);
    expect(JSON.stringify(heard())).not.toContain("Eve");
  });

  test("of whoever holds as many as allowed takes no more, and those of others are held on", async () => {
    const calls: Awaited<ReturnType<typeof begin>>[] = [];
    // One after the other: a server on stdio does not say in the course of which call it asks.
    while (calls.length < 36) calls.push(await begin("held", "bob"));
    const held = calls.filter(({ requestState }) => requestState !== undefined);
    expect(held).toHaveLength(32);
    const { retry, mark } = await begin("held", "alice");
    expect(textOf(await retry())).toBe(`done ${mark}`);
    for (const call of held) await call.retry();
  });

  test("cannot be come back to by a legacy client of another principal", async () => {
    const { args, key, requestState, arrived } = await begin("held");
    const bob = await legacyClient(gateway, "bob", ableToAll.capabilities);
    const inputResponses = { [key]: answers() };
    const params = { name: "h__script", arguments: args, inputResponses, requestState };
    expect(isRefused(await bob.request("tools/call", params))).toBe(true);
    expect(arrived()).toHaveLength(1);
  });

  test("ends upstream where its client goes away for good", async () => {
    const { arrived, mark, args } = await begin("held");
    expect(arrived()).toHaveLength(1);
    const slow = { ...args, mark: `${mark}-2`, lines: [] };
    const asked = modernPost(
      "alice",
      "tools/call",
      { name: "h__script", arguments: slow },
      ableToAll,
    );
    const sent = gateway.open(asked).catch(() => undefined);
    const isThere = () => setting.received("h").some((line) => line.includes(`${mark}-2`));
    await expect.poll(isThere, { timeout: 20_000 }).toBe(true);
    const id = acts(setting.received("h")).find((line) =>
      JSON.stringify(line).includes(`${mark}-2`),
    )?.["id"];
    await gateway.close();
    await sent;
    const cancelled = setting
      .received("h")
      .filter((line) => line.includes("notifications/cancelled"));
    expect(cancelled.map((line) => Object(JSON.parse(line)).params.requestId)).toContain(id);
  });
});
