/**
 * The action and the target of a case, in the nouns of the gateway. Who is known to the configuration
 * has what it says of them, unless the case says otherwise.
 */
import { newId } from "../../../config/ambient.ts";
import type { GatewayConfig, ServerConfig } from "../../../config/config.ts";
import type { AgentIdentity, ConversationContext } from "../../../contract/policy-input.ts";
import type { UserIdentity } from "../../../contract/policy-input.ts";
import type { Principal } from "../../../contract/principal.ts";
import { principalOf } from "../../../contract/principal.ts";
import type { Action, Target } from "../../../gateway/action/action.ts";
import { actionAt, toolAction } from "../../../gateway/action/resolve.ts";
import type { CatalogTool } from "../../../mcp/catalog/catalog-item.ts";
import { readTool } from "../../../mcp/catalog/read-tool.ts";
import { exitCodes } from "../../exit-code.ts";
import { CliError } from "../../io.ts";
import { printable } from "../../printable.ts";
import type { Sightings, StackCase } from "./stack-case.ts";

/** The configuration in the circumstances of a case. */
export function configOf(config: GatewayConfig, { environment = {} }: StackCase): GatewayConfig {
  const { region = config.environment.region } = environment;
  const { is_production = config.environment.is_production } = environment;
  return { ...config, environment: { region, is_production } };
}

/** What is done, by whom. */
export function actionOf(config: GatewayConfig, one: StackCase, timeMs: number): Action {
  const { call } = one;
  return {
    type: call.type ?? typeOf(call),
    principal: principalFor(config, one),
    claim: { name: "policy test --stack", version: "1" },
    protocolVersion: "2025-11-25",
    asked: nameOf(call),
    sent: call.uri === undefined ? { args: JSON.stringify(call.arguments ?? {}) } : {},
    dropped: [],
    decisionId: newId(),
    timeMs,
    startedMs: 0,
  };
}

/** @throws CliError for a server that the configuration does not have */
export function targetOf(config: GatewayConfig, { name, call }: StackCase): Target {
  const server = config.servers.get(call.server);
  if (server === undefined || server.disabled) {
    const known = [...config.servers.keys()].join(", ");
    throw invalid(name, `expected call.server to be one of ${known}, found "${call.server}"`);
  }
  const type = call.type ?? typeOf(call);
  if (type === "tool_call") {
    const tool = toolOf(name, call, server);
    const action = toolAction(server, tool, type);
    return { server, name: tool.name, tool, action, seenAs: action };
  }
  const about = call.prompt === undefined ? { uri: call.uri ?? "" } : { prompt: call.prompt };
  const action = actionAt(server, type, about);
  return { server, name: nameOf(call), tool: undefined, action, seenAs: action };
}

/** The conversation as the organisation's layers see it, and as the server's own bundle does. */
export function conversationOf({ call, conversation = {} }: StackCase): {
  readonly everyone: ConversationContext;
  readonly own: ConversationContext;
} {
  const { data_classes_seen: classes, labels_seen: labels, ...said } = conversation;
  const factsOf = (server?: string): ConversationContext => {
    const data_class_sources = sourcesOf(classes, server);
    const label_sources = sourcesOf(labels, server);
    const called = said.servers_called ?? [];
    return {
      conversation_id: said.conversation_id ?? "stack-test",
      turn_count: said.turn_count ?? 0,
      cumulative_tokens: said.cumulative_tokens ?? 0,
      session_age_seconds: said.session_age_seconds ?? 0,
      data_classes_seen: Object.keys(data_class_sources),
      labels_seen: Object.keys(label_sources),
      data_class_sources,
      label_sources,
      servers_called: server === undefined ? called : called.filter((one) => one === server),
    };
  };
  return { everyone: factsOf(), own: factsOf(call.server) };
}

/** By name; `server`: only what came from there. */
function sourcesOf(
  seen: Sightings = [],
  server: string | undefined,
): Readonly<Record<string, readonly string[]>> {
  const entries = Array.isArray(seen)
    ? seen.map((name): readonly [string, readonly string[]] => [name, []])
    : Object.entries(seen);
  if (server === undefined) return Object.fromEntries(entries);
  const own = entries.filter(([, servers]) => servers.includes(server));
  return Object.fromEntries(own.map(([name]) => [name, [server]]));
}

type Call = StackCase["call"];

function typeOf({ tool, prompt }: Call): "tool_call" | "prompt_get" | "resource_read" {
  if (tool !== undefined) return "tool_call";
  return prompt === undefined ? "resource_read" : "prompt_get";
}

function nameOf({ tool, prompt, uri }: Call): string {
  return tool ?? prompt ?? uri ?? "";
}

/** As its server would list it; without a schema any arguments fit. */
function toolOf(
  caseName: string,
  { tool, annotations = {}, input_schema: inputSchema = { type: "object" } }: Call,
  { id: server }: ServerConfig,
): CatalogTool {
  const reading = readTool({ name: tool, inputSchema, annotations });
  if (!reading.ok) throw invalid(caseName, `call.tool cannot be a tool: ${reading.reason}`);
  const { item } = reading;
  const exposedName = `${server}__${item.name}`;
  const shown = item.definition;
  return { ...item, kind: "tool", server, exposedName, shown, isChanged: false };
}

function principalFor(config: GatewayConfig, one: StackCase): Principal {
  const { tenant } = config;
  return principalOf({
    tenant,
    agent: agentOf(config, one),
    user: userOf(config, one),
    servers: undefined,
  });
}

function agentOf(config: GatewayConfig, { agent = config.agent.id }: StackCase): AgentIdentity {
  const said = typeof agent === "string" ? { id: agent } : agent;
  const own = said.id === config.agent.id ? config.agent : undefined;
  const known = own ?? config.agents.get(said.id);
  return {
    id: said.id,
    version: either(said.version, known?.version),
    scope: either(said.scope, known?.scope),
    owner_team: either(said.owner_team, known?.owner_team),
    model: either(said.model, known?.model),
    parent: either(said.parent, known?.parent),
    authenticated: said.authenticated ?? known?.authenticated ?? true,
  };
}

function userOf(config: GatewayConfig, { user = config.user.id }: StackCase): UserIdentity {
  const said = typeof user === "string" ? { id: user } : user;
  const known = said.id === config.user.id ? config.user : undefined;
  return {
    id: said.id,
    groups: said.groups ?? known?.groups ?? [],
    data_classifications_authorized:
      said.data_classifications_authorized ?? known?.data_classifications_authorized ?? [],
  };
}

function either(said: string | null | undefined, known: string | null = null): string | null {
  return said === undefined ? known : said;
}

function invalid(caseName: string, message: string): CliError {
  return new CliError(exitCodes.invalid, printable(`case "${caseName}": ${message}`));
}
