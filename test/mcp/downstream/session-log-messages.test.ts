import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import { codesOf, modernMeta, open, openGreeted, replyOf } from "./open-session.ts";

describe("log messages", () => {
  const log = (level: string) => ({
    method: "notifications/message",
    params: { level, data: level },
  });
  const levelsOf = (sent: readonly JsonObject[]): readonly unknown[] =>
    sent
      .filter(({ method }) => method === "notifications/message")
      .map(({ params }) => Object(params).level);

  test("of a legacy session are all told until it asks for a level", async () => {
    const { request, say, sent } = await openGreeted(({ onNotification }) => {
      for (const level of ["debug", "warning", "error"]) onNotification(log(level));
      return replyOf({ content: [] });
    });
    await request(1, "tools/call", { name: "t" });
    say("notifications/message", { level: "debug" });
    expect(levelsOf(sent)).toEqual(["debug", "warning", "error", "debug"]);
    sent.length = 0;
    await request(2, "logging/setLevel", { level: "warning" });
    await request(3, "tools/call", { name: "t" });
    for (const level of ["info", "emergency", "made up"]) say("notifications/message", { level });
    expect(levelsOf(sent)).toEqual(["warning", "error", "emergency"]);
  });

  test("of a modern request are those that it asked for, and none without asking", async () => {
    const { request, sent, actions } = open(({ onNotification }) => {
      for (const level of ["debug", "warning", "error"]) onNotification(log(level));
      return replyOf({ content: [] });
    });
    await request(1, "tools/call", { name: "t", _meta: modernMeta });
    expect(levelsOf(sent)).toEqual([]);
    const _meta = { ...modernMeta, "io.modelcontextprotocol/logLevel": "warning" };
    await request(2, "tools/call", { name: "t", _meta });
    expect(levelsOf(sent)).toEqual(["warning", "error"]);
    expect(actions.map(({ logLevel }) => logLevel)).toEqual([undefined, "warning"]);
  });

  test("of a modern request at a level that is none are an error", async () => {
    const { request, sent, actions } = open();
    const _meta = { ...modernMeta, "io.modelcontextprotocol/logLevel": "loud" };
    await request(1, "tools/call", { name: "t", _meta });
    expect([codesOf(sent), actions]).toEqual([[-32_602], []]);
  });

  test("are told for a request as long as it is open", async () => {
    let late = (): void => {};
    const { request, sent } = await openGreeted(({ onNotification }) => {
      late = () => onNotification(log("error"));
      return replyOf({ content: [] });
    });
    await request(1, "tools/call", { name: "t" });
    late();
    expect(levelsOf(sent)).toEqual([]);
  });

  test("belong to their request, and others to none", async () => {
    const { request, say, related } = await openGreeted(({ onNotification }) => {
      onNotification(log("error"));
      return replyOf({ content: [] });
    });
    await request("mine", "tools/call", { name: "t" });
    say("notifications/message", { level: "error" });
    expect(related).toEqual(["mine", "mine", undefined]);
  });
});
