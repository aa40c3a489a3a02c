/**
 * A gateway that answers what the test says; it stands for the whole rest of the product behind the
 * HTTP front.
 */
import type {
  ActionReply,
  ActionRequest,
  Client,
  ClientEar,
  Gateway,
} from "../../../../src/gateway/gateway.ts";

export type Act = (request: ActionRequest) => Promise<ActionReply> | ActionReply;

export interface FakeGateway {
  readonly gateway: Gateway;
  /** What reached the gateway, in order. */
  readonly actions: ActionRequest[];
  /** Clients whose decided request could not be read. */
  readonly malformed: Client[];
  readonly forgotten: Client[];
  readonly ears: Set<ClientEar>;
  /** Full header name → JSON pointer, of the tool `mirrored`. */
  readonly mirrors: Map<string, string>;
  /** Until then no header is checked against a parameter; `begun`: how many are to be. */
  readonly checking: { begun: number; mayEnd: Promise<void> };
  /** Tells every listening client. */
  readonly announce: (method: string, params?: Readonly<Record<string, unknown>>) => void;
}

export function createFakeGateway(act: Act = echo): FakeGateway {
  const actions: ActionRequest[] = [];
  const malformed: Client[] = [];
  const forgotten: Client[] = [];
  const ears = new Set<ClientEar>();
  const mirrors = new Map<string, string>();
  const checking = { begun: 0, mayEnd: Promise.resolve() };
  const gateway: Gateway = {
    ready: Promise.resolve(),
    policyStanding: () => "ready",
    recalled: Promise.resolve(),
    greet: () => ({ capabilities: { tools: { listChanged: true } }, instructions: "" }),
    list: async () => ({ version: "v1", items: [tool("echo"), tool("mirrored")] }),
    act: async (request) => {
      actions.push(request);
      return await act(request);
    },
    setLogLevel: () => {},
    rootsChanged: () => {},
    unsubscribe: async () => {},
    listTasks: async () => [],
    listen: (_, ear) => {
      ears.add(ear);
      return () => ears.delete(ear);
    },
    awaitChanges: async () => {},
    parameterHeaders: async (_, name) => {
      checking.begun += 1;
      await checking.mayEnd;
      return name === "mirrored" ? mirrors : new Map();
    },
    refuseMalformed: async (client) => void malformed.push(client),
    forget: (client) => void forgotten.push(client),
    close: async () => {},
  };
  const announce: FakeGateway["announce"] = (method, params = {}) => {
    for (const ear of ears) ear.hear({ method, params });
  };
  return { gateway, actions, malformed, forgotten, ears, mirrors, checking, announce };
}

/** Answers with the arguments and the user it was called for. */
export function echo({ subject, client }: ActionRequest): ActionReply {
  const args = "argumentsJson" in subject ? subject.argumentsJson : "{}";
  return textResult(`${client.principal.user.id} ${args}`);
}

export function textResult(text: string): ActionReply {
  const value = { content: [{ type: "text", text }] };
  return { kind: "result", origin: "gateway", bytes: Buffer.from(JSON.stringify(value)), value };
}

/** Resolves when the request was cancelled. */
export async function untilCancelled({ signal }: ActionRequest): Promise<ActionReply> {
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return { kind: "cancelled" };
}

function tool(name: string) {
  return { name, description: "", inputSchema: { type: "object" } };
}
