/**
 * Requests through the typed methods of an SDK's client, because these are what programs use: they
 * check results and strip what they do not know. Both SDKs name them alike.
 */
import { z } from "zod";
import type { Json, Message, Outcome, RequestOptions } from "./matrix-client.ts";

/** The typed methods, as loosely as both SDKs fit into. */
export interface SdkMethods {
  listTools(params: object | undefined, options: object): Promise<object>;
  listPrompts(params: object | undefined, options: object): Promise<object>;
  listResources(params: object | undefined, options: object): Promise<object>;
  listResourceTemplates(params: object | undefined, options: object): Promise<object>;
  getPrompt(params: object, options: object): Promise<object>;
  readResource(params: object, options: object): Promise<object>;
  subscribeResource(params: object, options: object): Promise<object>;
  unsubscribeResource(params: object, options: object): Promise<object>;
  complete(params: object, options: object): Promise<object>;
  ping(options: object): Promise<object>;
}

/** What differs between the SDKs. */
export interface SdkDifferences {
  readonly callTool: (params: object, options: object) => Promise<object>;
  /** For what has no method of its own. */
  readonly anything: (method: string, params: Json, options: object) => Promise<object>;
}

const timeout = 60_000;
const failure = z.object({ code: z.union([z.number(), z.string()]), message: z.string() });
export const anyResult = z.looseObject({});

/** Sends a request as a program with this SDK would; a failure is a value. */
export async function sdkRequest(
  client: SdkMethods,
  others: SdkDifferences,
  { method, params }: Message,
  { signal, onProgress }: RequestOptions,
): Promise<Outcome> {
  const options = {
    timeout,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onprogress: (progress: Json) => onProgress(progress) }),
  };
  try {
    return { result: anyResult.parse(await send(client, others, { method, params }, options)) };
  } catch (thrown) {
    if (signal?.aborted === true) return { ended: "aborted" };
    return { error: readFailure(thrown) };
  }
}

async function send(
  client: SdkMethods,
  { callTool, anything }: SdkDifferences,
  { method, params }: Message,
  options: object,
): Promise<object> {
  switch (method) {
    case "tools/list":
      return await client.listTools(params, options);
    case "prompts/list":
      return await client.listPrompts(params, options);
    case "resources/list":
      return await client.listResources(params, options);
    case "resources/templates/list":
      return await client.listResourceTemplates(params, options);
    case "tools/call":
      if (params["task"] !== undefined) return await anything(method, params, options);
      return await callTool(params, options);
    case "prompts/get":
      return await client.getPrompt(params, options);
    case "resources/read":
      return await client.readResource(params, options);
    case "resources/subscribe":
      return await client.subscribeResource(params, options);
    case "resources/unsubscribe":
      return await client.unsubscribeResource(params, options);
    case "completion/complete":
      return await client.complete(params, options);
    case "ping":
      return await client.ping(options);
    default:
      return await anything(method, params, options);
  }
}

/** A JSON-RPC error as it came; anything else that was thrown is the SDK's own and has no number. */
function readFailure(thrown: unknown): { readonly code: number; readonly message: string } {
  const read = failure.safeParse(
    thrown instanceof Error && "code" in thrown
      ? { code: thrown.code, message: thrown.message }
      : thrown,
  );
  if (!read.success || typeof read.data.code === "string") {
    return { code: 0, message: String(thrown) };
  }
  const { code, message } = read.data;
  return { code, message: message.replace(/^MCP error -?\d+: /, "") };
}
