/**
 * Tasks of 2026-07-28, the extension `io.modelcontextprotocol/tasks`. No SDK has them, so that the
 * client without one declares them in its requests.
 */
import { z } from "zod";
import { eventually } from "../../support/eventually.ts";
import { answerTo, capabilities } from "./client-answers.ts";
import type { Json, Outcome } from "./matrix-client.ts";
import type { Feature, Site } from "./site.ts";
import { resultOf } from "./site.ts";

const extension = "io.modelcontextprotocol/tasks";
const _meta = {
  "io.modelcontextprotocol/clientCapabilities": {
    ...capabilities,
    extensions: { [extension]: {} },
  },
};
const record = z.record(z.string(), z.unknown());
const created = z.looseObject({ resultType: z.literal("task"), taskId: z.string() });
const asked = z.record(z.string(), z.object({ method: z.string(), params: record }));

function request({ client }: Site, method: string, params: Json): Promise<Outcome> {
  return client.request(method, { ...params, _meta });
}

async function begin(site: Site, tool: string, args: Json = {}): Promise<string> {
  const params = { name: site.nameOf(tool), arguments: args };
  return created.parse(resultOf(await request(site, "tools/call", params))).taskId;
}

async function get(site: Site, taskId: string): Promise<Json> {
  return resultOf(await request(site, "tasks/get", { taskId }));
}

async function until(site: Site, taskId: string, wanted: string): Promise<Json> {
  await eventually(async () => (await get(site, taskId))["status"] === wanted, 30_000);
  return known(await get(site, taskId), taskId);
}

function known(value: Json, taskId: string): Json {
  return record.parse(JSON.parse(JSON.stringify(value).replaceAll(taskId, "<task>")));
}

function row(name: string, tool: string, run: (site: Site) => Promise<unknown>): Feature {
  return {
    name,
    covers: [`capability extensions.${extension}`, `tool ${tool}`],
    exists: (_, server, kind) => kind === "raw modern" && server === "modern",
    run,
  };
}

export const extensionTaskFeatures: readonly Feature[] = [
  row("runs a call as a task", "slow_compute", async (site) => {
    const taskId = await begin(site, "slow_compute", { seconds: 0.3, label: "sums" });
    return await until(site, taskId, "completed");
  }),
  row("has a task that fails as a tool does", "failing_job", async (site) => {
    return await until(site, await begin(site, "failing_job"), "completed");
  }),
  row("has a task that fails as a server does", "protocol_error_job", async (site) => {
    return await until(site, await begin(site, "protocol_error_job"), "failed");
  }),
  row("cancels a task", "slow_compute", async (site) => {
    const taskId = await begin(site, "slow_compute", { seconds: 20 });
    const cancelled = await request(site, "tasks/cancel", { taskId });
    return [cancelled, await until(site, taskId, "cancelled")];
  }),
  row("answers what a task asks", "confirm_delete", async (site) => {
    const taskId = await begin(site, "confirm_delete", { filename: "notes.txt" });
    const asking = await until(site, taskId, "input_required");
    const answers = Object.entries(asked.parse(asking["inputRequests"])).map(
      ([key, question]) => [key, answerTo(question, [])] as const,
    );
    const inputResponses = Object.fromEntries(answers);
    const updated = await request(site, "tasks/update", { taskId, inputResponses });
    return [asking, updated, await until(site, taskId, "completed")];
  }),
  row("asks before it begins a task", "test_tool_with_task", async (site) => {
    return await until(site, await begin(site, "test_tool_with_task"), "completed");
  }),
  row("knows no task that is not its client's", "slow_compute", async (site) => {
    const outcome = await request(site, "tasks/get", { taskId: "no-such-task" });
    return "error" in outcome ? outcome.error.code : outcome;
  }),
];
