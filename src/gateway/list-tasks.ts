/**
 * The tasks that a principal made through this gateway, as their servers list them now.
 */
import { isRecord } from "../contract/json.ts";
import { isInScope } from "../contract/principal.ts";
import { toolAction } from "./action/resolve.ts";
import { isBlocked } from "./action/stopped.ts";
import { sealTask } from "./action/tasks.ts";
import { isTaskGuarded } from "./hear-upstream.ts";
import type { Client } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { withoutReservedMeta } from "./reserved-members.ts";
import { cleanMembers, textRulesOf } from "./texts/clean-members.ts";

type Task = Readonly<Record<string, unknown>>;

const maxPages = 16;
/** The client gets another one in its place. */
const names: ReadonlySet<string> = new Set(["taskId"]);

/** All tasks, under the ids that the client knows. */
export async function listTasks(parts: GatewayParts, client: Client): Promise<readonly Task[]> {
  if (isBlocked(parts, client.principal)) return [];
  const servers = parts.fleet.servers.flatMap((server) => {
    const greeting = parts.fleet.known(server, client);
    const tasks = greeting?.capabilities["tasks"];
    const isListing = greeting?.era === "legacy" && isRecord(tasks) && isRecord(tasks["list"]);
    return isListing && isInScope(client.principal, server.id) ? [server.id] : [];
  });
  const lists = await Promise.all(servers.map((server) => tasksOf(parts, client, server)));
  return lists.flat();
}

async function tasksOf(
  parts: GatewayParts,
  client: Client,
  server: string,
): Promise<readonly Task[]> {
  const found: Task[] = [];
  const timeoutMs = parts.config.servers.get(server)?.callTimeoutMs ?? 0;
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const params = cursor === undefined ? {} : { cursor: JSON.stringify(cursor) };
    const wanted = { method: "tasks/list", params, timeoutMs };
    const reply = await parts.fleet.request(server, client, wanted);
    if (reply.kind !== "result") return found;
    const { tasks, nextCursor } = reply.result.value;
    if (!Array.isArray(tasks)) return found;
    const shown = await Promise.all(tasks.map((task) => presentTask(parts, client, server, task)));
    found.push(...shown.flat());
    if (typeof nextCursor !== "string") return found;
    cursor = nextCursor;
  }
  return found;
}

/** None of a tool that its principal does not see, or not any more. */
async function presentTask(
  parts: GatewayParts,
  client: Client,
  server: string,
  task: unknown,
): Promise<readonly Task[]> {
  if (!isRecord(task) || typeof task["taskId"] !== "string") return [];
  const { principal } = client;
  const id = task["taskId"];
  const tool = parts.tasks.toolOf(principal.key, server, id);
  if (tool === undefined || !(await isToolSeen(parts, client, server, tool))) return [];
  const settings = parts.config.servers.get(server);
  const words = settings && cleanMembers(textRulesOf(settings), withoutReservedMeta(task), names);
  if (words === undefined) return [];
  const { statusMessage, ...told } = words;
  const continuity = parts.tasks.continuityOf(principal.key, server, id);
  const isWordless =
    statusMessage === undefined ||
    isBlocked(parts, principal, { server, tool }) ||
    isTaskGuarded(parts, principal, server, id);
  return [
    {
      ...told,
      ...(isWordless ? {} : { statusMessage }),
      taskId: sealTask(parts.seal, continuity, { server, id, tool }),
    },
  ];
}

async function isToolSeen(
  { config, fleet, visibility }: GatewayParts,
  client: Client,
  server: string,
  name: string,
): Promise<boolean> {
  const settings = config.servers.get(server);
  const tool = fleet.catalogOf(client).tool(server, name);
  if (settings === undefined || tool === undefined || tool.isChanged) return false;
  const seenAs = toolAction(settings, tool, "tool_call");
  return (await visibility.of(client.principal, seenAs)).isVisible;
}
