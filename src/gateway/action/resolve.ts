/**
 * Step 1: what a client's name stands for. A name or URI is looked up whole; it is never split.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { ActionType, PolicyAction } from "../../contract/policy-input.ts";
import { continuityKey } from "../../contract/principal.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { ActionRequest, Client, Subject } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";
import { openTask } from "./tasks.ts";

/**
 * `undefined` where no server has such a thing; waits for servers that are listed for the first time,
 * and for one that is moved to another release.
 */
export async function resolve(
  parts: GatewayParts,
  request: ActionRequest,
): Promise<Target | undefined> {
  const target = await find(parts, request);
  if (target === undefined || !parts.fleet.moves.has(target.server.id)) return target;
  await parts.fleet.moves.ended(target.server.id);
  return await find(parts, request);
}

function find(
  parts: GatewayParts,
  { client, subject }: ActionRequest,
): Promise<Target | undefined> {
  switch (subject.type) {
    case "tool_call":
      return toolCall(parts, client, subject.name);
    case "prompt_get":
      return promptGet(parts, client, subject.name);
    case "resource_read":
    case "resource_subscribe":
      return resource(parts, client, subject.type, subject.uri);
    case "completion":
      return completion(parts, client, subject.ref);
    case "task_get":
    case "task_result":
    case "task_cancel":
    case "task_update":
    case "task_subscribe":
      return task(parts, client, subject);
  }
}

/** What policy judges of a tool. */
export function toolAction(
  server: ServerConfig,
  tool: CatalogTool,
  type: ActionType,
): PolicyAction {
  const { annotations, digest: definition_digest } = tool;
  return { annotations, definition_digest, ...actionAt(server, type, { tool: tool.name }) };
}

/** What policy judges of anything that a server does not describe with annotations. */
export function actionAt(
  { id, region, external }: ServerConfig,
  type: ActionType,
  about: JsonObject,
  digest?: string,
): PolicyAction {
  return {
    type,
    direction: "to_server",
    server: id,
    about,
    ...(digest === undefined ? {} : { definition_digest: digest }),
    destination: { region, external },
  };
}

async function toolCall(
  parts: GatewayParts,
  client: Client,
  name: string,
): Promise<Target | undefined> {
  const tool = await parts.fleet.lookUp(client, (catalog) => catalog.toolsByName.get(name));
  const server = tool && parts.config.servers.get(tool.server);
  if (tool === undefined || server === undefined) return undefined;
  const action = toolAction(server, tool, "tool_call");
  return { server, name: tool.name, tool, action, seenAs: action };
}

async function promptGet(
  parts: GatewayParts,
  client: Client,
  name: string,
): Promise<Target | undefined> {
  const prompt = await parts.fleet.lookUp(client, (catalog) => catalog.promptsByName.get(name));
  const server = prompt && parts.config.servers.get(prompt.server);
  if (prompt === undefined || server === undefined) return undefined;
  const action = actionAt(server, "prompt_get", { prompt: prompt.name }, prompt.digest);
  return { server, name: prompt.name, tool: undefined, action, seenAs: action };
}

async function resource(
  parts: GatewayParts,
  client: Client,
  type: "resource_read" | "resource_subscribe",
  exposedUri: string,
): Promise<Target | undefined> {
  const found = await parts.fleet.lookUp(client, () => parts.fleet.routeUri(exposedUri, client));
  const server = found && parts.config.servers.get(found.server);
  if (found === undefined || server === undefined) return undefined;
  const { uri } = found;
  const listed = parts.fleet
    .catalogOf(client)
    .resources.find((item) => item.server === server.id && item.name === uri);
  const seenAs = actionAt(server, "resource_read", { uri }, listed?.digest);
  return { server, name: uri, tool: undefined, action: { ...seenAs, type }, seenAs };
}

/** A completion may be asked by whoever may see what it completes. */
async function completion(
  parts: GatewayParts,
  client: Client,
  ref: Extract<Subject, { type: "completion" }>["ref"],
): Promise<Target | undefined> {
  if ("prompt" in ref) {
    const prompt = await promptGet(parts, client, ref.prompt);
    return prompt && { ...prompt, action: { ...prompt.action, type: "completion" } };
  }
  const template = await parts.fleet.lookUp(client, (catalog) =>
    catalog.templatesByUri.get(ref.uri),
  );
  if (template === undefined) {
    const found = await resource(parts, client, "resource_read", ref.uri);
    return found && { ...found, action: { ...found.action, type: "completion" } };
  }
  const server = parts.config.servers.get(template.server);
  if (server === undefined) return undefined;
  const { name, digest } = template;
  const seenAs = actionAt(server, "resource_read", { uri_template: name }, digest);
  const action = { ...seenAs, type: "completion" } as const;
  return { server, name, tool: undefined, action, seenAs };
}

async function task(
  parts: GatewayParts,
  client: Client,
  { type, taskId }: Extract<Subject, { readonly taskId: string }>,
): Promise<Target | undefined> {
  const name = openTask(parts.seal, continuityKey(client.principal), taskId);
  const tool =
    name && (await parts.fleet.lookUp(client, (catalog) => catalog.tool(name.server, name.tool)));
  const server = tool && parts.config.servers.get(tool.server);
  if (name === undefined || tool === undefined || server === undefined) return undefined;
  const seenAs = toolAction(server, tool, "tool_call");
  const isHeard = type === "task_subscribe";
  const action = { ...seenAs, type: isHeard ? ("task_get" as const) : type };
  return { server, name: name.id, tool, action, seenAs };
}
