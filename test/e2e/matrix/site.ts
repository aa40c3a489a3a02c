/**
 * One client connected to one server, directly or through the gateway, and what features of the
 * matrix are written with.
 */
import { z } from "zod";
import { eventually } from "../../support/eventually.ts";
import type {
  ClientKind,
  Era,
  Json,
  MatrixClient,
  Message,
  Outcome,
  RequestOptions,
} from "./matrix-client.ts";

export interface Site {
  readonly client: MatrixClient;
  /** Era of the server behind the gateway. */
  readonly server: Era;
  /** The name that this client knows a tool or a prompt by. */
  readonly nameOf: (name: string) => string;
  /** Where the server may work. */
  readonly folder: string;
  /** True: steps of a call may come again. */
  readonly isRepetitive: boolean;
}

/** One feature: what it covers of what a server declares, and how it is seen to work. */
export interface Feature {
  readonly name: string;
  readonly covers: readonly string[];
  /** Default: every pair has it. */
  readonly exists?: (client: Era, server: Era, kind: ClientKind) => boolean;
  /** True: takes long, and nothing else minds. */
  readonly aside?: boolean;
  readonly run: (site: Site) => Promise<unknown>;
  /** Where the gateway speaks itself: what comes of it through the gateway. */
  readonly instead?: unknown;
}

export const legacyOnly = (client: Era, server: Era): boolean =>
  client === "legacy" && server === "legacy";

/** Calls a tool. */
export function callTool(
  { client, nameOf }: Site,
  tool: string,
  args: Json = {},
  options: RequestOptions = {},
): Promise<Outcome> {
  return client.request("tools/call", { name: nameOf(tool), arguments: args }, options);
}

/** A row that calls a tool with each of these arguments. */
export function calls(tool: string, ...all: readonly Json[]): Feature {
  return {
    name: `calls ${tool}`,
    covers: ["capability tools", `tool ${tool}`],
    run: async (site) => {
      const outcomes: Outcome[] = [];
      for (const args of all) outcomes.push(await callTool(site, tool, args));
      return outcomes;
    },
  };
}

const page = z.looseObject({ nextCursor: z.string().optional() });
const items = z.array(z.looseObject({}));
const wholeLists = {
  tools: "tools/list",
  prompts: "prompts/list",
  resources: "resources/list",
  resourceTemplates: "resources/templates/list",
} as const;
export type ListKind = keyof typeof wholeLists;

/** Every page of a list. */
export async function listAll({ client }: Site, kind: ListKind): Promise<readonly Json[]> {
  const found: Json[] = [];
  let cursor: string | undefined;
  do {
    const outcome = await client.request(wholeLists[kind], cursor === undefined ? {} : { cursor });
    const read = page.parse(resultOf(outcome));
    found.push(...items.parse(read[kind]));
    cursor = read.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** A row that compares a whole list in its server's order, whatever its pages. */
export function lists(kind: ListKind, capability: string): Feature {
  return {
    name: `lists ${kind}`,
    covers: [`capability ${capability}`],
    run: (site) => listAll(site, kind),
  };
}

export function resultOf(outcome: Outcome): Json {
  if ("result" in outcome) return outcome.result;
  throw new Error(`expected a result, found ${JSON.stringify(outcome)}`);
}

/** `result`, `tool error` or `error`: for what a server and a gateway word in their own ways. */
export function kindOf(outcome: Outcome): string {
  if ("ended" in outcome) return outcome.ended;
  if ("error" in outcome) return "error";
  return outcome.result["isError"] === true ? "tool error" : "result";
}

/** Waits until a notification came since `mark`, and returns those that did. */
export async function hear(
  { client }: Site,
  mark: number,
  isIt: (message: Message) => boolean,
): Promise<readonly Message[]> {
  const found = (): readonly Message[] => client.heard.slice(mark).filter(isIt);
  await eventually(() => found().length > 0, 30_000);
  return found();
}

const relatedTask = "io.modelcontextprotocol/related-task";

/** Runs `act` and returns what it gave, with what the server asked meanwhile for no task. */
export async function withQuestions(
  { client }: Site,
  act: () => Promise<unknown>,
): Promise<{ readonly outcome: unknown; readonly asked: readonly Message[] }> {
  const mark = client.asked.length;
  const outcome = await act();
  const isOfTask = ({ params }: Message): boolean => JSON.stringify(params).includes(relatedTask);
  return { outcome, asked: client.asked.slice(mark).filter((question) => !isOfTask(question)) };
}
