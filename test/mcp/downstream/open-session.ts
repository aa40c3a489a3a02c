/**
 * A session before a gateway that answers what the test says.
 */
import type { JsonObject } from "../../../src/contract/json.ts";
import { principalOf } from "../../../src/contract/principal.ts";
import type {
  ActionReply,
  ActionRequest,
  Client,
  ClientEar,
  Gateway,
  ListKind,
} from "../../../src/gateway/gateway.ts";
import { Session } from "../../../src/mcp/downstream/session.ts";
import { readClientMessage } from "../../../src/mcp/wire/read-client-message.ts";
import { createTestLog } from "../../support/log.ts";

/** The envelope of a modern request. */
export const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {
    extensions: { "io.modelcontextprotocol/tasks": {} },
  },
  "io.modelcontextprotocol/clientInfo": { name: "modern", version: "9" },
};

export type Act = (request: ActionRequest) => Promise<ActionReply> | ActionReply;

/** Alice, through the agent bot. */
export const principal = principalOf({
  tenant: "default",
  agent: {
    id: "bot",
    version: null,
    scope: null,
    owner_team: null,
    model: null,
    parent: null,
    authenticated: true,
  },
  user: { id: "alice", groups: [], data_classifications_authorized: [] },
  servers: undefined,
});

/** A session that nobody has greeted, and all that happens on both sides of it. */
export function open(act: Act = echo) {
  const sent: JsonObject[] = [];
  const raw: string[] = [];
  const related: unknown[] = [];
  const actions: ActionRequest[] = [];
  const malformed: Client[] = [];
  /** What the refusals on record are of; `undefined` for what could not be read. */
  const refused: (string | undefined)[] = [];
  /** What the decision log does with a refusal; may be changed. */
  const disk = { refuse: async (): Promise<void> => {} };
  const listeners = new Map<Client, ClientEar>();
  /** What else the gateway was asked, by name. */
  const asked: (readonly [string, ...unknown[]])[] = [];
  const state = { isBusy: false };
  const changes = { ready: Promise.resolve() };
  /** What the servers can do, all together. */
  const declared: Record<string, JsonObject> = { tools: {}, prompts: {}, resources: {} };
  const gateway: Gateway = {
    ready: Promise.resolve(),
    policyStanding: () => "ready",
    recalled: Promise.resolve(),
    greet: ({ era }) => ({
      capabilities: { ...declared, experimental: { era: { name: era } } },
      instructions: "hi",
    }),
    list: async (client, kind) => {
      asked.push(["list", client, kind]);
      return listingOf(kind);
    },
    act: async (request) => {
      actions.push(request);
      return await act(request);
    },
    setLogLevel: (client, level) => void asked.push(["setLogLevel", client, level]),
    rootsChanged: (client) => void asked.push(["rootsChanged", client]),
    unsubscribe: async (client, uri) => void asked.push(["unsubscribe", client, uri]),
    listTasks: async (client) => {
      asked.push(["listTasks", client]);
      return [{ taskId: "t" }];
    },
    listen: (client, ear) => {
      listeners.set(client, ear);
      return () => void listeners.delete(client);
    },
    awaitChanges: () => changes.ready,
    parameterHeaders: async () => new Map(),
    refuseMalformed: async (client, method) => {
      await disk.refuse();
      malformed.push(client);
      refused.push(method);
    },
    forget: (client) => void asked.push(["forget", client]),
    close: async () => {},
  };
  const session = new Session({
    gateway,
    log: createTestLog(),
    principal,
    sessionId: "s1",
    isBusy: () => state.isBusy,
    send: (message) => {
      const line = message.parts.map(String).join("");
      raw.push(line);
      related.push(message.related);
      sent.push(JSON.parse(line));
    },
  });
  const receive = (message: unknown): Promise<void> => {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    return session.receive(readClientMessage(Buffer.from(text)));
  };
  const request = (id: number | string, method: string, params: object = {}): Promise<void> =>
    receive({ jsonrpc: "2.0", id, method, params });
  const notify = (method: string, params: object = {}): Promise<void> =>
    receive({ jsonrpc: "2.0", method, params });
  /** Says something that belongs to no request to every client that listens. */
  const say = (method: string, params: Readonly<Record<string, unknown>> = {}): void => {
    for (const { hear } of listeners.values()) hear({ method, params });
  };
  const records = { malformed, refused, disk };
  const heard = { sent, raw, related, actions, asked, listeners, declared, ...records };
  return { session, state, changes, receive, request, notify, say, ...heard };
}

/** A session whose legacy client was greeted and is ready; what was said until then is left out. */
export async function openGreeted(
  act: Act = echo,
  { protocolVersion = "2025-11-25", capabilities = {} }: Greeted = {},
) {
  const opened = open(act);
  const clientInfo = { name: "legacy", version: "1" };
  await opened.request("greeting", "initialize", { protocolVersion, capabilities, clientInfo });
  await opened.notify("notifications/initialized");
  for (const list of [opened.sent, opened.raw, opened.related]) list.length = 0;
  return opened;
}

interface Greeted {
  readonly protocolVersion?: string;
  readonly capabilities?: object;
}

function listingOf(kind: ListKind) {
  const items = Array.from({ length: 300 }, (_, index) => ({ name: `${kind}-${index}` }));
  return { version: `v-${kind}`, items };
}

/** Answers with the arguments. */
export function echo({ subject }: ActionRequest): ActionReply {
  const args = "argumentsJson" in subject ? subject.argumentsJson : "{}";
  return replyOf(`{"content":[],"echo":${args}}`);
}

/** A result of an upstream, of these bytes. */
export function replyOf(value: string | object): ActionReply {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { kind: "result", origin: "upstream", bytes: Buffer.from(text), value: JSON.parse(text) };
}

/** Resolves when the request is cancelled. */
export async function untilCancelled({ signal }: ActionRequest): Promise<ActionReply> {
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return { kind: "cancelled" };
}

/** Codes of the errors that were sent, `undefined` for what is none. */
export function codesOf(sent: readonly JsonObject[]): readonly unknown[] {
  return sent.map(({ error }) => Object(error).code);
}
