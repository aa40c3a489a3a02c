/**
 * What the gateway says of itself when it is greeted, out of what its servers say: a feature is
 * there where one server has it. Lists are the gateway's own, so that it always tells when they
 * change.
 */
import type { Json, JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { Era } from "../wire/method-table.ts";

/** What a server said of itself when it was connected. */
export interface ServerGreeting {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | undefined;
}

export interface GreetedServer {
  /** Config id. */
  readonly server: string;
  /** `undefined` where it has never answered: it may have everything but tasks and extensions. */
  readonly greeting: ServerGreeting | undefined;
}

export interface MergedGreeting {
  readonly capabilities: JsonObject;
  /** One paragraph for each server that gave instructions, at most 8 KiB; may be empty. */
  readonly instructions: string;
}

const maxInstructionBytes = 8 * 1024;
const separator = "\n\n";
const cutMark = " […]";
const tasksExtension = "io.modelcontextprotocol/tasks";

/** Merges the greetings for a client of one era, in the order of the servers. */
export function mergeGreetings(servers: readonly GreetedServer[], era: Era): MergedGreeting {
  const has = (name: string): boolean =>
    servers.some(
      ({ greeting }) => greeting === undefined || Object.hasOwn(greeting.capabilities, name),
    );
  const extensions = mergeExtensions(servers, era);
  const tasks = era === "legacy" ? mergeTasks(servers) : undefined;
  const capabilities: JsonObject = {
    tools: { listChanged: true },
    ...(has("prompts") ? { prompts: { listChanged: true } } : {}),
    ...(has("resources") ? { resources: mergeResources(servers) } : {}),
    ...(has("completions") ? { completions: {} } : {}),
    ...(has("logging") ? { logging: {} } : {}),
    ...(tasks === undefined ? {} : { tasks }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
  return { capabilities, instructions: mergeInstructions(servers) };
}

function mergeResources(servers: readonly GreetedServer[]): JsonObject {
  const subscribes = servers.some(
    ({ greeting }) =>
      greeting === undefined || memberOf(greeting, "resources")["subscribe"] === true,
  );
  return { listChanged: true, ...(subscribes ? { subscribe: true } : {}) };
}

/** Tasks of 2025-11-25; those of the modern era are an extension. */
function mergeTasks(servers: readonly GreetedServer[]): JsonObject | undefined {
  const all = servers.flatMap(({ greeting }) =>
    greeting?.era === "legacy" && isJsonObject(greeting.capabilities["tasks"])
      ? [greeting.capabilities["tasks"]]
      : [],
  );
  if (all.length === 0) return undefined;
  const calls = all.some(
    ({ requests }) => isJsonObject(requests) && isJsonObject(requests["tools"]),
  );
  return {
    ...(all.some(({ list }) => isJsonObject(list)) ? { list: {} } : {}),
    ...(all.some(({ cancel }) => isJsonObject(cancel)) ? { cancel: {} } : {}),
    ...(calls ? { requests: { tools: { call: {} } } } : {}),
  };
}

/** Of two servers with one extension the first one's settings are said. */
function mergeExtensions(servers: readonly GreetedServer[], era: Era): JsonObject {
  const merged = new Map<string, Json>();
  for (const { greeting } of servers) {
    if (greeting === undefined) continue;
    const speaksTasks = era === "modern" && greeting.era === "modern";
    for (const [name, settings] of Object.entries(memberOf(greeting, "extensions"))) {
      if (merged.has(name) || (name === tasksExtension && !speaksTasks)) continue;
      merged.set(name, settings);
    }
  }
  return Object.fromEntries(merged);
}

/** What short instructions leave of their share goes to those after them. */
function mergeInstructions(servers: readonly GreetedServer[]): string {
  const given = servers.flatMap(({ server, greeting }) => {
    const text = greeting?.instructions?.trim() ?? "";
    return text === "" ? [] : [`${server}: ${text}`];
  });
  let left = maxInstructionBytes;
  const kept = given.map((text, at) => {
    const cut = cutBytes(text, Math.floor(left / (given.length - at)) - separator.length);
    left -= Buffer.byteLength(cut) + separator.length;
    return cut;
  });
  return kept.join(separator);
}

function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const kept = bytes.subarray(0, Math.max(0, maxBytes - Buffer.byteLength(cutMark)));
  // A character that is cut in half is left out whole.
  return `${new TextDecoder().decode(kept, { stream: true })}${cutMark}`;
}

function memberOf({ capabilities }: ServerGreeting, name: string): JsonObject {
  const member = capabilities[name];
  return isJsonObject(member) ? member : {};
}
