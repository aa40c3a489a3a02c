/**
 * The SDK's 1.x line as a client of the matrix.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Root } from "./client-answers.ts";
import { capabilities, clientInfo, elicitationAnswer, samplingAnswer } from "./client-answers.ts";
import type { Endpoint } from "./endpoint.ts";
import type { MatrixClient, Message } from "./matrix-client.ts";
import type { SdkMethods } from "./sdk-requests.ts";
import { anyResult, sdkRequest } from "./sdk-requests.ts";
import { tapProgress } from "./tap-progress.ts";

interface LooseClient {
  connect(transport: object): Promise<void>;
  callTool(params: object, schema: undefined, options: object): Promise<object>;
  request(request: object, schema: object, options: object): Promise<object>;
  notification(notification: object): Promise<void>;
}

export async function connectSdkOne(endpoint: Endpoint): Promise<MatrixClient> {
  const client = new Client(clientInfo, { capabilities });
  const asked = answerQuestions(client, endpoint.roots);
  const heard: Message[] = [];
  client.fallbackNotificationHandler = ({ method, params = {} }) => {
    heard.push({ method, params });
    return Promise.resolve();
  };
  const loose: LooseClient = client;
  const typed: SdkMethods = client;
  const { transport, end } = open(endpoint);
  const progress = tapProgress(transport);
  await loose.connect(transport);
  const others = {
    callTool: (params: object, options: object) => loose.callTool(params, undefined, options),
    anything: (method: string, params: object, options: object) =>
      loose.request({ method, params }, anyResult, options),
  };
  return {
    era: "legacy",
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
    listen: () => Promise.reject(new Error("a legacy client has no subscriptions/listen")),
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

function open(endpoint: Endpoint): Opened {
  if (endpoint.carrier === "stdio") {
    const transport = new StdioClientTransport({ ...endpoint.command, stderr: "ignore" });
    return { transport, end: () => Promise.resolve() };
  }
  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url));
  return { transport, end: () => transport.terminateSession() };
}

function answerQuestions(client: Client, roots: readonly Root[]): Message[] {
  const asked: Message[] = [];
  client.setRequestHandler(CreateMessageRequestSchema, ({ method, params }) => {
    asked.push({ method, params });
    return samplingAnswer;
  });
  client.setRequestHandler(ElicitRequestSchema, ({ method, params }) => {
    asked.push({ method, params });
    return elicitationAnswer(params);
  });
  client.setRequestHandler(ListRootsRequestSchema, ({ method, params = {} }) => {
    asked.push({ method, params });
    return { roots: [...roots] };
  });
  return asked;
}
