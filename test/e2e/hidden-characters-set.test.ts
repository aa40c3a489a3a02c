/**
 * What the operator can have done with hidden characters and with what is too large, in the shipped
 * program on stdio.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import { reasonsOf } from "./bypasses/clients.ts";
import { buildHostileLayout, writeHostileConfig } from "./bypasses/hostile-setting.ts";
import type { Message } from "./bypasses/http-gateway.ts";
import { answerLine, script } from "./bypasses/scripts.ts";
import { dirty, lists, ordinary, stringsIn, text } from "./hidden-words.ts";

let layout = "";
beforeAll(async () => {
  layout = await buildHostileLayout(["h"]);
});

describe("the operator", () => {
  async function openWith(texts: object, more: object = {}) {
    const other = writeHostileConfig(
      layout,
      { h: { era: "legacy", lists, settings: { texts, ...more } } },
      { texts: { hidden_characters: "keep" } },
    );
    const client = await startRawClient(serveCommand(other.config, other.env));
    return { other, client };
  }
  const say = (result: object) => script(answerLine(result));
  const shownBy = (message: Message) => stringsIn(message["result"]);

  test("can have it removed, and the record says where", async () => {
    const { client, other } = await openWith({ hidden_characters: "remove" });
    const shown = shownBy(await client.call("h__script", say({ content: [text] })));
    expect(shown).toContain(`------- ${ordinary}`);
    expect(await client.end()).toBe(0);
    const [decision] = await other.decisions();
    expect(decision?.outcome).toBe("completed");
    const id = decision?.decision_id ?? "";
    const get = ["decision", "get", id, "-o", "json", "--config", other.config];
    const { stdout } = await runBin(get, other.env);
    expect(stdout).toMatch(/"id": ?"hidden_characters",\s*"type": ?"gateway",\s*"changed": ?8/);
  });

  test("can have such results refused, and ordinary ones pass", async () => {
    const { client, other } = await openWith({ hidden_characters: "refuse" });
    const refused = await client.call("h__script", say({ content: [text] }));
    expect(reasonsOf(refused)).toEqual(["hidden_characters"]);
    expect(shownBy(refused)).toContain("do not make it again");
    expect(shownBy(refused)).not.toContain(ordinary);
    const passed = await client.call("h__script", say({ content: [{ ...text, text: ordinary }] }));
    expect(shownBy(passed)).toContain(ordinary);
    expect(JSON.stringify(await client.request("tools/list"))).not.toContain("h__dirty");
    expect(await client.end()).toBe(0);
    expect((await other.decisions())[0]?.outcome).toBe("completed_withheld");
  });

  test("can keep everything as it is", async () => {
    const { client } = await openWith({});
    expect(shownBy(await client.call("h__script", say({ content: [text] })))).toContain(dirty);
    expect(await client.end()).toBe(0);
  });

  test("can have results withheld that are too large, and they say what to do", async () => {
    const { client } = await openWith({ max_bytes: 2048 });
    const large = say({ content: [{ type: "text", text: "x".repeat(3000) }] });
    const withheld = await client.call("h__script", large);
    expect(reasonsOf(withheld)).toEqual(["result_too_large"]);
    expect(shownBy(withheld)).toMatch(/It has 30\d\d bytes, and 2048 are allowed. Ask for less/);
    expect(shownBy(withheld)).not.toContain("xxx");
    const small = say({ content: [{ type: "text", text: "x".repeat(1000) }] });
    expect(shownBy(await client.call("h__script", small))).toContain("x".repeat(1000));
    expect(await client.end()).toBe(0);
  });

  test("can have results cut that are too large, and they say so", async () => {
    const { client } = await openWith({ max_bytes: 2048, oversize: "truncate" });
    const large = say({ content: [{ type: "text", text: "x".repeat(3000) }] });
    const shown = shownBy(await client.call("h__script", large));
    expect(shown).toMatch(/\nx{2048}\n\[truncated by policy: 952 of 3000 characters left out\]/);
    expect(await client.end()).toBe(0);
  });
});
