/**
 * A session before a gateway that answers what the test says.
 */
import type { CallReply, CallRequest, Gateway } from "../../../src/gateway/gateway.ts";
import { Session } from "../../../src/mcp/downstream/session.ts";
import { createTestLog } from "../../support/log.ts";

/** The envelope of a modern request. */
export const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "modern", version: "9" },
};

/** A gateway that answers what the test says; it stands for the whole rest of the product. */
export function open(answer: (call: CallRequest) => Promise<CallReply> | CallReply = echo) {
  const sent: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const calls: CallRequest[] = [];
  const malformed: string[] = [];
  const state = { isBusy: false };
  let announce = (): void => {};
  const gateway: Gateway = {
    callTool: async (call) => {
      calls.push(call);
      return await answer(call);
    },
    listTools: async () => ({
      version: "v1",
      tools: Array.from({ length: 300 }, (_, index) => ({ name: `s__t${index}`, execution: {} })),
    }),
    refuseMalformed: async (version) => void malformed.push(version),
    onToolsChanged: (listener) => {
      announce = listener;
      return () => {};
    },
    close: async () => {},
  };
  const session = new Session({
    gateway,
    log: createTestLog(),
    isBusy: () => state.isBusy,
    send: (...parts) => {
      const line = parts.map(String).join("");
      raw.push(line);
      sent.push(JSON.parse(line));
    },
  });
  const receive = (message: unknown): Promise<void> =>
    session.receive(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  const request = (id: number | string, method: string, params: object = {}): Promise<void> =>
    receive({ jsonrpc: "2.0", id, method, params });
  return {
    session,
    state,
    sent,
    raw,
    calls,
    malformed,
    receive,
    request,
    announce: () => announce(),
  };
}

export function echo(call: CallRequest): CallReply {
  const text = `{"content":[],"echo":${call.argumentsJson}}`;
  return { kind: "result", origin: "upstream", bytes: Buffer.from(text), value: JSON.parse(text) };
}
