/**
 * A server with more than 250 tools, and lists that change, through the gateway as directly.
 */
import {
  cancels,
  declares,
  hasItem,
  logs,
  pings,
  refusesUnknown,
  reportsProgress,
  tellsOfChanges,
} from "./common-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { wide } from "./servers.ts";
import type { Feature, ListKind, Site } from "./site.ts";
import { callTool, calls, listAll, lists, resultOf, withQuestions } from "./site.ts";

const counts = { tools: 270, prompts: 120, resources: 230, resourceTemplates: 110 } as const;
const prefixes = { tools: "tool-", prompts: "prompt-", resources: "r", resourceTemplates: "t" };
const kinds = {
  tools: "tool",
  prompts: "prompt",
  resources: "resource",
  resourceTemplates: "template",
};

/** Every numbered thing of a kind; that it is listed is how it is seen. */
function numbered(kind: ListKind): Feature {
  const names = [...Array(counts[kind]).keys()].map((index) => `${prefixes[kind]}${index}`);
  return {
    name: `lists each of ${counts[kind]} ${kind} once`,
    covers: names.map((name) => `${kinds[kind]} ${name}`),
    run: async (site) => {
      const listed = (await listAll(site, kind)).map(({ name }) => String(name));
      const found = names.map((name) =>
        kind === "tools" || kind === "prompts" ? site.nameOf(name) : name,
      );
      const missing = found.filter((name) => !listed.includes(name));
      return { missing, isEachOnce: new Set(listed).size === listed.length };
    },
  };
}

async function cancelledCalls(site: Site): Promise<number> {
  const { content } = resultOf(await callTool(site, "cancelled"));
  return Number(/\d+/.exec(JSON.stringify(content))?.[0]);
}

describeMatrix({
  server: wide,
  features: [
    declares(),
    pings,
    refusesUnknown,
    lists("tools", "tools"),
    lists("prompts", "prompts"),
    lists("resources", "resources"),
    lists("resourceTemplates", "resources"),
    numbered("tools"),
    numbered("prompts"),
    numbered("resources"),
    numbered("resourceTemplates"),
    calls("tool-269", {}),
    {
      name: "asks for a form, for sampling and for roots in one call",
      covers: ["tool ask"],
      run: (site) => withQuestions(site, () => callTool(site, "ask")),
    },
    // A client that has to go for its answer hears what was said while it was away.
    reportsProgress("ask-in-steps", {}),
    logs("log", "error", 1),
    logs("log", "debug", 3),
    { ...cancels("wait", {}, cancelledCalls), covers: ["tool wait", "tool cancelled"] },
    {
      ...tellsOfChanges(
        ["tools", "prompts", "resources"],
        (site) => callTool(site, "change"),
        async (site) => [
          await hasItem(site, "tools", "late"),
          await hasItem(site, "prompts", "late"),
          await hasItem(site, "resources", "late"),
        ],
      ),
      covers: [
        "tool change",
        "capability tools.listChanged",
        "capability prompts.listChanged",
        "capability resources.listChanged",
      ],
    },
  ],
});
