/**
 * Tasks of 2025-11-25, as `server-everything` has them: created by a call, looked at, listed,
 * cancelled, and asked for their result, which may ask in turn.
 */
import { z } from "zod";
import { eventually } from "../../support/eventually.ts";
import type { Json } from "./matrix-client.ts";
import type { Feature, Site } from "./site.ts";
import { legacyOnly, resultOf } from "./site.ts";

const tool = "simulate-research-query";
const created = z.object({ task: z.looseObject({ taskId: z.string() }) });
const listed = z.object({ tasks: z.array(z.object({ taskId: z.string() })) });

async function begin({ client, nameOf }: Site, args: Json): Promise<string> {
  const params = { name: nameOf(tool), arguments: args, task: { ttl: 120_000 } };
  return created.parse(resultOf(await client.request("tools/call", params))).task.taskId;
}

async function statusOf({ client }: Site, taskId: string): Promise<unknown> {
  return resultOf(await client.request("tasks/get", { taskId }))["status"];
}

async function until(site: Site, taskId: string, wanted: string): Promise<void> {
  await eventually(async () => (await statusOf(site, taskId)) === wanted, 30_000);
}

/** What was renewed at each run, and what nobody can predict, taken out. */
function known(task: Json): Json {
  const { taskId, createdAt, lastUpdatedAt, statusMessage, ...rest } = task;
  const types = [taskId, createdAt, lastUpdatedAt, statusMessage].map((member) => typeof member);
  return { ...rest, types };
}

const runsToItsEnd: Feature = {
  name: "runs a task to its end",
  covers: ["tool simulate-research-query", "capability tasks", "capability tasks.list"],
  exists: legacyOnly,
  aside: true,
  run: async (site) => {
    const { client } = site;
    const taskId = await begin(site, { topic: "mosses" });
    const first = known(resultOf(await client.request("tasks/get", { taskId })));
    const { tasks } = listed.parse(resultOf(await client.request("tasks/list")));
    await until(site, taskId, "completed");
    const result = await client.request("tasks/result", { taskId });
    return {
      first,
      isListed: tasks.some((task) => task.taskId === taskId),
      result: named(result, taskId),
    };
  },
};

const asks: Feature = {
  name: "runs a task that asks",
  covers: [
    "capability tasks.requests",
    "capability tasks.requests.tools",
    "capability tasks.requests.tools.call",
  ],
  exists: legacyOnly,
  aside: true,
  run: async (site) => {
    const taskId = await begin(site, { topic: "python", ambiguous: true });
    await until(site, taskId, "input_required");
    const { asked } = site.client;
    const result = await site.client.request("tasks/result", { taskId });
    const questions = asked.filter(({ params }) => JSON.stringify(params).includes("python"));
    return named({ result, questions }, taskId);
  },
};

const cancels: Feature = {
  name: "cancels a task",
  covers: ["capability tasks.cancel"],
  exists: legacyOnly,
  run: async (site) => {
    const { client } = site;
    const taskId = await begin(site, { topic: "ferns" });
    const cancelled = known(resultOf(await client.request("tasks/cancel", { taskId })));
    const unknown = await client.request("tasks/get", { taskId: "no-such-task" });
    return { cancelled, status: await statusOf(site, taskId), isUnknown: "error" in unknown };
  },
};

function named(value: unknown, taskId: string): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(taskId, "<task>"));
}

export const taskFeatures: readonly Feature[] = [runsToItsEnd, asks, cancels];
