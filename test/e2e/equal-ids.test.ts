/**
 * Two clients with equal ids never see each other's results: over HTTP, in both eras, of the same and
 * of different principals, with many calls of equal ids, tokens and names in flight at once.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { legacyClient, modernClient, modernPost, textOf } from "./bypasses/clients.ts";
import type { HostileSetting } from "./bypasses/hostile-setting.ts";
import { buildHostileLayout, writeHostileConfig } from "./bypasses/hostile-setting.ts";
import type { HttpGateway, Message } from "./bypasses/http-gateway.ts";
import { startHttpGateway, withTokens } from "./bypasses/http-gateway.ts";
import { answerLine, noticeLine, script, words } from "./bypasses/scripts.ts";

const calls = 50;
let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m"]);
  setting = writeHostileConfig(
    layout,
    { h: { era: "legacy" }, m: { era: "modern" } },
    withTokens(),
  );
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

interface Speaker {
  /** What its calls say, and its answers have to say. */
  readonly who: string;
  readonly call: (id: number, args: object) => Promise<Message>;
}

async function speakers(server: string): Promise<readonly Speaker[]> {
  const name = `${server}__slow`;
  const modern = (user: string, who: string): Speaker => ({
    who,
    call: (id, args) => modernClient(gateway, user).call(name, args, {}, { id }),
  });
  const legacy = async (user: string, who: string): Promise<Speaker> => {
    const client = await legacyClient(gateway, user);
    return { who, call: (id, args) => client.call(name, args, id) };
  };
  return [
    modern("alice", "alice modern 1"),
    modern("alice", "alice modern 2"),
    modern("bob", "bob modern"),
    await legacy("alice", "alice legacy 1"),
    await legacy("alice", "alice legacy 2"),
    await legacy("bob", "bob legacy"),
  ];
}

test.each(["h", "m"])(
  "two clients with equal ids never see each other's results (%s)",
  async (server) => {
    const everybody = await speakers(server);
    const wrong: string[] = [];
    const rounds = Array.from({ length: calls }, (_, at) => at).map(async (id) => {
      await Promise.all(
        everybody.map(async ({ who, call }) => {
          const answer = await call(id, { who, id, afterMs: (id * 7) % 40 });
          const mine = `"who":"${who}","id":${id},`;
          if (answer["id"] !== id || !textOf(answer).includes(mine)) {
            wrong.push(`${who} ${id}: ${JSON.stringify(answer)}`);
          }
        }),
      );
    });
    await Promise.all(rounds);
    expect(wrong).toEqual([]);
    const heard = setting.received(server).filter((line) => line.includes('"slow"'));
    expect(heard).toHaveLength(calls * everybody.length);
  },
  120_000,
);

test("two clients with equal progress tokens never hear each other's progress", async () => {
  const notice = noticeLine("notifications/progress", {
    progressToken: 0,
    progress: 1,
    message: "WHO",
  });
  const heardBy = async (user: string): Promise<readonly unknown[]> => {
    const line = notice.replace(":0,", ":$ID,").replace("WHO", user);
    const lines = [line, { line, afterMs: 60 }, { line: answerLine(words), afterMs: 120 }];
    const call = { name: "m__script", arguments: script(...lines), _meta: { progressToken: "t" } };
    const { messages } = await gateway.post(modernPost(user, "tools/call", call, { id: 1 }));
    return messages.filter(({ method }) => method !== undefined).map(({ params }) => params);
  };
  const users = ["alice", "bob", "alice", "carol", "bob"];
  const heard = await Promise.all(users.map(heardBy));
  for (const [at, user] of users.entries()) {
    expect(heard[at]).toEqual([
      { progressToken: "t", progress: 1, message: user },
      { progressToken: "t", progress: 1, message: user },
    ]);
  }
});
