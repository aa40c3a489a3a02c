/**
 * Questions of a server that come to a held call at its end: on stdio a question names no call, so
 * the gateway may have taken it for another one's.
 */
import { describe, expect, test } from "vitest";
import { HeldCall } from "../../../src/gateway/action/held-calls.ts";
import { text } from "../fake-server.ts";
import { modernClient, requestOf } from "../open-gateway.ts";

function openCall() {
  const subject = { type: "tool_call", name: "crm__get", argumentsJson: "{}" } as const;
  const call = new HeldCall(
    "1",
    { server: "crm", tool: "get" },
    requestOf(subject, { client: modernClient() }),
  );
  const { signal } = new AbortController();
  const ask = () => call.ask({ method: "elicitation/create", paramsJson: "{}", signal });
  return { call, ask, next: () => call.next(signal) };
}

const refused = { kind: "error", code: -32_603, message: "the call has ended" };

describe("a held call that has ended", () => {
  test("refuses the questions that nobody answered, so that the server does not wait for ever", async () => {
    const { call, ask, next } = openCall();
    const [first, second] = [ask(), ask()];
    call.end(text("done"));
    expect(await Promise.all([first, second])).toEqual([refused, refused]);
    expect(await next()).toMatchObject({ kind: "ended" });
  });

  test("refuses a question that comes later", async () => {
    const { call, ask } = openCall();
    call.end(text("done"));
    expect(await ask()).toEqual(refused);
  });
});
