/**
 * The SDK's 2.x line as a client of the matrix, in either era.
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { Root } from "./client-answers.ts";
import { capabilities, clientInfo, elicitationAnswer, samplingAnswer } from "./client-answers.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Era, Json, MatrixClient, Message } from "./matrix-client.ts";
import type { SdkMethods } from "./sdk-requests.ts";
import { anyResult, sdkRequest } from "./sdk-requests.ts";
import { tapProgress } from "./tap-progress.ts";

interface LooseClient {
  connect(transport: object): Promise<void>;
  callTool(params: object, options: object): Promise<object>;
  request(request: object, schema: object, options: object): Promise<object>;
  notification(notification: object): Promise<void>;
  listen(filter: Json): Promise<{ close(): Promise<void> }>;
}

export async function connectSdkTwo(endpoint: Endpoint, era: Era): Promise<MatrixClient> {
  const mode = era === "legacy" ? "legacy" : { pin: "2026-07-28" };
  const client = new Client(clientInfo, { capabilities, versionNegotiation: { mode } });
  const asked = answerQuestions(client, endpoint.roots);
  const heard: Message[] = [];
  client.fallbackNotificationHandler = ({ method, params = {} }) => {
    heard.push({ method, params });
    return Promise.resolve();
  };
  const loose: LooseClient = client;
  const typed: SdkMethods = client;
  const { transport, end } = open(endpoint, era);
  const progress = tapProgress(transport);
  await loose.connect(transport);
  const others = {
    callTool: (params: object, options: object) => loose.callTool(params, options),
    anything: (method: string, params: object, options: object) =>
      loose.request({ method, params }, anyResult, options),
  };
  return {
    era,
    greeting: {
      capabilities: { ...client.getServerCapabilities() },
      instructions: client.getInstructions() ?? "",
    },
    heard,
    progress,
    asked,
    request: (method, params = {}, options = {}) =>
      sdkRequest(typed, others, { method, params }, options),
    notify: (method) => loose.notification({ method }),
    listen: async (filter) => {
      const subscription = await loose.listen(filter);
      return () => subscription.close();
    },
    close: async () => {
      await end();
      await client.close();
    },
  };
}

interface Opened {
  readonly transport: StdioClientTransport | StreamableHTTPClientTransport;
  readonly end: () => Promise<void>;
}

function open(endpoint: Endpoint, era: Era): Opened {
  if (endpoint.carrier === "stdio") {
    const transport = new StdioClientTransport({ ...endpoint.command, stderr: "ignore" });
    return { transport, end: () => Promise.resolve() };
  }
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url));
  const end = era === "legacy" ? () => transport.terminateSession() : () => Promise.resolve();
  return { transport, end };
}

function answerQuestions(client: Client, roots: readonly Root[]): Message[] {
  const asked: Message[] = [];
  client.setRequestHandler("sampling/createMessage", ({ method, params }) => {
    asked.push({ method, params });
    return samplingAnswer;
  });
  client.setRequestHandler("elicitation/create", ({ method, params }) => {
    asked.push({ method, params: { ...params } });
    return elicitationAnswer({ ...params });
  });
  client.setRequestHandler("roots/list", ({ method, params = {} }) => {
    asked.push({ method, params });
    return { roots: [...roots] };
  });
  return asked;
}
