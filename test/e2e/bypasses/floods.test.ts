/**
 * What one principal can take from the others: subscriptions without end, in one request or in many.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { modernClient, modernPost, textOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Open } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["m"]);
  setting = writeHostileConfig(layout, { m: { era: "modern" } }, withTokens());
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

async function listen(user: string, uris: readonly string[], id: number): Promise<Open> {
  const params = { notifications: { resourceSubscriptions: uris } };
  const opened = await gateway.open(modernPost(user, "subscriptions/listen", params, { id }));
  await eventually(() => opened.messages.length > 0, 60_000);
  return opened;
}

const acknowledged = ({ messages }: Open): readonly string[] =>
  Object(Object(messages[0]?.["params"]).notifications).resourceSubscriptions ?? [];

const asked = (): number =>
  setting.received("m").filter((line) => line.includes('"resourceSubscriptions"')).length;

test("whoever subscribes to more than its share gets its share, and takes nothing from others", async () => {
  const uris = Array.from({ length: 1000 }, (_, at) => `memo://notes/${at}`);
  const bobs = [
    await listen("bob", uris, 1),
    await listen(
      "bob",
      uris.map((uri) => `${uri}-b`),
      2,
    ),
  ];
  expect(bobs.map((opened) => acknowledged(opened).length)).toEqual([256, 0]);
  const alices = await listen("alice", ["memo://notes/7"], 3);
  expect(acknowledged(alices)).toEqual(["memo://notes/7"]);
  expect(textOf(await modernClient(gateway, "alice").call("m__echo"))).toContain("echo");
  // None of those that were refused is asked for again, and none of the others twice.
  await eventually(() => asked() >= 257, 60_000);
  await delay(2500);
  expect(asked()).toBe(257);
  for (const opened of [...bobs, alices]) opened.disconnect();
}, 120_000);
