/**
 * Task ids as clients know them: sealed for one principal and the conversation of the call that made
 * the task, naming the server, its own id and the tool, so that neither a task of somebody else nor one
 * of another conversation can be asked about.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isRecord } from "../../contract/json.ts";
import type { ActionType } from "../../contract/policy-input.ts";
import type { ReplaceString } from "../../mcp/wire/rewrite-strings.ts";
import type { Seal } from "../seal.ts";

const maxRemembered = 10_000;

/** Which tool made which task of which principal: what a list of tasks is filtered and named by. */
export class TaskMemory {
  readonly #tools = new Map<string, { readonly tool: string; readonly continuity: string }>();
  readonly #guarded = new Set<string>();

  /** `continuity`: the principal and conversation that its id is sealed for. */
  remember(principalKey: string, { server, id, tool }: TaskName, continuity: string): void {
    if (this.#tools.size >= maxRemembered) {
      for (const oldest of this.#tools.keys()) {
        this.#tools.delete(oldest);
        this.#guarded.delete(oldest);
        break;
      }
    }
    this.#tools.set(JSON.stringify([principalKey, server, id]), { tool, continuity });
  }

  /** What policy wants changed or judged before this principal sees it goes no other way. */
  guard(principalKey: string, server: string, id: string): void {
    const key = JSON.stringify([principalKey, server, id]);
    if (this.#tools.has(key)) this.#guarded.add(key);
  }

  isGuarded(principalKey: string, server: string, id: string): boolean {
    return this.#guarded.has(JSON.stringify([principalKey, server, id]));
  }

  /** `undefined` for a task that this principal did not make through this gateway. */
  toolOf(principalKey: string, server: string, id: string): string | undefined {
    return this.#tools.get(JSON.stringify([principalKey, server, id]))?.tool;
  }

  /** What the id of such a task is sealed for. */
  continuityOf(principalKey: string, server: string, id: string): string {
    const known = this.#tools.get(JSON.stringify([principalKey, server, id]));
    return known?.continuity ?? principalKey;
  }
}

export interface TaskName {
  readonly server: string;
  /** The server's own id. */
  readonly id: string;
  /** Tool whose call made it. */
  readonly tool: string;
}

/** Whose a task is, and whether its words are for its result alone. */
export interface TaskPlace extends Omit<TaskName, "id"> {
  readonly principalKey: string;
  readonly continuity: string;
  readonly isGuarded: boolean;
}

/** The id for a client, in one conversation. */
export function sealTask(seal: Seal, continuity: string, { server, id, tool }: TaskName): string {
  return seal.close({ s: server, i: id, t: tool }, { purpose: "task", principalKey: continuity });
}

/** What an id stands for; `undefined` where it is none of this conversation's. */
export function openTask(seal: Seal, continuity: string, taskId: string): TaskName | undefined {
  const payload = seal.open(taskId, { purpose: "task", principalKey: continuity }, 0);
  const { s: server, i: id, t: tool } = payload ?? {};
  if (typeof server !== "string" || typeof id !== "string" || typeof tool !== "string") {
    return undefined;
  }
  return { server, id, tool };
}

/** Member of `_meta` that names the task to which a message belongs. */
export const relatedTask = "io.modelcontextprotocol/related-task";

/** That member as the client knows the task; `undefined` where it made no such task. */
export function presentRelatedTask(
  { seal, tasks }: { readonly seal: Seal; readonly tasks: TaskMemory },
  principalKey: string,
  server: string,
  related: unknown,
): JsonObject | undefined {
  const id = isRecord(related) ? related["taskId"] : undefined;
  if (typeof id !== "string") return undefined;
  const tool = tasks.toolOf(principalKey, server, id);
  if (tool === undefined) return undefined;
  const continuity = tasks.continuityOf(principalKey, server, id);
  return { taskId: sealTask(seal, continuity, { server, id, tool }) };
}

/**
 * What `rewriteStrings` has to replace in a result for the client to know its tasks; `undefined`
 * where it names none. A task that a call made is remembered.
 */
export function taskReplacement(
  { seal, tasks }: { readonly seal: Seal; readonly tasks: TaskMemory },
  type: ActionType,
  value: Readonly<Record<string, unknown>>,
  { server, tool, principalKey, continuity, isGuarded }: TaskPlace,
): ReplaceString | undefined {
  if (!namesTasks(type, value)) return undefined;
  return (path, text) => {
    if (!isTaskIdAt(path)) return undefined;
    const name = { server, id: text(), tool };
    if (type === "tool_call") tasks.remember(principalKey, name, continuity);
    if (isGuarded) tasks.guard(principalKey, server, name.id);
    return sealTask(seal, continuity, name);
  };
}

/** True for results that speak of a task of the server. */
function namesTasks(type: ActionType, value: Readonly<Record<string, unknown>>): boolean {
  if (type.startsWith("task_") || value["resultType"] === "task") return true;
  const meta = value["_meta"];
  return isRecord(value["task"]) || (isRecord(meta) && relatedTask in meta);
}

function isTaskIdAt(path: readonly (string | number)[]): boolean {
  const [first, second, third] = path;
  if (path.length === 1) return first === "taskId";
  if (path.length === 2) return first === "task" && second === "taskId";
  return path.length === 3 && first === "_meta" && second === relatedTask && third === "taskId";
}
