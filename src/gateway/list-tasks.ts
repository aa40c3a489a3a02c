/**
 * The tasks that a principal made through this gateway, as their servers list them now.
 */
import { isRecord } from "../contract/json.ts";
import { isInScope } from "../contract/principal.ts";
import { sealTask } from "./action/tasks.ts";
import type { Client } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { withoutReservedMeta } from "./reserved-members.ts";

type Task = Readonly<Record<string, unknown>>;

const maxPages = 16;

/** All tasks, under the ids that the client knows. */
export async function listTasks(parts: GatewayParts, client: Client): Promise<readonly Task[]> {
  const servers = parts.fleet.greetings.flatMap(([server, greeting]) => {
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
    found.push(...tasks.flatMap((task) => presentTask(parts, client, server, task)));
    if (typeof nextCursor !== "string") return found;
    cursor = nextCursor;
  }
  return found;
}

function presentTask(
  parts: GatewayParts,
  { principal }: Client,
  server: string,
  task: unknown,
): readonly Task[] {
  if (!isRecord(task) || typeof task["taskId"] !== "string") return [];
  const id = task["taskId"];
  const tool = parts.tasks.toolOf(principal.key, server, id);
  if (tool === undefined) return [];
  return [
    {
      ...withoutReservedMeta(task),
      taskId: sealTask(parts.seal, principal.key, { server, id, tool }),
    },
  ];
}
