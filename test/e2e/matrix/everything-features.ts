/**
 * What `@modelcontextprotocol/server-everything` has: a row for each of its tools, prompts and
 * resources, and for each capability that it declares.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { eventually } from "../../support/eventually.ts";
import {
  cancels,
  declares,
  hasItem,
  pings,
  refusesArguments,
  refusesUnknown,
  reportsProgress,
  tellsOfChanges,
  tellsOfUpdates,
} from "./common-features.ts";
import { taskFeatures } from "./everything-tasks.ts";
import type { Json, Message, Outcome } from "./matrix-client.ts";
import type { Feature, Site } from "./site.ts";
import {
  callTool,
  calls,
  hear,
  legacyOnly,
  listAll,
  lists,
  resultOf,
  withQuestions,
} from "./site.ts";

const documents = [
  "architecture.md",
  "extension.md",
  "features.md",
  "how-it-works.md",
  "instructions.md",
  "startup.md",
  "structure.md",
];
const documentUri = (name: string): string => `demo://resource/static/document/${name}`;
const packed = (): Json => ({
  name: `packed-${randomUUID()}.gz`,
  data: "data:text/plain,packed",
});

/** A tool that asks its client in the middle of the call. */
function asks(tool: string, args: Json = {}): Feature {
  return {
    name: `calls ${tool}, which asks`,
    covers: [`tool ${tool}`],
    run: (site) => withQuestions(site, () => callTool(site, tool, args)),
  };
}

function reads(uri: string, ...covers: readonly string[]): Feature {
  return {
    name: `reads ${uri}`,
    covers: ["capability resources", ...covers],
    run: async ({ client }) => untimed(await client.request("resources/read", { uri })),
  };
}

function gets(prompt: string, args: Json): Feature {
  return {
    name: `gets ${prompt}`,
    covers: ["capability prompts", `prompt ${prompt}`],
    run: async ({ client, nameOf }) =>
      untimed(await client.request("prompts/get", { name: nameOf(prompt), arguments: args })),
  };
}

function completes(name: string, ref: (site: Site) => Json, ...all: readonly Json[]): Feature {
  return {
    name: `completes ${name}`,
    covers: ["capability completions"],
    run: async (site) => {
      const outcomes: Outcome[] = [];
      for (const params of all) {
        const sent = { ref: ref(site), ...params };
        outcomes.push(await site.client.request("completion/complete", sent));
      }
      return outcomes;
    },
  };
}

const blob = z.string().transform((text) => Buffer.from(text, "base64").toString("latin1"));

/** Blobs as text, so that the time inside them is seen and taken away. */
function untimed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, member) =>
    key === "blob" ? blob.parse(member).slice(0, 40) : member,
  );
}

const oneText = z.object({ content: z.tuple([z.object({ text: z.string() })]) });
const environment = z.record(z.string(), z.string());

function environmentOf(result: Json): Json {
  const [{ text }] = oneText.parse(result).content;
  const { PATH, ...others } = environment.parse(JSON.parse(text));
  return { PATH, gatewayOwn: Object.keys(others).filter((name) => name.startsWith("MCP_GATEWAY")) };
}

const isLog = ({ method }: Message): boolean => method === "notifications/message";

const signals: readonly Feature[] = [
  reportsProgress("trigger-long-running-operation", { duration: 0.4, steps: 4 }),
  cancels("trigger-long-running-operation", { duration: 5, steps: 5 }),
  {
    name: "logs what it does, from the level on that was set",
    covers: ["capability logging", "tool toggle-simulated-logging"],
    exists: (client) => client === "legacy",
    run: async (site) => {
      await site.client.request("logging/setLevel", { level: "debug" });
      const mark = site.client.heard.length;
      await callTool(site, "toggle-simulated-logging");
      const [first] = await hear(site, mark, isLog);
      await callTool(site, "toggle-simulated-logging");
      await site.client.request("logging/setLevel", { level: "emergency" });
      const quiet = site.client.heard.length;
      await site.client.request("resources/subscribe", { uri: documentUri("features.md") });
      await delay(200);
      await site.client.request("resources/unsubscribe", { uri: documentUri("features.md") });
      const { level, data } = first?.params ?? {};
      const heardAfterwards = site.client.heard.slice(quiet).filter(isLog).length;
      return { types: [typeof level, typeof data], heardAfterwards };
    },
  },
  {
    ...tellsOfUpdates(
      documentUri("startup.md"),
      (site) => callTool(site, "toggle-subscriber-updates"),
      (site) => callTool(site, "toggle-subscriber-updates"),
    ),
    covers: ["capability resources.subscribe", "tool toggle-subscriber-updates"],
  },
  tellsOfChanges(["resources"], (site) => callTool(site, "gzip-file-as-resource", packed())),
  {
    name: "links to a resource that it made, which can be read",
    covers: ["tool gzip-file-as-resource", "capability resources.listChanged"],
    run: async (site) => {
      const args = packed();
      const called = resultOf(await callTool(site, "gzip-file-as-resource", args));
      const [link] = z.array(z.object({ uri: z.string() })).parse(called["content"]);
      const uri = link?.uri ?? "";
      const name = String(args["name"]);
      await eventually(() => hasItem(site, "resources", name), 30_000);
      const read = await site.client.request("resources/read", { uri });
      const whole = { ...args, outputType: "resource" };
      return { called, read, whole: await callTool(site, "gzip-file-as-resource", whole) };
    },
  },
];

const questions: readonly Feature[] = [
  asks("trigger-sampling-request", { prompt: "capital of France", maxTokens: 20 }),
  {
    ...asks("trigger-elicitation-request"),
    name: "is not asked by a form that speaks of a PIN",
    // The gateway's own rule, and the one thing here that it does not let through.
    instead: {
      outcome: {
        result: {
          content: [
            { type: "text", text: "MCP error 40300: Denied by policy (unsafe_elicitation)" },
          ],
          isError: true,
        },
      },
      asked: [],
    },
  },
  asks("trigger-url-elicitation", { url: "https://example.org/go", elicitationId: "e-1" }),
  {
    name: "knows the client's roots",
    covers: ["tool get-roots-list"],
    run: (site) => callTool(site, "get-roots-list"),
  },
  {
    name: "asks again when the client's roots changed",
    covers: [],
    exists: legacyOnly,
    run: async (site) => {
      const mark = site.client.asked.length;
      await site.client.notify("notifications/roots/list_changed");
      const asked = (): readonly Message[] =>
        site.client.asked.slice(mark).filter(({ method }) => method === "roots/list");
      await eventually(() => asked().length > 0, 30_000);
      await delay(300);
      return { asked: asked() };
    },
  },
  {
    name: "answers with the URL that has to be visited first",
    covers: ["tool trigger-url-elicitation"],
    exists: (client) => client === "legacy",
    run: async (site) => {
      const args = { url: "https://example.org/first", elicitationId: "e-2", errorPath: true };
      return await callTool(site, "trigger-url-elicitation", args);
    },
  },
];

const completions: readonly Feature[] = [
  completes(
    "the arguments of a prompt",
    ({ nameOf }) => ({ type: "ref/prompt", name: nameOf("completable-prompt") }),
    { argument: { name: "department", value: "" } },
    {
      argument: { name: "name", value: "E" },
      context: { arguments: { department: "Sales" } },
    },
  ),
  completes(
    "the variable of a resource template",
    () => ({ type: "ref/resource", uri: "demo://resource/dynamic/text/{resourceId}" }),
    { argument: { name: "resourceId", value: "7" } },
  ),
];

export const everythingFeatures: readonly Feature[] = [
  declares("prompts.listChanged", "tools.listChanged"),
  pings,
  refusesUnknown,
  refusesArguments("get-sum", { a: "one", b: 2 }),
  lists("tools", "tools"),
  lists("prompts", "prompts"),
  {
    ...lists("resources", "resources"),
    // Of all sessions of a server there is one list: what one of them made is in that of the next.
    run: async (site) => {
      const listed = await listAll(site, "resources");
      return listed.filter(({ uri }) => !String(uri).includes("/session/"));
    },
    covers: documents.map((name) => `resource ${name}`),
  },
  {
    ...lists("resourceTemplates", "resources"),
    covers: ["template Dynamic Text Resource", "template Dynamic Blob Resource"],
  },
  calls("echo", { message: 'hé ✓ 😀 \u0000 \\ "' }, { message: "x".repeat(100_000) }),
  calls(
    "get-annotated-message",
    { messageType: "error", includeImage: true },
    { messageType: "success" },
    { messageType: "debug" },
  ),
  {
    name: "calls get-env",
    covers: ["tool get-env"],
    // What the operator gave it is there, and nothing of the gateway's own.
    run: async (site) => environmentOf(resultOf(await callTool(site, "get-env"))),
  },
  calls("get-resource-links", { count: 10 }),
  {
    name: "calls get-resource-reference",
    covers: ["tool get-resource-reference"],
    run: async (site) =>
      untimed([
        await callTool(site, "get-resource-reference", { resourceType: "Text", resourceId: 3 }),
        await callTool(site, "get-resource-reference", { resourceType: "Blob", resourceId: 4 }),
        await callTool(site, "get-resource-reference", { resourceType: "Text", resourceId: -1 }),
      ]),
  },
  calls("get-structured-content", { location: "Chicago" }),
  calls("get-sum", { a: 1.5, b: -2 }, { a: 9_007_199_254_740_991, b: 0 }),
  calls("get-tiny-image", {}),
  gets("simple-prompt", {}),
  gets("args-prompt", { city: "Paris", state: "Texas" }),
  gets("completable-prompt", { department: "Sales", name: "Eve" }),
  gets("resource-prompt", { resourceType: "Text", resourceId: "2" }),
  reads(documentUri("features.md")),
  reads("demo://resource/dynamic/text/5"),
  reads("demo://resource/dynamic/blob/6"),
  ...completions,
  ...signals,
  ...questions,
  ...taskFeatures,
];
