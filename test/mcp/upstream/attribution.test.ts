/**
 * Whom a server asks where its questions name no request: whoever called last, who is told where it
 * may as well be about another call.
 */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { CarrierSink } from "../../../src/mcp/upstream/carrier.ts";
import { Connection } from "../../../src/mcp/upstream/connection.ts";
import type {
  ClientAnswer,
  UpstreamRequest,
} from "../../../src/mcp/upstream/upstream-connection.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";

const legacy = { era: "legacy", protocolVersion: "2025-11-25" } as const;

/** A connection on a carrier whose other end is the test. */
function open() {
  const sent: number[] = [];
  const posted: JsonObject[] = [];
  const asked: [string, boolean][] = [];
  let sink: CarrierSink | undefined;
  const connection = new Connection({
    log: createTestLog(),
    listener: {},
    carry: (own) => {
      sink = own;
      return {
        refusal: () => undefined,
        send: ({ id }) => void sent.push(id),
        abandon: () => {},
        post: async (text) => {
          posted.push(JSON.parse(text));
          return undefined;
        },
        speak: () => {},
      };
    },
  });
  connection.speak(legacy);
  const call = (name: string, more: Partial<UpstreamRequest> = {}) =>
    connection.request({
      method: "tools/call",
      params: {},
      timeoutMs: 60_000,
      onRequest: async ({ isAttributed }): Promise<ClientAnswer> => {
        asked.push([name, isAttributed]);
        return { kind: "result", resultJson: "{}" };
      },
      ...more,
    });
  const result = { bytes: Buffer.from("{}"), value: {}, members: new Map() };
  const answer = (id: number): void => sink?.receive({ kind: "result", id, result }, "shared");
  const ask = (id: string, channel: "shared" | "standing" | number = "shared"): void =>
    sink?.receive(
      { kind: "request", id, method: "elicitation/create", params: {}, bytes: 2 },
      channel,
    );
  return { connection, call, answer, ask, sent, posted, asked };
}

describe("a question that names no request", () => {
  test("is that of the only call that is open", async () => {
    const { call, ask, posted, asked, sent } = open();
    void call("a");
    expect(sent).toEqual([1]);
    ask("q-1");
    await eventually(() => posted.length === 1);
    expect(asked).toEqual([["a", true]]);
  });

  test("is no call's where one client has two open", async () => {
    const { call, ask, posted, asked, sent } = open();
    void call("a");
    void call("a");
    expect(sent).toEqual([1, 2]);
    ask("q-1");
    await eventually(() => posted.length === 1);
    expect(asked).toEqual([["a", false]]);
  });

  test("is that of the only call where somebody listens besides", async () => {
    const { call, ask, posted, asked } = open();
    void call("a");
    void call("b", { method: "subscriptions/listen" });
    ask("q-1");
    await eventually(() => posted.length === 1);
    expect(asked).toEqual([["a", true]]);
  });

  test("is put to the newest where several could be meant, and says so", async () => {
    const { call, ask, answer, posted, asked, sent } = open();
    const [, second] = [call("a"), call("b")];
    expect(sent).toEqual([1, 2]);
    ask("q-1");
    await eventually(() => posted.length === 1);
    answer(2);
    await second;
    ask("q-2");
    await eventually(() => posted.length === 2);
    expect(asked).toEqual([
      ["b", false],
      ["a", true],
    ]);
  });

  test("is no question to those that cannot be asked", async () => {
    const { call, ask, posted, asked } = open();
    void call("a");
    void call("b", { onRequest: undefined });
    ask("q-1");
    await eventually(() => posted.length === 1);
    expect(asked).toEqual([["a", true]]);
  });

  test("is attributed where it comes on the stream of its request", async () => {
    const { call, ask, posted, asked } = open();
    void call("a");
    void call("b");
    ask("q-1", 1);
    await eventually(() => posted.length === 1);
    expect(asked).toEqual([["a", true]]);
  });
});
