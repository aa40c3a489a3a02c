/**
 * What the modern fixture server has: a row for each of its tools, prompts and resources.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  cancels,
  declares,
  logs,
  pings,
  refusesArguments,
  refusesUnknown,
  reportsProgress,
  tellsOfChanges,
} from "./common-features.ts";
import type { Era, Json } from "./matrix-client.ts";
import { extensionTaskFeatures } from "./modern-tasks.ts";
import type { Feature } from "./site.ts";
import { callTool, calls, lists, withQuestions } from "./site.ts";

const isModern = (client: Era): boolean => client === "modern";

const asking: Readonly<Record<string, Json>> = {
  test_sampling: { prompt: "Say something" },
  test_elicitation: { message: "Who are you?" },
  test_elicitation_sep1034_defaults: {},
  test_elicitation_sep1330_enums: {},
  test_missing_capability: {},
  test_input_required_result_elicitation: {},
  test_input_required_result_sampling: {},
  test_input_required_result_list_roots: {},
  test_input_required_result_capabilities: {},
  test_input_required_result_request_state: {},
  test_input_required_result_tampered_state: {},
  test_input_required_result_multiple_inputs: {},
  test_input_required_result_multi_round: {},
  confirm_delete: { filename: "notes.txt" },
  multi_input: {},
};

/** These look at what a request declares, which the fixture has in its newer era alone. */
const modernOnly: ReadonlySet<string> = new Set(["test_input_required_result_capabilities"]);

const questions: readonly Feature[] = Object.entries(asking).map(([tool, args]) => ({
  name: `calls ${tool}, which asks`,
  covers: [`tool ${tool}`],
  exists: (client) => client === "modern" || !modernOnly.has(tool),
  run: (site) => withQuestions(site, () => callTool(site, tool, args)),
}));

const contents: readonly Feature[] = [
  "test_simple_text",
  "test_image_content",
  "test_audio_content",
  "test_embedded_resource",
  "test_multiple_content_types",
  "test_error_handling",
  "test_streaming_elicitation",
  "protocol_error_job",
].map((tool) => calls(tool, {}));

const prompts: Readonly<Record<string, Json>> = {
  test_simple_prompt: {},
  test_prompt_with_arguments: { arg1: "one", arg2: "two" },
  test_prompt_with_embedded_resource: { resourceUri: "test://static-text" },
  test_prompt_with_image: {},
  test_input_required_result_prompt: {},
};

const promptRows: readonly Feature[] = Object.entries(prompts).map(([prompt, args]) => ({
  name: `gets ${prompt}`,
  covers: ["capability prompts", `prompt ${prompt}`],
  run: (site) =>
    withQuestions(site, () =>
      site.client.request("prompts/get", { name: site.nameOf(prompt), arguments: args }),
    ),
}));

const resources: Readonly<Record<string, string>> = {
  "resource static-text": "test://static-text",
  "resource static-binary": "test://static-binary",
  "resource watched-resource": "test://watched-resource",
  "template template": "test://template/7/data",
};

const resourceRows: readonly Feature[] = Object.entries(resources).map(([covers, uri]) => ({
  name: `reads ${uri}`,
  covers: ["capability resources", covers],
  run: ({ client }) => client.request("resources/read", { uri }),
}));

const subscribes: Feature = {
  name: "takes a subscription and its end",
  covers: ["capability resources.subscribe"],
  run: async ({ client }) => {
    const uri = "test://watched-resource";
    if (client.era === "modern") {
      const stop = await client.listen({ resourceSubscriptions: [uri] });
      await stop();
      return "subscribed";
    }
    const subscribed = await client.request("resources/subscribe", { uri });
    return [subscribed, await client.request("resources/unsubscribe", { uri })];
  },
};

export const modernFeatures: readonly Feature[] = [
  // No resource of it ever comes or goes.
  declares("resources.listChanged", "extensions"),
  pings,
  refusesUnknown,
  lists("tools", "tools"),
  lists("prompts", "prompts"),
  lists("resources", "resources"),
  lists("resourceTemplates", "resources"),
  ...contents,
  calls("json_schema_2020_12_tool", { contactMethod: "phone", phone: "1" }),
  refusesArguments("json_schema_2020_12_tool", { contactMethod: "phone", email: "a@b.example" }),
  calls("test_x_mcp_header", { level: 3 }),
  calls("greet", { name: "Ada" }),
  calls("slow_compute", { seconds: 0, label: "sums" }),
  reportsProgress("test_tool_with_progress", {}),
  cancels("slow_compute", { seconds: 8 }),
  logs("test_tool_with_logging", "info", 3),
  logs("test_logging_tool", "debug", 1),
  {
    ...calls("test_reconnection", {}),
    // A client that comes back to a stream is the conformance suite's.
    exists: (_, __, kind) => kind !== "raw legacy",
  },
  ...questions,
  ...promptRows,
  ...resourceRows,
  subscribes,
  {
    name: "completes an argument of a prompt",
    covers: ["capability completions"],
    run: ({ client, nameOf }) =>
      client.request("completion/complete", {
        ref: { type: "ref/prompt", name: nameOf("test_prompt_with_arguments") },
        argument: { name: "arg1", value: "par" },
      }),
  },
  {
    ...tellsOfChanges(["tools"], (site) => callTool(site, "test_trigger_tool_change")),
    covers: ["capability tools.listChanged", "tool test_trigger_tool_change"],
    // It tells the clients of its own era alone.
    exists: isModern,
  },
  {
    ...tellsOfChanges(["prompts"], (site) => callTool(site, "test_trigger_prompt_change")),
    covers: ["capability prompts.listChanged", "tool test_trigger_prompt_change"],
    exists: isModern,
  },
  {
    name: "says nothing to a request that asks for no log",
    covers: [],
    exists: isModern,
    run: async (site) => {
      const mark = site.client.heard.length;
      const outcome = await callTool(site, "test_tool_with_logging");
      await delay(200);
      const isLog = site.client.heard.slice(mark).map(({ method }) => method);
      return { outcome, logs: isLog.filter((method) => method === "notifications/message") };
    },
  },
  refusesArguments("greet", { name: 7 }),
  ...extensionTaskFeatures,
];
